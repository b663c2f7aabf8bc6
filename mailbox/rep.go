package mailbox

import (
	"fmt"
	"sync"
)

// rep is REP: a request, then the reply to whoever sent it.
type rep struct {
	s *Socket

	mu       sync.Mutex
	from     *inlet   // where the request in hand came from; nil: there is none
	envelope [][]byte // its way back: its frames up to and including the first empty one
}

func (r *rep) join(*peer)              {}
func (r *rep) leave(*peer)             {}
func (r *rep) up(*inlet, []byte) error { return nil }
func (r *rep) down(*inlet)             {}

func (r *rep) recv() ([][]byte, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from != nil {
		return nil, false, fmt.Errorf("%w: a REP replies to a request, or skips it, before it receives the next", ErrState)
	}
	for range patience {
		in, msg := r.s.in.pop()
		if msg == nil {
			return nil, false, nil
		}
		end := 0
		for end < len(msg) && len(msg[end]) > 0 {
			end++
		}
		if end+1 >= len(msg) { // no delimiter, or nothing behind it
			r.s.reject(in, msg, Unexpected)
			continue
		}
		r.from, r.envelope = in, msg[:end+1:end+1]
		return msg[end+1:], true, nil
	}
	r.s.in.waiting.wake()
	return nil, false, nil
}

func (r *rep) send(frames [][]byte) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from == nil {
		return false, fmt.Errorf("%w: a REP receives a request before it replies", ErrState)
	}
	switch {
	case r.from.ended.Load():
		r.s.drop(r.from.peer, NoPeer, 1)
	case !r.from.peer.send(r.envelope, frames):
		r.s.drop(r.from.peer, Full, 1)
	}
	r.idle()
	return true, nil
}

// skip gives up the request in hand.
func (r *rep) skip() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from == nil {
		return fmt.Errorf("%w: there is no request to skip", ErrState)
	}
	r.s.drop(r.from.peer, Skipped, 1)
	r.idle()
	return nil
}

func (r *rep) idle() {
	r.from, r.envelope = nil, nil
	r.s.in.waiting.wake()
}
