package mailbox

import (
	"sync"
	"sync/atomic"
)

// balancer gives messages to peers in turn, passing over those without room, and, with Config.Immediate, those without
// a connection.
type balancer struct {
	only atomic.Pointer[peer] // if there is one peer: sending to it needs no lock

	mu    sync.Mutex
	peers []*peer
	turn  int
}

func (b *balancer) add(p *peer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.peers = append(b.peers, p)
	b.count()
}

func (b *balancer) remove(p *peer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.peers {
		if other == p {
			b.peers = append(b.peers[:i], b.peers[i+1:]...)
			if b.turn > i {
				b.turn--
			}
			b.count()
			return
		}
	}
}

// count notes whether there is one peer.
func (b *balancer) count() {
	b.only.Store(nil)
	if len(b.peers) == 1 {
		b.only.Store(b.peers[0])
	}
}

// send returns the peer that took the message, nil if none has room.
func (b *balancer) send(head, frames [][]byte) *peer {
	if p := b.only.Load(); p != nil {
		if p.present() && p.send(head, frames) {
			return p
		}
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.peers {
		if b.turn >= len(b.peers) {
			b.turn = 0
		}
		p := b.peers[b.turn]
		b.turn++
		if p.present() && p.send(head, frames) {
			return p
		}
	}
	return nil
}

// present says whether p counts for Send.
func (p *peer) present() bool { return !p.s.cfg.Immediate || p.live.Load() != nil }
