package mailbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
)

// req is REQ: a request to one peer, then that peer's reply.
type req struct {
	s   *Socket
	out balancer

	mu    sync.Mutex
	to    *peer              // has the request that waits for its reply; nil: there is none
	over  *inlet             // of the connection that carried it, if that has ended
	gone  bool               // there will be no other connection
	id    uint32             // of the request, with Config.Correlated
	away  map[*peer]struct{} // out of the balancer until their connection has ended
	label [4]byte            // id, as it is sent
}

func newReq(s *Socket) *req {
	return &req{s: s, id: rand.Uint32(), away: make(map[*peer]struct{})}
}

func (r *req) join(p *peer) { r.out.add(p) }

// up waits for a giveUp that sees no connection yet, and takes the request back.
func (r *req) up(*inlet, []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return nil
}

// leave lets the request that no connection will carry any more fail.
func (r *req) leave(p *peer) {
	r.out.remove(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == p && r.over == nil && p.live.Load() == nil && p.at.ctx.Err() != nil {
		r.gone = true
		r.s.in.waiting.wakeAll()
	}
}

// down looks whether the request went with the connection. What is in the inlet may be the reply, unless the request
// has not been written yet.
func (r *req) down(in *inlet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := in.peer
	_, away := r.away[p]
	switch {
	case away:
		delete(r.away, p)
		r.s.drop(p, Unexpected, r.s.in.clear(in))
		r.takeBack(p)
		if p.dials && !p.leaving() {
			r.out.add(p)
			r.s.room.wake()
		}
	case r.to != p || r.over != nil:
	case p.dials && p.out.Len() > 0:
		r.s.drop(p, Unexpected, r.s.in.clear(in))
	default:
		if !p.dials { // it is about to leave, and gets no request any more once Recv has told of its end
			r.out.remove(p)
		}
		r.over = in
		r.s.in.waiting.wakeAll()
	}
}

func (r *req) send(frames [][]byte) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to != nil {
		if !r.s.cfg.Relaxed {
			return false, fmt.Errorf("%w: a REQ receives the reply before it sends the next request", ErrState)
		}
		r.giveUp()
	}
	r.s.drop(nil, Unexpected, r.s.in.flush()) // what came before the request is not its reply
	envelope := [][]byte{nil}                 // the delimiter
	if r.s.cfg.Correlated {
		r.id++
		binary.BigEndian.PutUint32(r.label[:], r.id)
		envelope = [][]byte{r.label[:], nil}
	}
	r.to = r.out.send(envelope, frames)
	return r.to != nil, nil
}

// giveUp forgets the request that waits for its reply. If it waits for a connection it is not sent. If it has one, and its
// reply could not be told from the next request's, that ends; so it does if the peer has stopped reading.
func (r *req) giveUp() {
	p, over := r.to, r.over
	r.idle()
	in := p.live.Load()
	switch {
	case over != nil: // with the connection
	case in == nil:
		r.takeBack(p)
	case in.ended.Load() || !r.s.cfg.Correlated || p.out.Len() >= r.s.cfg.SendHWM:
		r.out.remove(p)
		r.away[p] = struct{}{}
		in.conn.Close()
	}
}

// takeBack drops the requests to p that no connection took. p has none.
func (r *req) takeBack(p *peer) { r.s.drop(p, Skipped, p.out.Purge()) }

func (r *req) recv() ([][]byte, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.to == nil {
		return nil, false, fmt.Errorf("%w: a REQ sends a request before it receives", ErrState)
	}
	for range patience {
		in, msg := r.s.in.pop()
		switch {
		case msg == nil && (r.over != nil || r.gone):
			r.idle()
			return nil, false, ErrPeerLost
		case msg == nil:
			return nil, false, nil
		case in.peer == r.to && (r.over == nil || r.over == in):
			if body := r.reply(msg); body != nil {
				r.idle()
				return body, true, nil
			}
		}
		r.s.reject(in, msg, Unexpected)
	}
	r.s.in.waiting.wake()
	return nil, false, nil
}

// reply returns what is behind the delimiter of a reply to the request that waits for one, nil if msg is none.
func (r *req) reply(msg [][]byte) [][]byte {
	if r.s.cfg.Correlated {
		if !bytes.Equal(msg[0], r.label[:]) {
			return nil
		}
		msg = msg[1:]
	}
	if len(msg) < 2 || len(msg[0]) > 0 {
		return nil
	}
	return msg[1:]
}

// idle ends a request. Others that wait for its reply learn that there is none to wait for.
func (r *req) idle() {
	r.to, r.over, r.gone = nil, nil, false
	r.s.in.waiting.wakeAll()
}
