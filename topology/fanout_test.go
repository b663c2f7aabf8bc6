package topology_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

func TestAFanoutIsBetweenManyPublishersAndManySubscribers(t *testing.T) {
	for form, opts := range map[string][]topology.EdgeOption{
		"own": {topology.LastValueCache(10), topology.NoDrop()}, "plain": {topology.ZMQ(codec.Raw)},
	} {
		for _, place := range []string{"value", "tcp"} {
			t.Run(form+"/"+place, func(t *testing.T) {
				top := topology.New("news")
				in := topology.Topic(top, "in", "tcp://127.0.0.1:5556", word, opts...)
				out := topology.Topic(top, "out", "tcp://127.0.0.1:5557", word, opts...)
				const publishers, subscribers, each = 3, 4, 50
				topology.Publisher(top, "publisher", in, func(ctx context.Context, out *outlet) error {
					if form == "plain" { // then nobody knows who is behind the fanout
						for i := 0; ; i++ {
							if err := publishEach(ctx, out, i%each); err != nil {
								return err
							}
						}
					}
					if err := out.WaitSubscribers(ctx, subscribers); err != nil {
						return err
					}
					for i := range each {
						if err := publishEach(ctx, out, i); err != nil {
							return err
						}
					}
					return nil
				}, topology.Instances(publishers))
				topology.Fanout(top, "fanout", in, out, topology.Binds(in))
				topology.Subscriber(top, "subscriber", out, func(ctx context.Context, in *inlet) error {
					if err := in.Subscribe(ctx, "a", "b"); err != nil {
						return err
					}
					got := next(ctx, in, 2*publishers*each)
					slices.Sort(got)
					if i, found := slices.BinarySearch(got, "ab"); found || i < len(got) && strings.HasPrefix(got[i], "ab") {
						return fmt.Errorf("got %q", got[i])
					}
					if distinct := len(slices.Compact(got)); form == "own" && (distinct != 2*each || in.Missed() > 0) {
						return fmt.Errorf("%d distinct updates, missed %d", distinct, in.Missed())
					}
					return nil
				}, topology.Instances(subscribers))
				o := topology.Options{Log: slog.New(slog.DiscardHandler)}
				if place == "tcp" {
					o.At = map[string]string{"in": "tcp://" + freeAddress(t), "out": "tcp://" + freeAddress(t)}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				if err := top.Run(ctx, o); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func publishEach(ctx context.Context, out *outlet, i int) error {
	for _, key := range []string{"a", "ab", "b"} {
		if err := out.Publish(ctx, fmt.Sprint(key, " ", i)); err != nil {
			return err
		}
	}
	return nil
}

func TestAFanoutNeedsTopicsThatFit(t *testing.T) {
	top := topology.New("news")
	own := topology.Topic(top, "own", "tcp://127.0.0.1:5556", word)
	plain := topology.Topic(top, "plain", "tcp://127.0.0.1:5557", word, topology.ZMQ(codec.Raw))
	topology.Fanout(top, "fanout", own, plain)
	topology.Fanout(top, "circle", own, own)
	err := top.Run(t.Context(), topology.Options{})
	for _, text := range []string{"role fanout: the topics own and plain of a Fanout need the same ZMQ option", "role circle: the topics own and own"} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Error(err)
		}
	}
}

func TestATopicBehindAFanoutHasNoPublisher(t *testing.T) {
	top := topology.New("news")
	in := topology.Topic(top, "in", "tcp://127.0.0.1:5556", word)
	out := topology.Topic(top, "out", "tcp://127.0.0.1:5557", word)
	topology.Publisher(top, "publisher", in, publishAll())
	topology.Fanout(top, "fanout", in, out, topology.Binds(out))
	topology.Publisher(top, "other", out, publishAll())
	topology.Subscriber(top, "subscriber", out, func(context.Context, *inlet) error { return nil })
	err := top.Run(t.Context(), topology.Options{Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "role other: topic out gets its updates from a Fanout; publish on in") {
		t.Error(err)
	}
}

func TestAFanoutCannotBeHalfInThisProcess(t *testing.T) {
	top := topology.New("news")
	in := topology.Topic(top, "in", "tcp://127.0.0.1:5556", word)
	out := topology.Topic(top, "out", "tcp://127.0.0.1:5557", word)
	topology.Publisher(top, "publisher", in, publishAll())
	topology.Fanout(top, "fanout", in, out)
	topology.Subscriber(top, "subscriber", out, func(context.Context, *inlet) error { return nil })
	err := top.Run(t.Context(), topology.Options{At: map[string]string{"out": "inproc://" + t.Name()}, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "one of the topics in and out is in this process alone") {
		t.Error(err)
	}
}
