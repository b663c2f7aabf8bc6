package mailbox

import (
	"errors"
	"sync"
)

// pair is PAIR: one peer, both ways. It has its peer from when Connect made it, or its connection was accepted, until
// it is gone for good; only then may another come.
type pair struct {
	s *Socket

	mu   sync.Mutex
	with *peer
}

var errPaired = errors.New("a PAIR has one peer at a time")

// claim makes p the peer. It reports false if there is another.
func (pr *pair) claim(p *peer) bool {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if pr.with == nil && !p.leaving() {
		pr.with = p
	}
	return pr.with == p
}

func (pr *pair) join(p *peer) { pr.claim(p) }
func (*pair) down(*inlet)     {}

func (pr *pair) leave(p *peer) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if pr.with == p {
		pr.with = nil
	}
}

func (pr *pair) up(in *inlet, _ []byte) error {
	if !pr.claim(in.peer) && !in.peer.leaving() {
		return errPaired
	}
	return nil
}

func (pr *pair) send(frames [][]byte) (bool, error) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	return pr.with != nil && pr.with.present() && pr.with.send(nil, frames), nil
}

func (pr *pair) recv() ([][]byte, bool, error) {
	_, msg := pr.s.in.pop()
	if msg == nil {
		return nil, false, nil
	}
	return msg, true, nil
}
