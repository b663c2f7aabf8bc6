package mailbox

import (
	"errors"
	"fmt"
	"sync"
)

// pattern is what makes a socket a REQ, a REP, a DEALER or a ROUTER. Nothing in it waits: send and recv report that
// they would have to by ok being false.
type pattern interface {
	// join tells of a peer that may be sent to from now on: when Connect made it, or when a connection was accepted.
	join(p *peer)
	// leave tells that p is gone for good.
	leave(p *peer)
	// up tells of a connection of in.peer, whose other end calls itself identity. An error refuses it.
	up(in *inlet, identity []byte) error
	// down tells that the connection has ended: in is detached from its source.
	down(in *inlet)
	// send takes a message, whose first element is nil and spare.
	send(msg [][]byte) (ok bool, err error)
	// recv returns a message that belongs to the caller.
	recv() (msg [][]byte, ok bool, err error)
}

func newPattern(s *Socket) (pattern, error) {
	switch s.typ {
	case Req:
		return &req{s: s}, nil
	case Rep:
		return &rep{s: s}, nil
	case Dealer:
		return &dealer{s: s}, nil
	case Router:
		return newRouter(s), nil
	}
	return nil, fmt.Errorf("%w: socket type %q: there are REQ, REP, DEALER and ROUTER", ErrUnsupported, string(s.typ))
}

// patience is how many messages that are no requests or replies a recv drops in one go. Then it wakes the next receiver,
// perhaps its own: peers that send nothing else may be faster than it, and its caller has a context to heed.
const patience = 1000

var errNoFrames = errors.New("mailbox: a message has at least one frame")

// pack copies frames into a message for pattern.send.
func pack(frames [][]byte) [][]byte {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	msg := make([][]byte, 1+len(frames))
	buf := make([]byte, 0, size)
	for i, f := range frames {
		start := len(buf)
		buf = append(buf, f...)
		msg[1+i] = buf[start:len(buf):len(buf)]
	}
	return msg
}

// large is the size from which on a frame that was read is given out as it is: it has the buffer to itself, or wastes
// little of it.
const large = 16 << 10

// unpack makes a message that came in by in the caller's, with id before it unless that is nil.
func (in *inlet) unpack(id []byte, frames [][]byte) [][]byte {
	if id == nil && !in.wire {
		return frames
	}
	head, size := 0, len(id)
	if id != nil {
		head = 1
	}
	if in.wire {
		for _, f := range frames {
			if len(f) < large {
				size += len(f)
			}
		}
	}
	msg := make([][]byte, head+len(frames))
	buf := make([]byte, 0, size)
	own := func(f []byte) []byte {
		start := len(buf)
		buf = append(buf, f...)
		return buf[start:len(buf):len(buf)]
	}
	if id != nil {
		msg[0] = own(id)
	}
	for i, f := range frames {
		switch {
		case !in.wire:
			msg[head+i] = f
		case len(f) < large:
			msg[head+i] = own(f)
		default:
			msg[head+i] = f[:len(f):len(f)]
		}
	}
	return msg
}

// balancer gives messages to peers in turn, passing over those without room.
type balancer struct {
	mu    sync.Mutex
	peers []*peer
	turn  int
}

func (b *balancer) add(p *peer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.peers = append(b.peers, p)
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
			return
		}
	}
}

// send returns the peer that took msg, nil if none has room.
func (b *balancer) send(msg [][]byte) *peer {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.peers {
		if b.turn >= len(b.peers) {
			b.turn = 0
		}
		p := b.peers[b.turn]
		b.turn++
		if p.out.Send(msg) {
			return p
		}
	}
	return nil
}
