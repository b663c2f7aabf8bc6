package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// SocketType names a ZeroMQ pattern.
type SocketType = zmq4.SocketType

// The patterns there are. New refuses the others.
const (
	Req    = zmq4.Req    // a request, then its reply; to several peers in turn
	Rep    = zmq4.Rep    // a request, then its reply; from several peers in turn
	Dealer = zmq4.Dealer // sends to its peers in turn, receives from them in turn
	Push   = zmq4.Push   // sends to its peers in turn
	Pull   = zmq4.Pull   // receives from its peers in turn
	Pub    = zmq4.Pub    // sends to every peer that subscribed to what the message starts with
	Sub    = zmq4.Sub    // receives from its peers in turn what it subscribed to
	XPub   = zmq4.XPub   // a PUB that sees the subscriptions
	XSub   = zmq4.XSub   // a SUB that sends its subscriptions as messages
	Pair   = zmq4.Pair   // both ways with one peer
	Router = zmq4.Router // sends to the peer whose identity is the message's first frame, and receives such messages
)

var (
	// ErrClosed is returned by what is used after Close, or was waiting when it was called.
	ErrClosed = errors.New("mailbox: socket is closed")
	// ErrState is wrapped by the errors of Send and Recv out of turn, on a REQ or REP, and of a PAIR's second Connect.
	ErrState = errors.New("mailbox: out of turn")
	// ErrPeerLost is returned by a REQ's Recv when the connection that carried the request ended before the reply came.
	// The peer may have handled the request or not. The next call is Send.
	ErrPeerLost = errors.New("mailbox: the connection that carried the request ended")
	// ErrEndpoint is wrapped by the errors of endpoints that can't be used. Their texts say what to write instead.
	ErrEndpoint = errors.New("mailbox: endpoint")
	// ErrUnsupported is wrapped by the errors of methods and options that are not for the socket's pattern, and of New for
	// a socket type that is not there.
	ErrUnsupported = errors.New("mailbox: unsupported")
	// ErrUnroutable is wrapped by the errors of a ROUTER's Send to an identity that nobody has, with Config.Mandatory.
	ErrUnroutable = errors.New("mailbox: unroutable")
	// ErrUnsent is wrapped by the errors of Close, Unbind and Disconnect if messages were left that could not be sent in
	// time.
	ErrUnsent = errors.New("mailbox: messages were not sent")
)

// Socket is a ZeroMQ socket. All its methods may be called from any goroutine, at any time.
//
// Send and Recv wait until they can do their work or their context ends; then their error wraps ctx.Err(), and nothing
// was sent or received. With a context that has ended already they try once without waiting. A nil context is an error.
type Socket struct {
	typ      SocketType
	cfg      Config
	pattern  pattern
	in       fairQueue
	room     waiters // Sends
	dropped  drops
	monitors monitors

	ctx     context.Context // ends when Close begins
	cancel  context.CancelFunc
	closed  atomic.Bool   // ctx has ended
	release chan struct{} // closed when Close is through

	mu        sync.Mutex
	peers     map[*peer]struct{}
	conns     map[*zmtp.Conn]*peer // over which bytes move
	past      past
	places    []*place  // that it is bound or connected to
	refusals  int       // connections that the pattern refused since refusedAt
	refusedAt time.Time // when the log last said so
}

