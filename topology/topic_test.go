package topology_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
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

// C63
func TestSubscribeIsExactUnlessAPrefixIsAskedFor(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		runTopic(t, o, publishAll("tx_trytes 1", "t 2", "tx 3", "tx_4", "txt 5", "block 6", "tx 7", "end"),
			func(ctx context.Context, in *inlet) error {
				if err := in.Subscribe(ctx, "tx", "end"); err != nil {
					return err
				}
				if got := next(ctx, in, 3); !slices.Equal(got, []string{"tx 3", "tx 7", "end"}) {
					t.Error(got)
				}
				return nil
			}, opts...)
		runTopic(t, o, publishAll("tx_trytes 1", "t 2", "tx 3", "tx_4", "end"),
			func(ctx context.Context, in *inlet) error {
				if err := in.SubscribePrefix(ctx, "tx", "en"); err != nil {
					return err
				}
				if got := next(ctx, in, 4); !slices.Equal(got, []string{"tx_trytes 1", "tx 3", "tx_4", "end"}) {
					t.Error(got)
				}
				return nil
			}, opts...)
	})
}

// C59
func TestNothingIsLostOnceSubscribeHasReturned(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		var subscribed atomic.Bool
		runTopic(t, o, func(ctx context.Context, out *outlet) error {
			for n := 0; ; n++ {
				if subscribed.Load() { // from here on
					for i := range 100 {
						if err := out.Publish(ctx, fmt.Sprint("a ", i)); err != nil {
							return err
						}
					}
					return nil
				}
				if err := out.Publish(ctx, "b"); err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
			}
		}, func(ctx context.Context, in *inlet) error {
			if err := in.Subscribe(ctx, "b"); err != nil { // once it comes there is a connection
				return err
			}
			next(ctx, in, 1)
			if err := in.Unsubscribe("b"); err != nil {
				return err
			}
			if err := in.Subscribe(ctx, "a"); err != nil {
				return err
			}
			subscribed.Store(true)
			for i, u := range next(ctx, in, 100) {
				if want := fmt.Sprint("a ", i); u != want {
					return fmt.Errorf("%q, not %q", u, want)
				}
			}
			return nil
		}, opts...)
	})
}

func TestSubscriptionsAreCountedAndCanBeTakenBack(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		step := make(chan string)
		runTopic(t, o, func(ctx context.Context, out *outlet) error {
			if err := out.WaitSubscribers(ctx, 1); err != nil {
				return err
			}
			for u := range step {
				if err := out.Publish(ctx, u); err != nil {
					return err
				}
			}
			return nil
		}, func(ctx context.Context, in *inlet) error {
			defer close(step)
			if err := errors.Join(in.Subscribe(ctx, "a", "end"), in.Subscribe(ctx, "a"), in.SubscribePrefix(ctx, "p")); err != nil {
				return err
			}
			check := func(want ...string) {
				t.Helper()
				for _, u := range []string{"a 1", "pa 2", "end 3"} {
					step <- u
				}
				if got := next(ctx, in, len(want)); !slices.Equal(got, want) {
					t.Error(got, want)
				}
			}
			check("a 1", "pa 2", "end 3")
			in.Unsubscribe("a", "never")
			check("a 1", "pa 2", "end 3")
			in.Unsubscribe("a")
			in.UnsubscribePrefix("a")
			check("pa 2", "end 3")
			in.UnsubscribePrefix("p")
			check("end 3")
			return nil
		}, opts...)
	})
}
