package topology_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/topology"
)

func TestACallOutlivesItsServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := topology.Options{Network: memnet.New(), Log: slog.New(slog.DiscardHandler)}
		server, client := o, o
		server.Run, client.Run = []string{"server"}, []string{"client"}

		got := make(chan error)
		go func() { got <- echo(calls(3)).Run(t.Context(), client) }()
		for restart := range 3 { // the client was there first
			time.Sleep(3 * time.Second)
			first := true
			ctx, cancel := context.WithCancel(t.Context())
			err := service(func(ctx context.Context, q string) (string, error) {
				if restart < 2 && !first { // one reply each, then ends with a request in hand
					cancel()
					<-ctx.Done()
					return "", ctx.Err()
				}
				first = false
				if q == "request 2" {
					time.AfterFunc(time.Minute, cancel)
				}
				return "re: " + q, nil
			}, idle).Run(ctx, server)
			cancel()
			if err != nil {
				t.Error(err)
			}
		}
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}

func TestAtMostOnceIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		top := topology.New("echo")
		edge := topology.Service[string, string](top, "echo", "tcp://server:1", topology.ZMQ(codec.Raw), topology.AtMostOnce())
		network := memnet.New()
		executed := 0
		topology.Server(top, "server", edge, func(context.Context, string) (string, error) {
			if executed++; executed == 1 {
				network.Cut("server:1")
			}
			return "done", nil
		})
		topology.Client(top, "client", edge, func(ctx context.Context, c *caller) error {
			_, err := c.Call(ctx, "pay")
			if !errors.Is(err, mailbox.ErrPeerLost) {
				t.Errorf("got %v", err)
			}
			if r, err := c.Call(ctx, "pay more"); r != "done" || err != nil {
				t.Errorf("the next call: %q, %v", r, err)
			}
			return nil
		})
		err := top.Run(t.Context(), topology.Options{
			At: map[string]string{"echo": "tcp://server:1"}, Network: network, Log: slog.New(slog.DiscardHandler)})
		if err != nil || executed != 2 {
			t.Errorf("executed %d times, %v", executed, err)
		}
	})
}

func TestTheReplyOfAnAbandonedCallAnswersNoLaterOne(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			err := service(func(_ context.Context, q string) (string, error) {
				if q == "slow" {
					<-release
				}
				return q, nil
			}, func(ctx context.Context, c *caller) error {
				short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				if r, err := c.Call(short, "slow"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("slow: %q, %v", r, err)
				}
				close(release)
				for range 10 {
					if r, err := c.Call(ctx, "fast"); r != "fast" || err != nil {
						t.Errorf("fast: %q, %v", r, err)
					}
				}
				return nil
			}).Run(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACallEndsWithItsRoleWhateverContextItHas(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			err := service(func(ctx context.Context, _ string) (string, error) {
				cancel()
				<-ctx.Done()
				return "", ctx.Err()
			}, func(_ context.Context, c *caller) error {
				_, err := c.Call(context.Background(), "x")
				if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
				return err
			}).Run(ctx, o)
			if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "still running") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOneCallerMayBeUsedByManyGoroutines(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			err := echo(func(ctx context.Context, c *caller) error {
				errs := make(chan error)
				for i := range 8 {
					go func() {
						q := fmt.Sprint("goroutine ", i)
						r, err := c.Call(ctx, q)
						if err == nil && r != "re: "+q {
							err = fmt.Errorf("%q got %q", q, r)
						}
						errs <- err
					}()
				}
				var all error
				for range 8 {
					all = errors.Join(all, <-errs)
				}
				return all
			}).Run(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACallerIsOfNoUseAfterItsClient(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			var kept *caller
			err := echo(func(ctx context.Context, c *caller) error {
				kept = c
				return calls(1)(ctx, c)
			}).Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kept.Call(context.Background(), "x"); err == nil {
				t.Error("it still calls")
			}
		})
	}
}

func TestACallThatAClientLeavesBehindEndsWithIt(t *testing.T) {
	for name, o := range places(t) {
		t.Run(name, func(t *testing.T) {
			received, left := make(chan struct{}), make(chan error, 1)
			err := service(func(ctx context.Context, _ string) (string, error) {
				close(received)
				<-ctx.Done()
				return "", ctx.Err()
			}, func(_ context.Context, c *caller) error {
				go func() {
					_, err := c.Call(context.Background(), "x")
					left <- err
				}()
				<-received
				return nil
			}).Run(t.Context(), o)
			if err != nil {
				t.Error(err)
			}
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Errorf("the call returned %v", err)
			}
		})
	}
}

func TestACallWaitsForABusyServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := make(chan struct{})
		err := service(func(_ context.Context, q string) (string, error) {
			<-busy
			return "re: " + q, nil
		}, func(ctx context.Context, c *caller) error {
			for range 10_001 {
				short, cancel := context.WithTimeout(ctx, time.Millisecond)
				c.Call(short, "x")
				cancel()
			}
			time.AfterFunc(time.Minute, func() { close(busy) })
			return calls(1)(ctx, c)
		}).Run(t.Context(), topology.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Error(err)
		}
	})
}
