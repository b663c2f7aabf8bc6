package memnet

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Cut breaks every connection to address, as dialled or as bound: both ends get ECONNRESET and what was under way is
// lost. The listener stays, so dialling again works at once.
func (n *Network) Cut(address string) {
	for _, p := range n.to(address) {
		p.cut()
	}
}

// Stall stops the bytes of every connection to address, present and to come, in both directions, until Resume. Nothing
// is closed or lost: writers fill the buffer and wait, and readers see neither bytes nor that the other end closed.
func (n *Network) Stall(address string) {
	n.mark(address, true)
	for _, p := range n.to(address) {
		p.stall(true)
	}
}

// Resume ends a Stall.
func (n *Network) Resume(address string) {
	n.mark(address, false)
	for _, p := range n.to(address) {
		p.stall(false)
	}
}

// Delay lets the bytes of connections made from now on arrive late: each write by a time below most, the same sequence
// for the same seed, and never out of order. A most of zero ends delays.
func (n *Network) Delay(seed uint64, most time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay = nil
	if most <= 0 {
		return
	}
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(seed, seed))
	n.delay = func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(r.Int64N(int64(most)))
	}
}

// mark notes for connections to come whether address is stalled.
func (n *Network) mark(address string, stalled bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stalled == nil {
		n.stalled = make(map[string]bool)
	}
	n.stalled[canonical(address)] = stalled
}

// to returns the connections to address.
func (n *Network) to(address string) []*pair {
	address = canonical(address)
	n.mu.Lock()
	defer n.mu.Unlock()
	var found []*pair
	for p, names := range n.conns {
		if names[0] == address || names[1] == address {
			found = append(found, p)
		}
	}
	return found
}

// canonical is the form in which connections keep their addresses.
func canonical(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil {
		return net.JoinHostPort(plain(host), port)
	}
	return address
}