// New returns a socket that is neither bound nor connected. It fails with an error that wraps ErrUnsupported for a
// socket type that is none of the constants above, and for an option in cfg that the pattern has no use for, and with
// one that names the field for a cfg that can't be honoured. Whoever makes a Socket closes it.
func New(t SocketType, cfg Config) (*Socket, error) {
	cfg, err := cfg.withDefaults(t)
	if err != nil {
		return nil, err
	}
	s := &Socket{
		typ:     t,
		cfg:     cfg,
		release: make(chan struct{}),
		peers:   make(map[*peer]struct{}),
		conns:   make(map[*zmtp.Conn]*peer),
	}
	if s.pattern, err = newPattern(s); err != nil {
		return nil, err
	}
	if t == Router {
		s.in.head = 1 // for the identity
	}
	s.in.waiting.poke = s.in.interrupt
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Type returns the pattern that the socket follows.
func (s *Socket) Type() SocketType { return s.typ }

// Send queues a message for a peer and returns; the frames are the caller's again. Which peer, and what Send does when
// that one has no room, is the pattern's:
//
//   - REQ, DEALER and PUSH: the next in turn that has room. Without one, or without any peer, Send waits.
//   - REP: the one whose request was received last. If it is gone or has no room the reply is dropped.
//   - ROUTER: the one whose identity is the first frame, which is not sent. If there is none, or it has no room, the
//     message is dropped; see Config.Mandatory.
//   - PAIR: the one there is. If it has no room, or there is none, Send waits.
//   - PUB and XPUB: all that subscribed to a prefix of the first frame. For those that have no room it is dropped; see
//     Config.NoDrop.
//   - XSUB: all, if it is a subscription or the end of one.
//
// The error is ErrClosed, or wraps ErrState if it's not the turn of a REQ or REP to send, ErrUnroutable,
// ErrUnsupported on a PULL or SUB, or ctx.Err() if Send would have had to wait on. The request that a REQ with
// Config.Relaxed was waiting for is given up whatever the error.
func (s *Socket) Send(ctx context.Context, frames ...[]byte) error {
	switch {
	case ctx == nil:
		return errNoContext
	case len(frames) == 0:
		return errNoFrames
	}
	for waited := false; ; waited = true {
		ok, err := s.offer(frames)
		if ok || err != nil {
			if waited {
				s.room.wake() // there may be more
			}
			return err
		}
		turn := s.room.enter()
		if ok, err = s.offer(frames); ok || err != nil {
			s.room.leave(turn)
			s.room.wake()
			return err
		}
		if err := s.wait(ctx, &s.room, turn); err != nil {
			return err
		}
	}
}

// offer gives the pattern a message to send, which reports that it would have to wait by ok being false. Nothing is kept
// of frames, and no interface is in between: they may be where the caller has them, on its stack perhaps.
func (s *Socket) offer(frames [][]byte) (ok bool, err error) {
	if s.closed.Load() {
		return false, ErrClosed
	}
	switch p := s.pattern.(type) {
	case *push:
		return p.send(frames)
	case *dealer:
		return p.send(frames)
	case *req:
		return p.send(frames)
	case *rep:
		return p.send(frames)
	case *router:
		return p.send(frames)
	case *publisher:
		return p.send(frames)
	case *subscriber:
		return p.send(frames)
	case *pair:
		return p.send(frames)
	}
	return false, fmt.Errorf("%w: a %s does not send", ErrUnsupported, s.typ)
}

// Recv returns the next message; its frames are the caller's. (A small one lies in a few KiB of memory with others that
// came with it: who keeps few of many for long copies them.) Messages are taken from the peers in turn. What a peer had
// sent before its connection ended is still received, within Config.MaxMessage's mark. By pattern:
//
//   - REQ: the reply to the request sent last, from the peer that it went to. It fails with ErrPeerLost if the
//     connection that carried the request ended without one; a request that no connection has carried yet waits for
//     the next.
//   - REP: a request, without its envelope, which the reply gets.
//   - DEALER, PULL, PAIR, SUB and XSUB: a message as it came.
//   - ROUTER: a message with the identity of its sender before it: the one that the sender gave itself, or five bytes
//     starting with a zero.
//   - XPUB: a subscription, one frame of a one and the topic, or the end of one, with a zero; or a message as it came.
//
// The error is ErrClosed, or ErrPeerLost, or wraps ErrState if it's not the turn of a REQ or REP to receive,
// ErrUnsupported on a PUSH or PUB, or ctx.Err() if there was nothing to receive.
func (s *Socket) Recv(ctx context.Context) ([][]byte, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	for waited := false; ; waited = true {
		if s.closed.Load() {
			return nil, ErrClosed
		}
		msg, ok, err := s.pattern.recv()
		if ok || err != nil {
			if waited && s.in.more() {
				s.in.waiting.wake()
			}
			return msg, err
		}
		turn := s.in.waiting.enter()
		if msg, ok, err = s.pattern.recv(); ok || err != nil {
			s.in.waiting.leave(turn)
			if s.in.more() {
				s.in.waiting.wake()
			}
			return msg, err
		}
		if s.read(ctx, turn) {
			continue
		}
		if err := s.wait(ctx, &s.in.waiting, turn); err != nil {
			return nil, err
		}
	}
}

// Skip drops the request that a REP has received and not replied to, so that it can receive the next one. Whoever sent
// it gets no reply. It fails with an error that wraps ErrState if there is no such request, and ErrUnsupported on other patterns.
func (s *Socket) Skip() error {
	if r, ok := s.pattern.(*rep); ok {
		return r.skip()
	}
	return fmt.Errorf("%w: a %s has no request to skip", ErrUnsupported, s.typ)
}

// wait waits for its turn in line, the end of ctx, or Close.
func (s *Socket) wait(ctx context.Context, line *waiters, turn chan struct{}) error {
	if s.closed.Load() {
		line.leave(turn)
		return ErrClosed
	}
	switch done := ctx.Done(); {
	case done == nil: // nothing else to wait for, and less to do: Close gives everybody a turn
		<-turn
		line.had(turn)
		return nil
	case ctx.Err() == nil:
		select {
		case <-turn:
			line.had(turn)
			return nil
		case <-done:
		case <-s.ctx.Done():
			line.leave(turn)
			return ErrClosed
		}
	}
	line.leave(turn)
	if line == &s.room {
		return fmt.Errorf("mailbox: no room to send: %w", ctx.Err())
	}
	return fmt.Errorf("mailbox: nothing to receive: %w", ctx.Err())
}

// identity is what the socket tells peers to call it.
func (s *Socket) identity() []byte {
	if s.typ == Rep {
		return nil
	}
	return s.cfg.Identity
}
