package topology_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/topology"
)

// A server that says Binds has its front inside: there is no role of the service's name.
func TestAServerThatBindsNeedsNoFront(t *testing.T) {
	bound := func(n int) *topology.Topology {
		return offer(func(top *topology.Topology, e *edge) {
			topology.Server(top, "server", e, func(_ context.Context, q question) (reply, error) {
				return reply{Text: "re: " + q.Text}, nil
			}, topology.Binds(e))
		}, func(ctx context.Context, c *asker) error {
			for range n {
				if r, err := c.Call(ctx, question{Text: "q"}); err != nil || r.Text != "re: q" {
					t.Errorf("got %v, %v", r, err)
				}
			}
			return nil
		})
	}
	everywhere(t, func(t *testing.T, run func(*topology.Topology) error) {
		if err := run(bound(3)); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		o := topology.Options{Network: memnet.New(), Log: slog.New(slog.DiscardHandler)}
		server, client, front := o, o, o
		server.Run, client.Run, front.Run = []string{"server"}, []string{"client"}, []string{"echo"}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- bound(0).Run(ctx, server) }()
		if err := bound(2).Run(t.Context(), client); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := bound(0).Run(t.Context(), front); !errors.Is(err, topology.ErrOptions) {
			t.Errorf("running a front that isn't there: %v", err)
		}
	})
}

func TestTheFrontServersAndClientsMayRunApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		var mu sync.Mutex
		served := map[string]int{}
		run := func(ctx context.Context, name string, roles ...string) error {
			return offer(func(top *topology.Topology, e *edge) {
				topology.Server(top, "server", e, func(_ context.Context, q question) (reply, error) {
					mu.Lock()
					served[name]++
					mu.Unlock()
					time.Sleep(time.Second)
					return reply{Text: q.Text}, nil
				})
			}, func(ctx context.Context, c *asker) error {
				var all sync.WaitGroup
				for range 9 {
					all.Go(func() {
						if r, err := c.Call(ctx, question{Text: name}); err != nil || r.Text != name {
							t.Errorf("got %v, %v", r, err)
						}
					})
				}
				all.Wait()
				return nil
			}).Run(ctx, topology.Options{Run: roles, Network: network, Log: slog.New(slog.DiscardHandler)})
		}
		begin := func(name string, role string) (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- run(ctx, name, role) }()
			return func() {
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		client := make(chan error)
		go func() { client <- run(t.Context(), "client", "client") }() // before everybody
		time.Sleep(10 * time.Second)
		defer begin("front", "echo")()
		for _, name := range []string{"a", "b", "c"} {
			defer begin(name, "server")()
		}
		begun := time.Now()
		if err := <-client; err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > 6*time.Second {
			t.Errorf("9 calls of a second each by 3 servers took %v", took)
		}
		if !slices.Equal(slices.Sorted(maps.Values(served)), []int{3, 3, 3}) {
			t.Errorf("served %v", served)
		}
	})
}

func TestACallOfADeadServerIsExecutedByAnotherUnlessAtMostOnce(t *testing.T) {
	for _, once := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			network := memnet.New()
			var opts []topology.EdgeOption
			if once {
				opts = append(opts, topology.AtMostOnce())
			}
			begun := make(chan string, 2)
			result := make(chan error, 1)
			run := func(ctx context.Context, name string, roles ...string) error {
				return offer(func(top *topology.Topology, e *edge) {
					topology.Server(top, "server", e, func(ctx context.Context, _ question) (reply, error) {
						begun <- name
						if name == "first" {
							<-ctx.Done() // it is killed
							return reply{}, ctx.Err()
						}
						return reply{Text: name}, nil
					})
				}, func(ctx context.Context, c *asker) error {
					r, err := c.Call(ctx, question{})
					if err == nil && r.Text != "second" {
						err = fmt.Errorf("got %v", r)
					}
					result <- err
					return nil
				}, opts...).Run(ctx, topology.Options{Run: roles, Network: network, Grace: 100 * time.Millisecond,
					Log: slog.New(slog.DiscardHandler)})
			}
			var runs sync.WaitGroup
			defer runs.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			first, kill := context.WithCancel(ctx)
			runs.Go(func() { run(ctx, "front", "echo") })
			runs.Go(func() { run(first, "first", "server") })
			time.Sleep(time.Second)
			runs.Go(func() { run(ctx, "client", "client") })
			if by := <-begun; by != "first" {
				t.Fatalf("begun by %s", by)
			}
			runs.Go(func() { run(ctx, "second", "server") })
			time.Sleep(time.Second)
			kill()
			switch err := <-result; {
			case once && !errors.Is(err, mailbox.ErrPeerLost):
				t.Errorf("got %v", err)
			case !once && err != nil:
				t.Error(err)
			}
		})
	}
}

// Without a broker: each server binds, and clients know where all of them are.
func TestClientsMayCallSeveralServersThatBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		var mu sync.Mutex
		served := map[string]int{}
		run := func(ctx context.Context, role, at string, work func(context.Context, *asker) error) error {
			return offer(func(top *topology.Topology, e *edge) {
				topology.Server(top, "server", e, func(ctx context.Context, q question) (reply, error) {
					mu.Lock()
					served[at]++
					mu.Unlock()
					time.Sleep(time.Second)
					return reply{Text: "re: " + q.Text}, ctx.Err()
				}, topology.Binds(e))
			}, work).Run(ctx, topology.Options{Run: []string{role}, At: map[string]string{"echo": at}, Network: network,
				Log: slog.New(slog.DiscardHandler)})
		}
		begin := func(at string) (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- run(ctx, "server", at, func(context.Context, *asker) error { return nil }) }()
			return func() {
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("%s: %v", at, err)
				}
			}
		}
		take := func() map[string]int {
			mu.Lock()
			defer mu.Unlock()
			was := served
			served = map[string]int{}
			return was
		}
		const one, two = "tcp://one:1", "tcp://two:1"
		defer begin(one)()
		stop := begin(two)
		err := run(t.Context(), "client", one+","+two, func(ctx context.Context, c *asker) error {
			if _, err := c.Call(ctx, question{Text: "the first"}); err != nil { // waits for the servers
				return err
			}
			time.Sleep(5 * time.Second)
			take()
			calls := func() {
				var all sync.WaitGroup
				for i := range 4 {
					all.Go(func() {
						text := fmt.Sprint(i)
						if r, err := c.Call(ctx, question{Text: text}); err != nil || r.Text != "re: "+text {
							t.Errorf("got %v, %v", r, err)
						}
					})
				}
				all.Wait()
			}
			calls()
			if got := take(); got[one] != 2 || got[two] != 2 {
				t.Errorf("served %v", got)
			}
			stop()
			calls()
			if got := take(); got[one] != 4 || len(got) > 1 {
				t.Errorf("with one of two: served %v", got)
			}
			stop = begin(two)
			time.Sleep(5 * time.Second)
			calls()
			if got := take(); got[one] != 2 || got[two] != 2 {
				t.Errorf("with one that is back: served %v", got)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		stop()
	})
}
