package mailbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
)

// router is ROUTER: the first frame of each message is the identity of the peer that it came from or goes to.
type router struct {
	s *Socket

	mu     sync.Mutex
	routes map[string]*inlet // by identity; those of a Connect stay between its connections
	last   uint32            // number of the identity given out last
}

func newRouter(s *Socket) *router {
	return &router{s: s, routes: make(map[string]*inlet), last: rand.Uint32()}
}

func (r *router) join(*peer) {}

func (r *router) up(in *inlet, identity []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(identity) == 0 {
		if in.peer.id == nil {
			in.peer.id = r.newIdentity()
		}
		identity = in.peer.id
	}
	id := string(identity)
	if other := r.routes[id]; other == nil || other.peer != in.peer {
		if other != nil && !r.s.cfg.Handover {
			return fmt.Errorf("identity %q is another peer's", id)
		}
		if other != nil {
			other.conn.Close()
		}
		if in.peer.dials && r.forget(in.peer) { // what is queued is for who was there before
			r.s.drop(in.peer, Lost, in.peer.out.Purge())
		}
	}
	in.id = []byte(id)
	r.routes[id] = in
	if !in.peer.dials {
		in.conn.Call(in.id)
	}
	return nil
}

func (r *router) down(in *inlet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !in.peer.dials {
		r.remove(in)
	}
}

// leave removes the route of a peer that Connect made. Those of others go with their connection.
func (r *router) leave(p *peer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.dials {
		r.forget(p)
	}
}

// forget removes the route to p, if there is one.
func (r *router) forget(p *peer) (had bool) {
	for _, in := range r.routes {
		if in.peer == p {
			r.remove(in)
			had = true
		}
	}
	return had
}

// remove removes in's route, if it still is in's. Sends that wait for it to have room learn that it is gone.
func (r *router) remove(in *inlet) {
	if r.routes[string(in.id)] == in {
		delete(r.routes, string(in.id))
		r.s.room.wakeAll()
	}
}

func (r *router) send(frames [][]byte) (bool, error) {
	if len(frames) < 2 {
		return false, fmt.Errorf("%w, and a ROUTER's an identity before it", errNoFrames)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	to := r.routes[string(frames[0])]
	gone := to == nil || !to.peer.present()
	switch {
	case gone && r.s.cfg.Mandatory:
		return false, fmt.Errorf("%w: no peer is called %q", ErrUnroutable, string(frames[0]))
	case gone:
		r.s.drop(nil, NoPeer, 1)
	case to.peer.send(nil, frames[1:]):
	case r.s.cfg.Mandatory:
		return false, nil
	default:
		r.s.drop(to.peer, Full, 1)
	}
	return true, nil
}

func (r *router) recv() ([][]byte, bool, error) {
	in, msg := r.s.in.pop()
	if msg == nil {
		return nil, false, nil
	}
	msg[0] = bytes.Clone(in.id)
	return msg, true, nil
}

// newIdentity makes up five bytes that no peer has: a zero, as no identity of a peer's own starts with one, and a number.
func (r *router) newIdentity() []byte {
	for {
		r.last++
		id := binary.BigEndian.AppendUint32([]byte{0}, r.last)
		if r.routes[string(id)] == nil {
			return id
		}
	}
}
