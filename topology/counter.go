package topology

import (
	"context"
	"iter"
	"time"
)

// counter is where a service's callers and servers of one process meet. A call is handed to the instance that has waited
// for one longest.
type counter[Q, R any] struct{ calls chan *order[Q, R] }

func newCounter[Q, R any]() *counter[Q, R] { return &counter[Q, R]{make(chan *order[Q, R])} }

// order is a call that is handed over.
type order[Q, R any] struct {
	ctx     context.Context // the caller's
	request Q
	parts   chan R          // nil: the caller takes one reply
	served  chan outcome[R] // has room
}

// outcome is how an order ended.
type outcome[R any] struct {
	reply R
	whole bool // reply is it, and not what was sent
	err   error
}

// call makes a call.
func (n *counter[Q, R]) call(ctx context.Context, request Q) (reply R, err error) {
	o := &order[Q, R]{ctx, request, nil, make(chan outcome[R], 1)}
	if err := n.place(ctx, o); err != nil {
		return reply, err
	}
	select {
	case end := <-o.served:
		return end.reply, end.err
	case <-ctx.Done():
		return reply, ctx.Err()
	}
}

// place hands an order over.
func (n *counter[Q, R]) place(ctx context.Context, o *order[Q, R]) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case n.calls <- o:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stream makes a call whose reply comes in parts.
func (n *counter[Q, R]) stream(ctx context.Context, request Q) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // a loop that is left ends the handler's context
		defer cancel()
		var zero R
		o := &order[Q, R]{ctx, request, make(chan R), make(chan outcome[R], 1)}
		if err := n.place(ctx, o); err != nil {
			yield(zero, err)
			return
		}
		for {
			select {
			case part := <-o.parts:
				if !yield(part, nil) {
					return
				}
			case end := <-o.served:
				if end.err != nil || end.whole {
					yield(end.reply, end.err)
				}
				return
			case <-ctx.Done():
				yield(zero, ctx.Err())
				return
			}
		}
	}
}

// meet returns the work of an instance at a counter.
func (a *attendant[Q, R]) meet(n *counter[Q, R]) func(context.Context) error {
	return func(ctx context.Context) error {
		// Once it is told to end, a handler has half of the grace to finish; then its context ends.
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(ctx, func() { time.AfterFunc(a.in.run.options.Grace/2, cancel) })()
		for a.prepare(ctx) {
			select {
			case o := <-n.calls:
				a.fill(work, o)
			case <-ctx.Done():
				return nil
			}
		}
		return nil
	}
}

// fill answers a call.
func (a *attendant[Q, R]) fill(ctx context.Context, o *order[Q, R]) {
	if a.in.role.streams && o.parts == nil {
		o.served <- outcome[R]{err: errStreams}
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if o.ctx.Done() != nil {
		defer context.AfterFunc(o.ctx, func() { cancel(context.Cause(o.ctx)) })()
	}
	if end, ok := o.ctx.Deadline(); ok {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, end)
		defer stop()
	}
	reply, err := a.answer(ctx, o.request, func(part R) error {
		select {
		case o.parts <- part:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	o.served <- outcome[R]{reply, !a.in.role.streams, err}
}
