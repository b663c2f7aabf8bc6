package topology

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/mailbox"
)

// Caller is a client's end of a service.
type Caller[Q, R any] struct {
	role context.Context // of the role that it was made for
	turn chan struct{}   // holds one token; who has it may call
	call func(ctx context.Context, request Q) (R, error)
	done func()
}

// newCaller returns a caller for one instance of a role: of the server's actor where values are handed over, else with a
// socket of its own.
func newCaller[Q, R any](ctx context.Context, in *instance, e *edge) *Caller[Q, R] {
	c := &Caller[Q, R]{role: ctx, turn: make(chan struct{}, 1), done: func() {}}
	c.turn <- struct{}{}
	at := in.carrier(e)
	if at.local {
		c.call = func(ctx context.Context, request Q) (R, error) {
			ref := in.run.hub(e, nil).(actor.Ref[Q]) // servers are opened before callers
			return actor.As[R](ref.Ask(ctx, in.run.system, request))
		}
		return c
	}
	q := &requester{
		endpoint: at.endpoint,
		config:   in.socket(e),
		once:     e.once,
		log:      in.log,
	}
	c.done = q.close
	c.call = func(ctx context.Context, request Q) (reply R, err error) {
		body, err := e.codec.Append(nil, request)
		if err != nil {
			return reply, err
		}
		answer, err := q.exchange(ctx, body)
		if err != nil {
			return reply, fmt.Errorf("topology: service %s: %w", e.name, err)
		}
		return reply, e.codec.Decode(answer, &reply)
	}
	return c
}

// Call sends a request to the service and returns its reply. It waits for a server as long as it takes, until ctx or the
// role's context ends; then its error wraps that of the context, and a reply that comes later is discarded.
//
// Over a socket the request is sent again, to the same or a returned server, when the connection that carried it ends
// before the reply has come, and never otherwise: no timer resends it. A server may so execute one request more than
// once. If the service is declared [AtMostOnce] the Call fails with [mailbox.ErrPeerLost] instead.
//
// Inside one process an error of the server's handler is returned. A reply of a form that isn't the service's gives
// [codec.ErrDecode]. Call may be called from any goroutine; calls of one Caller take turns.
func (c *Caller[Q, R]) Call(ctx context.Context, request Q) (R, error) {
	var zero R
	if ctx.Done() != c.role.Done() {
		both, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(c.role, func() { cancel(context.Cause(c.role)) })()
		ctx = both
	}
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return zero, ctx.Err()
	}
	return c.call(ctx, request)
}

// close ends the caller once its role has returned. A goroutine of the role that still calls gets an error.
func (c *Caller[Q, R]) close() {
	<-c.turn
	c.done()
	c.call = func(context.Context, Q) (r R, err error) {
		return r, fmt.Errorf("topology: call after the client has returned: %w", mailbox.ErrClosed)
	}
	c.turn <- struct{}{}
}

// requester is a REQ socket that is replaced when a request is abandoned, as a REQ socket takes no further request before
// the reply.
type requester struct {
	endpoint string
	config   mailbox.Config
	once     bool
	log      *slog.Logger
	socket   *mailbox.Socket // nil until the first request and after an abandoned one
}

// exchange sends a request and returns its reply.
func (q *requester) exchange(ctx context.Context, request []byte) (reply []byte, err error) {
	if q.socket == nil {
		if err := q.open(); err != nil {
			return nil, err
		}
	}
	for {
		frames, err := q.try(ctx, request)
		switch {
		case err == nil && len(frames) == 1:
			return frames[0], nil
		case err == nil:
			return nil, fmt.Errorf("a reply of %d frames from %s; a service's has one", len(frames), q.endpoint)
		case q.once || !errors.Is(err, mailbox.ErrPeerLost):
			q.close()
			return nil, err
		}
		q.log.Info("connection lost before the reply; the request is sent again", "endpoint", q.endpoint)
	}
}

func (q *requester) try(ctx context.Context, request []byte) ([][]byte, error) {
	if err := q.socket.Send(ctx, request); err != nil {
		return nil, err
	}
	return q.socket.Recv(ctx)
}

func (q *requester) open() error {
	s, err := mailbox.New(mailbox.Req, q.config)
	if err != nil {
		return err
	}
	q.socket = s
	if err := s.Connect(q.endpoint); err != nil {
		q.close()
		return err
	}
	return nil
}

// close ends the socket without lingering: a request is either answered or abandoned.
func (q *requester) close() {
	if q.socket == nil {
		return
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	q.socket.Close(ended)
	q.socket = nil
}
