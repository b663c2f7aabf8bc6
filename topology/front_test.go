package topology_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/topology"
)

// twoServices declares doubles and halves, which share a front.
func twoServices(work func(context.Context, *topology.Caller[int, int]) error) *topology.Topology {
	t := topology.New("numbers")
	doubles := topology.Service[int, int](t, "doubles", "tcp://127.0.0.1:5555")
	halves := topology.Service[int, int](t, "halves", "tcp://127.0.0.1:5555", topology.FrontOf(doubles))
	topology.Server(t, "doubler", doubles, func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	topology.Server(t, "halver", halves, func(_ context.Context, n int) (int, error) { return n / 2, nil })
	topology.Client(t, "client", doubles, func(ctx context.Context, c *topology.Caller[int, int]) error {
		n, err := c.Call(ctx, 21)
		if err != nil || n != 42 {
			return errors.Join(err, errors.New("no double"))
		}
		if n, err = halves.Call(ctx, n); err != nil || n != 21 {
			return errors.Join(err, errors.New("no half"))
		}
		return work(ctx, c)
	}, topology.Uses(halves))
	return t
}

func TestServicesMayShareAFront(t *testing.T) {
	nothing := func(context.Context, *topology.Caller[int, int]) error { return nil }
	for name, o := range places(t) {
		if at, ok := o.At["echo"]; ok {
			o.At = map[string]string{"doubles": at}
		}
		t.Run(name, func(t *testing.T) {
			if err := twoServices(nothing).Run(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		o := topology.Options{Network: memnet.New(), Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 3)
		for _, role := range []string{"doubles", "doubler", "halver"} {
			apart := o
			apart.Run = []string{role}
			go func() { ended <- twoServices(nothing).Run(ctx, apart) }()
		}
		o.Run = []string{"client"}
		if err := twoServices(nothing).Run(t.Context(), o); err != nil {
			t.Error(err)
		}
		cancel()
		for range 3 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestAFrontIsSharedOnlyIfThatCanBe(t *testing.T) {
	err := twoServices(nil).Run(t.Context(), topology.Options{At: map[string]string{"halves": "inproc://elsewhere"}})
	if !errors.Is(err, topology.ErrOptions) || !strings.Contains(err.Error(), "edge halves moves with doubles") {
		t.Errorf("got %v", err)
	}
	for says, declare := range map[string]func(t *topology.Topology){
		"it can't share the front of plain": func(t *topology.Topology) {
			plain := topology.Service[string, string](t, "plain", "inproc://x", topology.ZMQ(codec.Raw))
			topology.Service[string, string](t, "other", "inproc://x", topology.FrontOf(plain))
		},
		"its endpoint is inproc://x": func(t *topology.Topology) {
			own := topology.Service[string, string](t, "own", "inproc://x")
			topology.Service[string, string](t, "other", "inproc://y", topology.FrontOf(own))
		},
		"FrontOf got a nil edge": func(t *topology.Topology) {
			topology.Service[string, string](t, "other", "inproc://y", topology.FrontOf((*topology.ServiceEdge[int, int])(nil)))
		},
	} {
		top := topology.New("t")
		declare(top)
		if err := top.Run(t.Context(), topology.Options{}); !errors.Is(err, topology.ErrDeclared) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
