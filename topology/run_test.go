package topology_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/topology"
)

type caller = topology.Caller[string, string]

// echo is a topology whose server answers "re: " and the request, and whose client is work.
func echo(work func(context.Context, *caller) error, opts ...topology.RoleOption) *topology.Topology {
	return service(func(_ context.Context, s string) (string, error) { return "re: " + s, nil }, work, opts...)
}

func service(handle func(context.Context, string) (string, error), work func(context.Context, *caller) error,
	opts ...topology.RoleOption) *topology.Topology {
	t := topology.New("echo")
	edge := topology.Service[string, string](t, "echo", "tcp://127.0.0.1:5555", topology.ZMQ(codec.Raw))
	topology.Server(t, "server", edge, handle)
	topology.Client(t, "client", edge, work, opts...)
	return t
}

func calls(n int) func(context.Context, *caller) error {
	return func(ctx context.Context, c *caller) error {
		for i := range n {
			q := fmt.Sprint("request ", i)
			if r, err := c.Call(ctx, q); err != nil || r != "re: "+q {
				return fmt.Errorf("%q, %w", r, err)
			}
		}
		return nil
	}
}

// places are the ways in which an edge can be inside one process.
func places(t testing.TB) map[string]topology.Options {
	log := slog.New(slog.DiscardHandler)
	at := func(endpoint string) topology.Options {
		return topology.Options{At: map[string]string{"echo": endpoint}, Log: log}
	}
	mem := at("tcp://server:5555")
	mem.Network = memnet.New()
	return map[string]topology.Options{
		"value":  {Log: log},
		"inproc": at("inproc://" + t.Name()),
		"ipc":    at("ipc://" + filepath.Join(t.TempDir(), "s")),
		"tcp":    at("tcp://" + freeAddress(t)),
		"memnet": mem,
	}
}

// freeAddress returns an address that nobody listens on. Its port is none of those that the system gives to connections,
// or one of these could take it before the test does.
func freeAddress(t testing.TB) string {
	for range 1000 {
		address := fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

func TestRunEndsWhenTheClientsAreDone(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			if err := echo(calls(100), topology.Instances(4)).Run(t.Context(), o); err != nil {
				t.Error(err)
			}
			if err := echo(calls(1)).Run(t.Context(), o); err != nil {
				t.Error("the second time:", err)
			}
		})
	}
}

func TestRunReturnsTheFirstErrorOfAClient(t *testing.T) {
	broken := errors.New("broken")
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			err := echo(func(ctx context.Context, c *caller) error {
				if _, err := c.Call(ctx, "x"); err != nil {
					return err
				}
				if n.Add(1) == 2 {
					return broken
				}
				<-ctx.Done()
				return errors.New("late")
			}, topology.Instances(3)).Run(t.Context(), o)
			if !errors.Is(err, broken) || !strings.Contains(err.Error(), "role client") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRunIsInterruptedByItsContextWhileClientsWork(t *testing.T) {
	cause := errors.New("enough")
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			handling := func(ctx context.Context, _ string) (string, error) {
				cancel(cause)
				<-ctx.Done()
				return "", ctx.Err()
			}
			began := time.Now()
			err := service(handling, calls(1)).Run(ctx, o)
			if !errors.Is(err, cause) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestServersAloneRunUntilTheirContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		o := topology.Options{Network: network, Log: slog.New(slog.DiscardHandler)}
		server, client := o, o
		server.Run, client.Run = []string{"server"}, []string{"client"}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- echo(calls(1)).Run(ctx, server) }()
		if err := echo(calls(10)).Run(t.Context(), client); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatal("the server ended with its client:", err)
		default:
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func idle(context.Context, *caller) error { return nil }

func TestAStoppedServerAnswersWhatItHasInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := topology.Options{Network: memnet.New(), Log: slog.New(slog.DiscardHandler)}
		server, client := o, o
		server.Run, client.Run = []string{"server"}, []string{"client"}
		ctx, cancel := context.WithCancel(t.Context())
		executed := 0
		got := make(chan error)
		go func() { got <- echo(calls(1)).Run(t.Context(), client) }()
		err := service(func(ctx context.Context, q string) (string, error) {
			executed++
			cancel()
			select {
			case <-time.After(200 * time.Millisecond):
				return "re: " + q, nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}, idle).Run(ctx, server)
		if err := errors.Join(err, <-got); err != nil || executed != 1 {
			t.Errorf("executed %d times, %v", executed, err)
		}
	})
}

func TestAFailedRequestIsTheCallersErrorInOneProcess(t *testing.T) {
	err := service(func(_ context.Context, q string) (string, error) {
		switch q {
		case "error":
			return "", io.ErrUnexpectedEOF
		case "panic":
			panic("oh")
		}
		return q, nil
	}, func(ctx context.Context, c *caller) error {
		if _, err := c.Call(ctx, "error"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error: %v", err)
		}
		if _, err := c.Call(ctx, "panic"); err == nil {
			t.Error("panic: no error")
		}
		if r, err := c.Call(ctx, "fine"); r != "fine" || err != nil {
			t.Errorf("fine: %q, %v", r, err)
		}
		return nil
	}).Run(t.Context(), topology.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Error(err)
	}
}

func TestAFailedRequestHasNoReplyOverASocketAndTheServerGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := service(func(_ context.Context, q string) (string, error) {
			switch q {
			case "error":
				return "", io.ErrUnexpectedEOF
			case "panic":
				panic("oh")
			}
			return q, nil
		}, func(ctx context.Context, c *caller) error {
			for _, q := range []string{"error", "panic"} {
				short, cancel := context.WithTimeout(ctx, time.Minute)
				if r, err := c.Call(short, q); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %q, %v", q, r, err)
				}
				cancel()
			}
			if r, err := c.Call(ctx, "fine"); r != "fine" || err != nil {
				t.Errorf("fine: %q, %v", r, err)
			}
			return nil
		}).Run(t.Context(), topology.Options{At: map[string]string{"echo": "tcp://server:1"}, Network: memnet.New(),
			Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Error(err)
		}
	})
}

// 10,000 abandoned requests fill the server's mailbox.
func TestAServerThatCantBindEndsTheRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := topology.Options{At: map[string]string{"echo": "tcp://" + l.Addr().String()}, Log: slog.New(slog.DiscardHandler)}
	err = echo(calls(1)).Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "role server") || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func TestMsgpackCarriesAnyTypes(t *testing.T) {
	type point struct{ X, Y int }
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			top := topology.New("points")
			edge := topology.Service[point, *point](top, "echo", "tcp://127.0.0.1:5555", topology.ZMQ(codec.Msgpack))
			topology.Server(top, "server", edge, func(_ context.Context, p point) (*point, error) { return &point{p.Y, p.X}, nil })
			topology.Client(top, "client", edge, func(ctx context.Context, c *topology.Caller[point, *point]) error {
				p, err := c.Call(ctx, point{1, 2})
				if err == nil && *p != (point{2, 1}) {
					err = fmt.Errorf("got %v", p)
				}
				return err
			})
			if err := top.Run(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
}
