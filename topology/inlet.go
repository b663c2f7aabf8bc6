package topology

import (
	"context"
	"fmt"
	"iter"

	"github.com/troupe-go/troupe/internal/pubsub"
)

// Inlet is a subscriber's end of a topic. Its methods may be called from any goroutine.
type Inlet[T any] struct {
	in    *instance
	topic *TopicEdge[T]
	role  context.Context // of the role that it was made for
	from  inbound[T]
	end   func()
}

// inbound is how updates come from the publishers.
type inbound[T any] interface {
	Subscribe(ctx context.Context, exact bool, keys ...string) error
	Unsubscribe(exact bool, keys ...string) error
	Recv(ctx context.Context) (T, error)
	Missed(keys ...string) uint64
	Close(ctx context.Context) error
}

// openInlet opens an instance's end.
func openInlet[T any](in *instance, topic *TopicEdge[T]) (*Inlet[T], error) {
	i := &Inlet[T]{in: in, topic: topic, role: context.Background()}
	at := in.carrier(topic.edge)
	if at.local {
		m := topic.hub(in).Join()
		i.from, i.end = m, func() { m.Close(context.Background()) }
		return i, nil
	}
	var socket joint
	if topic.edge.zmq {
		s, err := pubsub.NewPlainSubscriber(topic.config(in), topic.form())
		if err != nil {
			return nil, err
		}
		i.from, socket = s, s
	} else {
		s, err := pubsub.NewSubscriber(topic.config(in), topic.form().Decode)
		if err != nil {
			return nil, err
		}
		i.from, socket = s, s
	}
	var err error
	i.end, err = in.join(at, socket)
	return i, err
}

// begin lets the inlet end with the role, whose context is ctx, until stop.
func (i *Inlet[T]) begin(ctx context.Context) (stop func() bool) {
	i.role = ctx
	return context.AfterFunc(ctx, i.end)
}

// Subscribe subscribes to the updates of the keys, to no others: "tx" is not "tx_trytes". It returns when every publisher
// that is connected knows; what is published from then on is received, unless there is no room for it. A publisher that
// connects later gets to know first of all.
//
// A key that is subscribed to several times is to be unsubscribed from as often. With a [LastValueCache] the last values of
// the keys come first. If ctx ends before all publishers have answered, the error wraps its cause, and the keys are
// subscribed to all the same.
//
// On a [ZMQ] topic what is subscribed to are updates whose encoded form starts with a key; those that have another one are
// then left out here. It fails if the topic has no key function.
func (i *Inlet[T]) Subscribe(ctx context.Context, keys ...string) error {
	return i.fault(i.from.Subscribe(ctx, true, keys...))
}

// SubscribePrefix subscribes to the updates whose keys start with one of the prefixes, as Subscribe does; all start with
// "". On a [ZMQ] topic it is the encoded form that starts with one of them.
func (i *Inlet[T]) SubscribePrefix(ctx context.Context, prefixes ...string) error {
	return i.fault(i.from.Subscribe(ctx, false, prefixes...))
}

// Unsubscribe takes back one Subscribe of each of the keys; those that are not subscribed to are ignored. When it returns,
// nothing more is received that is not subscribed to.
func (i *Inlet[T]) Unsubscribe(keys ...string) error {
	return i.fault(i.from.Unsubscribe(true, keys...))
}

// UnsubscribePrefix takes back one SubscribePrefix of each of the prefixes, as Unsubscribe does.
func (i *Inlet[T]) UnsubscribePrefix(prefixes ...string) error {
	return i.fault(i.from.Unsubscribe(false, prefixes...))
}

// All returns the updates that come, for a range loop. It ends when ctx or the role's context does.
func (i *Inlet[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := i.Next(ctx)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Next returns the next update: what All does, for who wants to wait for one alone, or for a time. The error wraps that of
// ctx, or of the role's context.
func (i *Inlet[T]) Next(ctx context.Context) (T, error) {
	v, err := i.from.Recv(ctx)
	if err != nil {
		return v, i.fault(err)
	}
	i.in.tally.Done.Add(1)
	return v, nil
}

// Missed returns how many updates that were subscribed to are known not to have been received: of the keys, or, without
// keys, in all. Publishers number the updates of each key, and so it is known when a later one arrives, or else, within a
// second or so, when they say how many there were. It is exact for what one publisher had no room for, and what was lost
// with a connection is in it as soon as more arrives; of a publisher that is gone for good nothing more is known.
//
// On a [ZMQ] topic over sockets updates have no numbers, and only messages that are no updates are counted.
func (i *Inlet[T]) Missed(keys ...string) uint64 { return i.from.Missed(keys...) }

// fault returns why something failed.
func (i *Inlet[T]) fault(err error) error {
	switch {
	case err == nil:
		return nil
	case i.role.Err() != nil:
		err = context.Cause(i.role)
	}
	return fmt.Errorf("topology: topic %s: %w", i.topic.edge.name, err)
}

// close ends the inlet.
func (i *Inlet[T]) close() {
	i.end()
	i.in.tally.Dropped.Add(int64(i.from.Missed()))
}
