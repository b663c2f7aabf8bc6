package topology

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/broker"
	"github.com/troupe-go/troupe/mailbox"
)

// ErrFull is wrapped by the error of a call that a service's front has no room for: 10,000 calls of the calling process
// have no reply yet, or their requests take 64 MiB.
var ErrFull = broker.ErrFull

// Caller is a client's end of a service.
type Caller[Q, R any] struct {
	role   context.Context // of the role that it was made for
	over   atomic.Bool
	call   func(ctx context.Context, request Q) (R, error)
	stream func(ctx context.Context, request Q) iter.Seq2[R, error]
	done   func()
}

// newCaller returns a caller for one instance of a role.
func newCaller[Q, R any](ctx context.Context, in *instance, e *edge) (*Caller[Q, R], error) {
	c := &Caller[Q, R]{role: ctx}
	switch at := in.carrier(e); {
	case at.local:
		n := in.run.hub(e, func() any { return newCounter[Q, R]() }).(*counter[Q, R])
		c.call, c.stream, c.done = n.call, n.stream, func() {}
	case e.zmq:
		q := newRequester(in, e)
		c.call, c.done = exchange[Q, R](q, e), q.end
		c.stream = func(ctx context.Context, request Q) iter.Seq2[R, error] {
			return one(c.call(ctx, request))
		}
	default:
		lines := in.lines(e)
		line, err := lines.call(in, e)
		if err != nil {
			return nil, err
		}
		w := &wired[Q, R]{e, line}
		c.call, c.stream, c.done = w.call, w.stream, lines.hangUp
	}
	return c, nil
}

// Call sends a request to the service and returns its reply. It waits for a server as long as it takes, until ctx or the
// role's context ends; then its error wraps that of the context, and a reply that comes later is discarded. It may be
// called from any goroutine, any number of times at once; calls over a [ZMQ] edge take turns.
//
// Over a socket the request is given to another server, or the same when it is back, when the one that had it is gone or
// silent, and sent again to a front that was gone; no timer resends it. A server may so execute one request more than
// once. If the service is declared [AtMostOnce] the Call fails with [mailbox.ErrPeerLost] instead. It does too when five
// servers were lost with the call in hand.
//
// An error of the server's handler is returned: inside one process itself, else its text, and its identity if it is
// registered with [codec.RegisterError]; over a [ZMQ] edge nothing comes then. A reply of a form that isn't the service's
// gives [codec.ErrDecode], and a front without room for another call [ErrFull].
func (c *Caller[Q, R]) Call(ctx context.Context, request Q) (reply R, err error) {
	ctx, stop, err := c.within(ctx)
	if err != nil {
		return reply, err
	}
	defer stop()
	return c.call(ctx, request)
}

// Stream sends a request to a service whose server is a [StreamServer], and returns the parts of the reply as they come,
// for one loop. The last pair has an error, one of Call's, if the reply is not whole. A loop that is slow slows the
// server down, and one that is left ends its handler's context. Once a part has come the request is not given to another
// server: the error wraps [mailbox.ErrPeerLost]. The reply of a server that doesn't stream is one part.
func (c *Caller[Q, R]) Stream(ctx context.Context, request Q) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		ctx, stop, err := c.within(ctx)
		if err != nil {
			failed[R](err)(yield)
			return
		}
		defer stop()
		c.stream(ctx, request)(yield)
	}
}

// within returns a context that ends with ctx and with the role's.
func (c *Caller[Q, R]) within(ctx context.Context) (context.Context, func(), error) {
	if c.over.Load() {
		return nil, nil, fmt.Errorf("topology: call after the client has returned: %w", mailbox.ErrClosed)
	}
	if c.role.Done() == nil || ctx.Done() == c.role.Done() {
		return ctx, func() {}, nil
	}
	both, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.role, func() { cancel(context.Cause(c.role)) })
	return both, func() {
		stop()
		cancel(nil)
	}, nil
}

// close ends the caller once its role has returned. A goroutine of the role that still calls gets an error.
func (c *Caller[Q, R]) close() {
	if !c.over.Swap(true) {
		c.done()
	}
}

// wired calls over a process's connection to the front, or fronts, of a service.
type wired[Q, R any] struct {
	edge *edge
	line callerLine
}

func (w *wired[Q, R]) call(ctx context.Context, request Q) (reply R, err error) {
	body, err := w.edge.codec.Append(nil, request)
	if err != nil {
		return reply, err
	}
	answer, err := w.line.Call(ctx, body, w.edge.once)
	if err != nil {
		return reply, w.failed(err)
	}
	return reply, w.edge.codec.Decode(answer, &reply)
}

func (w *wired[Q, R]) stream(ctx context.Context, request Q) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		body, err := w.edge.codec.Append(nil, request)
		if err != nil {
			failed[R](err)(yield)
			return
		}
		for body, err := range w.line.Stream(ctx, body, w.edge.once) {
			var part R
			if err != nil {
				err = w.failed(err)
			} else {
				err = w.edge.codec.Decode(body, &part)
			}
			if !yield(part, err) || err != nil {
				return
			}
		}
	}
}

// failed returns the error of a call: a handler's as it is, others with the service's name.
func (w *wired[Q, R]) failed(err error) error {
	var failure *broker.Failure
	if errors.As(err, &failure) {
		return codec.ErrorByName(failure.Name, failure.Text)
	}
	return fmt.Errorf("topology: service %s: %w", w.edge.name, err)
}

// one is a stream of one reply, or of an error.
func one[R any](reply R, err error) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) { yield(reply, err) }
}

func failed[R any](err error) iter.Seq2[R, error] {
	var zero R
	return one(zero, err)
}
