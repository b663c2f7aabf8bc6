package topology

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/internal/pubsub"
)

// Outlet is a publisher's end of a topic. Its methods may be called from any goroutine.
type Outlet[T any] struct {
	in    *instance
	topic *TopicEdge[T]
	keyed bool            // the key is to be worked out
	waits bool            // Publish may, and does not know of the role's end
	role  context.Context // of the role that it was made for
	to    outbound[T]
	end   func()
}

// outbound is how updates get to the subscribers.
type outbound[T any] interface {
	Publish(ctx context.Context, key string, v T) error
	WaitSubscribers(ctx context.Context, n int) error
	Dropped() uint64
}

// openOutlet opens an instance's end.
func openOutlet[T any](in *instance, topic *TopicEdge[T]) (*Outlet[T], error) {
	o := &Outlet[T]{in: in, topic: topic, keyed: topic.key != nil, role: context.Background(), end: func() {}}
	if topic.origin != nil {
		return nil, fmt.Errorf("topic %s gets its updates from a Fanout; publish on %s", topic.edge.name, topic.source().edge.name)
	}
	at := in.carrier(topic.edge)
	if at.local {
		o.to, o.waits = topic.hub(in), topic.edge.topic.noDrop
		return o, nil
	}
	var socket joint
	if topic.edge.zmq {
		p, err := pubsub.NewPlainPublisher(topic.config(in), topic.form())
		if err != nil {
			return nil, err
		}
		o.to, o.keyed, socket = p, false, p
	} else {
		p, err := pubsub.NewPublisher(topic.config(in), topic.form().Encode)
		if err != nil {
			return nil, err
		}
		o.to, socket = p, p
	}
	var err error
	o.end, err = in.join(at, socket)
	return o, err
}

// begin lets the outlet end with the role, whose context is ctx, until stop.
func (o *Outlet[T]) begin(ctx context.Context) (stop func() bool) {
	o.role = ctx
	return context.AfterFunc(ctx, o.end)
}

// Publish sends v to all who have subscribed to its key (or, on a [ZMQ] topic, to what it starts with). It returns when v
// is queued for them. One who has no room loses it, unless the topic is declared [NoDrop].
//
// The error wraps that of ctx, or of the role's context, if that has ended; then nobody gets v. So it is for a value that
// can't be encoded, a key that no key may be, and, on a ZMQ topic, an encoded form that does not start with the key.
func (o *Outlet[T]) Publish(ctx context.Context, v T) error {
	if err := o.over(ctx); err != nil {
		return err
	}
	if o.waits && ctx.Done() != o.role.Done() {
		both, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(o.role, func() { cancel(context.Cause(o.role)) })()
		ctx = both
	}
	key := ""
	if o.keyed {
		key = o.topic.key(v)
	}
	if err := o.to.Publish(ctx, key, v); err != nil {
		return o.fault(ctx, err)
	}
	o.in.tally.Done.Add(1)
	return nil
}

// WaitSubscribers waits until at least n subscribers have subscribed to something: what is published from then on
// reaches them. On a [ZMQ] topic those are the peers that have; else foreign ones count if they say hello, as TOPIC.md
// has it, and those behind a proxy do. It fails when ctx or the role's context ends.
func (o *Outlet[T]) WaitSubscribers(ctx context.Context, n int) error {
	if err := o.over(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(o.role, func() { cancel(context.Cause(o.role)) })()
	if err := o.to.WaitSubscribers(ctx, n); err != nil {
		return o.fault(ctx, err)
	}
	return nil
}

// Dropped returns how many updates were dropped because a subscriber had no room: once for each subscriber that lost one.
// What was on its way when a connection ended is not counted here, but missed by the subscriber if it comes back.
func (o *Outlet[T]) Dropped() uint64 { return o.to.Dropped() }

// over returns why nothing is published any more, if that is so.
func (o *Outlet[T]) over(ctx context.Context) error {
	if o.role.Err() != nil {
		ctx = o.role
	} else if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("topology: topic %s: %w", o.topic.edge.name, context.Cause(ctx))
}

// fault returns why something failed.
func (o *Outlet[T]) fault(ctx context.Context, err error) error {
	if over := o.over(ctx); over != nil {
		return over
	}
	return fmt.Errorf("topology: topic %s: %w", o.topic.edge.name, err)
}

// close ends the outlet.
func (o *Outlet[T]) close() {
	o.end()
	o.in.tally.Dropped.Add(int64(o.to.Dropped()))
}
