package mailbox

import (
	"fmt"
	"sync"
)

// req is REQ: a request to one peer, then that peer's reply.
type req struct {
	s   *Socket
	out balancer

	mu   sync.Mutex
	to   *peer  // has the request that waits for its reply; nil: there is none
	over *inlet // of the connection that carried it, if that has ended
}

func (r *req) join(p *peer)            { r.out.add(p) }
func (r *req) leave(p *peer)           { r.out.remove(p) }
func (r *req) up(*inlet, []byte) error { return nil }

// down looks whether the request went with the connection. What is in the inlet may be the reply, unless the request
// has not been written yet.
func (r *req) down(in *inlet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == in.peer && r.over == nil && in.peer.dials && in.peer.out.Len() > 0 {
		r.s.drop(r.s.in.clear(in))
		return
	}
	if r.to == in.peer && r.over == nil {
		r.over = in
		r.s.in.waiting.wakeAll()
	}
}

func (r *req) send(msg [][]byte) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to != nil {
		return false, fmt.Errorf("%w: a REQ receives the reply before it sends the next request", ErrState)
	}
	r.s.drop(r.s.in.flush()) // what came before the request is not its reply
	r.to = r.out.send(msg)   // its first frame is empty: the delimiter
	return r.to != nil, nil
}

func (r *req) recv() ([][]byte, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		return nil, false, fmt.Errorf("%w: a REQ sends a request before it receives", ErrState)
	}
	for range patience {
		in, msg := r.s.in.pop()
		switch {
		case msg == nil && r.over != nil:
			r.idle()
			return nil, false, ErrPeerLost
		case msg == nil:
			return nil, false, nil
		case in.peer == r.to && (r.over == nil || r.over == in) && len(msg) > 1 && len(msg[0]) == 0:
			r.idle()
			return in.unpack(nil, msg[1:]), true, nil
		}
		r.s.drop(1)
	}
	r.s.in.waiting.wake()
	return nil, false, nil
}

// idle ends a request. Others that wait for its reply learn that there is none to wait for.
func (r *req) idle() {
	r.to, r.over = nil, nil
	r.s.in.waiting.wakeAll()
}
