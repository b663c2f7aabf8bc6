package mailbox

import (
	"errors"
	"fmt"
)

// pattern is what makes a socket a REQ, a REP and so on. Nothing in it waits: recv reports that it would have to by ok
// being false, and so does the method send of those that send, which Socket.offer calls.
type pattern interface {
	// join tells of a peer that may be sent to from now on: when Connect made it, or when a connection was accepted.
	join(p *peer)
	// leave tells that p is gone for good, or will be and is not to be sent to any more: then leave is called again when
	// it is.
	leave(p *peer)
	// up tells of a connection of in.peer, whose other end calls itself identity. An error refuses it.
	up(in *inlet, identity []byte) error
	// down tells that the connection has ended: in is detached from its source.
	down(in *inlet)
	// recv returns a message that belongs to the caller.
	recv() (msg [][]byte, ok bool, err error)
}

func newPattern(s *Socket) (pattern, error) {
	switch s.typ {
	case Req:
		return newReq(s), nil
	case Rep:
		return &rep{s: s}, nil
	case Dealer:
		return &dealer{s: s}, nil
	case Router:
		return newRouter(s), nil
	case Push:
		return &push{s: s}, nil
	case Pull:
		return &pull{s: s}, nil
	case Pair:
		return &pair{s: s}, nil
	case Pub, XPub:
		return newPublisher(s, s.typ == XPub), nil
	case Sub, XSub:
		return newSubscriber(s, s.typ == XSub), nil
	}
	return nil, fmt.Errorf("%w: socket type %q: there are REQ, REP, DEALER, ROUTER, PUSH, PULL, PUB, SUB, XPUB, XSUB and PAIR", ErrUnsupported, string(s.typ))
}

// patience is how many messages that are no requests or replies a recv drops in one go. Then it wakes the next receiver,
// perhaps its own: peers that send nothing else may be faster than it, and its caller has a context to heed.
const patience = 1000

var (
	errNoFrames  = errors.New("mailbox: a message has at least one frame")
	errNoContext = errors.New("mailbox: nil context")
)
