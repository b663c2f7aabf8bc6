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

// C63
func TestSubscribeIsExactUnlessAPrefixIsAskedFor(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		for _, c := range []struct {
			exact bool
			keys  []string
			want  []string
		}{
			{true, []string{"tx", "end"}, []string{"tx 3", "tx 7", "end"}},
			{false, []string{"tx", "en"}, []string{"tx_trytes 1", "tx 3", "tx_4", "txt 5", "tx 7", "end"}},
		} {
			runReady(t, o, publishAll("tx_trytes 1", "t 2", "tx 3", "tx_4", "txt 5", "block 6", "tx 7", "end"),
				func(ctx context.Context, in *inlet, ready func() error) error {
					subscribe := in.SubscribePrefix
					if c.exact {
						subscribe = in.Subscribe
					}
					if err := errors.Join(subscribe(ctx, c.keys...), ready()); err != nil {
						return err
					}
					if got := next(ctx, in, len(c.want)); !slices.Equal(got, c.want) {
						t.Error(got)
					}
					return nil
				}, opts...)
		}
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
		runReady(t, o, func(ctx context.Context, out *outlet) error {
			for u := range step {
				if err := out.Publish(ctx, u); err != nil {
					return err
				}
			}
			return nil
		}, func(ctx context.Context, in *inlet, ready func() error) error {
			defer close(step)
			if err := errors.Join(in.Subscribe(ctx, "a", "end"), in.Subscribe(ctx, "a"), in.SubscribePrefix(ctx, "p"), ready()); err != nil {
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

// C64, C65
func TestASubscriberKnowsWhatItMissed(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			const n = 100_000
			sent := make(chan struct{})
			runTopic(t, o, func(ctx context.Context, out *outlet) error {
				if err := out.WaitSubscribers(ctx, 1); err != nil {
					return err
				}
				for i := range n {
					if err := out.Publish(ctx, fmt.Sprint("a ", strings.Repeat(".", 100), i)); err != nil {
						return err
					}
				}
				close(sent)
				return nil
			}, func(ctx context.Context, in *inlet) error {
				if err := in.Subscribe(ctx, "a"); err != nil {
					return err
				}
				<-sent
				got := 0
				for done := 0; got+done < n; done = int(in.Missed("a")) {
					short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
					for range in.All(short) {
						got++
					}
					cancel()
					if ctx.Err() != nil {
						return fmt.Errorf("got %d, missed %d of %d", got, in.Missed(), n)
					}
				}
				if got+int(in.Missed()) != n || got == n || got < 100 {
					return fmt.Errorf("got %d, missed %d of %d", got, in.Missed(), n)
				}
				return nil
			}, topology.HWM(100))
		})
	}
}

// C65
func TestNoDropLosesNothing(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		const n = 20_000
		var all []string
		for i := range n {
			all = append(all, fmt.Sprint("a ", i))
		}
		runTopic(t, o, publishAll(all...), func(ctx context.Context, in *inlet) error {
			if err := in.Subscribe(ctx, "a"); err != nil {
				return err
			}
			if got := next(ctx, in, n); !slices.Equal(got, all) {
				return fmt.Errorf("got %d of %d", len(got), n)
			}
			return nil
		}, append(opts, topology.NoDrop(), topology.HWM(10))...)
	})
}

func TestWhoSubscribesLateGetsTheLastValues(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			published := make(chan struct{})
			runTopic(t, o, func(ctx context.Context, out *outlet) error {
				for _, u := range []string{"a 1", "b 1", "a 2", "c 1"} {
					if err := out.Publish(ctx, u); err != nil {
						return err
					}
				}
				close(published)
				return nil // what it published stays
			}, func(ctx context.Context, in *inlet) error {
				<-published
				if err := errors.Join(in.Subscribe(ctx, "a"), in.SubscribePrefix(ctx, "c")); err != nil {
					return err
				}
				got := next(ctx, in, 2)
				slices.Sort(got)
				if !slices.Equal(got, []string{"a 2", "c 1"}) {
					t.Error(got)
				}
				return nil
			}, topology.LastValueCache(2))
		})
	}
}

