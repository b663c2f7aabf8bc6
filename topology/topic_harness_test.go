package topology_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

type (
	outlet = topology.Outlet[string]
	inlet  = topology.Inlet[string]
)

// word is the key of an update: its first word.
func word(update string) string {
	w, _, _ := strings.Cut(update, " ")
	return w
}

// overTopics runs test with topics of each form, over each carrier. The topic is named echo, as in places.
func overTopics(t *testing.T, test func(t *testing.T, o topology.Options, opts ...topology.EdgeOption)) {
	for form, opts := range map[string][]topology.EdgeOption{"own": nil, "plain": {topology.ZMQ(codec.Raw)}} {
		t.Run(form, func(t *testing.T) {
			for name, o := range places(t) {
				t.Run(name, func(t *testing.T) { test(t, o, opts...) })
			}
		})
	}
}

// runTopic runs a publisher and a subscriber, and fails the test if that fails.
func runTopic(t *testing.T, o topology.Options, publish func(context.Context, *outlet) error,
	subscribe func(context.Context, *inlet) error, opts ...topology.EdgeOption) {
	t.Helper()
	top := topology.New("news")
	edge := topology.Topic(top, "echo", "tcp://127.0.0.1:5556", word, opts...)
	topology.Publisher(top, "publisher", edge, publish)
	topology.Subscriber(top, "subscriber", edge, subscribe)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := top.Run(ctx, o); err != nil {
		t.Error(err)
	}
}

// runReady is runTopic with a publisher that begins once subscribe says that it is ready. (In plain ZeroMQ a subscriber of
// several topics counts from the first that has come.)
func runReady(t *testing.T, o topology.Options, publish func(context.Context, *outlet) error,
	subscribe func(ctx context.Context, in *inlet, ready func() error) error, opts ...topology.EdgeOption) {
	t.Helper()
	const sync = "!" // comes after the other topics on a new connection
	heard := make(chan struct{})
	runTopic(t, o, func(ctx context.Context, out *outlet) error {
		for {
			select {
			case <-heard:
				return publish(ctx, out)
			case <-time.After(time.Millisecond):
			}
			if err := out.Publish(ctx, sync); err != nil {
				return err
			}
		}
	}, func(ctx context.Context, in *inlet) error {
		return subscribe(ctx, in, func() error {
			defer close(heard)
			err := in.Subscribe(ctx, sync)
			next(ctx, in, 1)
			return errors.Join(err, in.Unsubscribe(sync))
		})
	}, opts...)
}

// publishAll publishes updates once a subscriber is there.
func publishAll(updates ...string) func(context.Context, *outlet) error {
	return func(ctx context.Context, out *outlet) error {
		if err := out.WaitSubscribers(ctx, 1); err != nil {
			return err
		}
		for _, u := range updates {
			if err := out.Publish(ctx, u); err != nil {
				return err
			}
		}
		return nil
	}
}

// next returns the next n updates.
func next(ctx context.Context, in *inlet, n int) (updates []string) {
	for u := range in.All(ctx) {
		if updates = append(updates, u); len(updates) == n {
			break
		}
	}
	return updates
}
