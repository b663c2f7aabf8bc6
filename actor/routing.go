package actor

import (
	"hash/maphash"
	"math/rand/v2"
)

// Routing says to which member of a pool a message goes.
type Routing uint8

// The routings. Where the chosen member's mailbox is full, all but ConsistentHash and Broadcast take the next that has room.
const (
	RoundRobin     Routing = iota // to one after the other
	Random                        // to any
	LeastLoaded                   // to one of those with the fewest messages
	ConsistentHash                // to the same for the same Key, while the members are the same; few move when they change
	Broadcast                     // to all; an Ask gets the first reply that is no error, within Within, else the last error (replies after it are dropped)
)

// hashSeed is for all pools of the process: members are told apart by their own seeds.
var hashSeed = maphash.MakeSeed()

// route chooses a member for m.
func (p *pool[M]) route(m M) int {
	n := len(p.members)
	switch p.Routing {
	case Random:
		return rand.IntN(n)
	case LeastLoaded:
		return p.leastLoaded()
	case ConsistentHash:
		return p.hashed(p.Key(m))
	}
	p.next = (p.next + 1) % n
	return p.next
}

func (p *pool[M]) leastLoaded() (best int) {
	p.next = (p.next + 1) % len(p.members) // among equals one after the other
	least := -1
	for i := range p.members {
		at := (p.next + i) % len(p.members)
		depth, _, _ := p.members[at].cell.box.measure()
		if least < 0 || depth < least {
			best, least = at, depth
		}
	}
	return best
}

// hashed is rendezvous hashing: of each key and member together the hash is taken, and the highest wins.
func (p *pool[M]) hashed(key string) (best int) {
	hash := maphash.String(hashSeed, key)
	var highest uint64
	for i, m := range p.members {
		if h := mix(hash ^ mix(m.seed)); i == 0 || h > highest {
			best, highest = i, h
		}
	}
	return best
}

// mix is the finalizer of splitmix64: each bit of x changes about half of the result.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