func TestARoleThatUsesATopicPublishesOnIt(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		top := topology.New("news")
		edge := topology.Topic(top, "echo", "tcp://127.0.0.1:5556", word, opts...)
		numbers := topology.Topic(top, "numbers", "tcp://127.0.0.1:5557", func(int) string { return "" })
		topology.Publisher(top, "publisher", numbers, func(ctx context.Context, out *topology.Outlet[int]) error {
			if err := edge.Publish(context.Background(), "a 0"); !errors.Is(err, topology.ErrDeclared) {
				t.Error(err)
			}
			for i := 0; ; i++ {
				if err := errors.Join(out.Publish(ctx, i), edge.Publish(ctx, fmt.Sprint("a ", i))); err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
			}
		}, topology.Uses(edge))
		topology.Subscriber(top, "others", numbers, func(ctx context.Context, in *topology.Inlet[int]) error {
			err := in.Subscribe(ctx, "")
			_, err2 := in.Next(ctx)
			return errors.Join(err, err2)
		})
		topology.Subscriber(top, "subscriber", edge, func(ctx context.Context, in *inlet) error {
			err := in.Subscribe(ctx, "a")
			_, err2 := in.Next(ctx)
			return errors.Join(err, err2)
		}, topology.Binds(edge))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := top.Run(ctx, o); err != nil {
			t.Error(err)
		}
	})
}

func TestThatATopicIsWrongIsFoundBeforeItRuns(t *testing.T) {
	top := topology.New("news")
	topology.Topic(top, "cached", "tcp://127.0.0.1:1", word, topology.ZMQ(codec.Raw), topology.LastValueCache(10))
	topology.Topic(top, "none", "tcp://127.0.0.1:2", word, topology.LastValueCache(0), topology.HWM(0))
	topology.Topic[func()](top, "functions", "tcp://127.0.0.1:3", nil)
	topology.Service[string, string](top, "service", "tcp://127.0.0.1:4", topology.ZMQ(codec.Raw), topology.NoDrop())
	topology.Publisher[string](top, "nil", nil, nil)
	err := top.Run(t.Context(), topology.Options{})
	for _, text := range []string{
		"topic cached: plain ZeroMQ has no form for a last value cache", "topic none: a LastValueCache of 0 keys",
		"topic none: a HWM of 0 updates", "topic functions: func() can't be sent", "service service: the option NoDrop is for a topic",
		"role nil: topology.Publisher got a nil edge", "role nil: topology.Publisher got a nil function",
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("nothing of %q in %v", text, err)
		}
	}
}

func TestAPublishThatFailsSaysWhy(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		key := word
		if len(opts) > 0 {
			key = func(u string) string { return "not " + u }
		} else {
			key = func(u string) string { return u + "\x00" }
		}
		top := topology.New("news")
		edge := topology.Topic(top, "echo", "tcp://127.0.0.1:5556", key, opts...)
		failed := make(chan error, 1)
		topology.Publisher(top, "publisher", edge, func(ctx context.Context, out *outlet) error {
			err := out.WaitSubscribers(ctx, 1)
			failed <- errors.Join(err, out.Publish(ctx, "a"))
			<-ctx.Done()
			if err := out.Publish(context.Background(), "b"); !errors.Is(err, context.Canceled) {
				t.Error("after the end of the role:", err)
			}
			return nil
		})
		topology.Subscriber(top, "subscriber", edge, func(ctx context.Context, in *inlet) error {
			if err := in.SubscribePrefix(ctx, ""); err != nil {
				return err
			}
			if err := <-failed; err == nil || !strings.Contains(err.Error(), "topology: topic echo: pubsub: bad key") {
				t.Error(err)
			}
			ended, cancel := context.WithCancel(ctx)
			cancel()
			if _, err := in.Next(ended); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			return nil
		})
		if err := top.Run(t.Context(), o); err != nil {
			t.Error(err)
		}
	})
}

func TestASubscriberThatIsToldToEndDoes(t *testing.T) {
	overTopics(t, func(t *testing.T, o topology.Options, opts ...topology.EdgeOption) {
		top := topology.New("news")
		edge := topology.Topic(top, "echo", "tcp://127.0.0.1:5556", word, append(opts, topology.NoDrop(), topology.HWM(1))...)
		ctx, cancel := context.WithCancel(t.Context())
		topology.Publisher(top, "publisher", edge, func(_ context.Context, out *outlet) error {
			for { // its own context ends with the role
				if err := out.Publish(context.Background(), "a "+strings.Repeat(".", 1000)); err != nil {
					return err
				}
			}
		})
		topology.Subscriber(top, "subscriber", edge, func(ctx context.Context, in *inlet) error {
			if err := in.Subscribe(ctx, "a"); err != nil {
				return err
			}
			if _, err := in.Next(ctx); err != nil {
				return err
			}
			time.AfterFunc(50*time.Millisecond, cancel) // when the publisher waits
			<-ctx.Done()
			for range in.All(context.Background()) {
			}
			_, err := in.Next(context.Background())
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			return err
		})
		begun := time.Now()
		if err := top.Run(ctx, o); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if d := time.Since(begun); d > 3*time.Second {
			t.Error("it took", d)
		}
	})
}
