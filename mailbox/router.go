package mailbox

import (
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

func (r *router) join(*peer)  {}
func (r *router) leave(*peer) {} // down has removed its route

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
	if other := r.routes[id]; other != nil && other.peer != in.peer {
		return fmt.Errorf("identity %q is another peer's", id)
	}
	in.id = []byte(id)
	r.routes[id] = in
	return nil
}

func (r *router) down(in *inlet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !in.peer.dials && r.routes[string(in.id)] == in {
		delete(r.routes, string(in.id))
	}
}

func (r *router) send(msg [][]byte) (bool, error) {
	if len(msg) < 3 {
		return false, fmt.Errorf("%w, and a ROUTER's an identity before it", errNoFrames)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	to := r.routes[string(msg[1])]
	if to == nil || !to.peer.out.Send(msg[2:]) {
		r.s.drop(1)
	}
	return true, nil
}

func (r *router) recv() ([][]byte, bool, error) {
	in, msg := r.s.in.pop()
	if msg == nil {
		return nil, false, nil
	}
	return in.unpack(in.id, msg), true, nil
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
