package node

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
)

// What can be seen of a node at work, and what stays of that.

// C83: what a node tells an actor of another that has stopped is counted there, one by one, and logged in a few lines.
func TestManyDeadLettersOverALinkAreFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network,
			Log: slog.New(slog.NewTextHandler(d, nil))}) // without what is for debugging
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		gone := greeter(t, beta)
		wantReply(t, alpha, gone, "x", "hi x from beta")
		if err := actor.Stop(t.Context(), beta, gone.PID()); err != nil {
			t.Fatal(err)
		}
		never := make(chan struct{})
		for _, f := range []func(actor.DeadLetter){
			func(actor.DeadLetter) { <-never },
			func(actor.DeadLetter) { panic("no more of these") },
		} {
			if _, err := actor.Subscribe(beta, f); err != nil {
				t.Fatal(err)
			}
		}
		const many = 20_000
		for range many {
			if err := gone.Tell(alpha, "x"); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		close(never)
		synctest.Wait()
		if n := beta.DeadLetters()[actor.NoActor]; n != many {
			t.Errorf("%d dead letters, want %d", n, many)
		}
		time.Sleep(time.Minute)
		if n := d.Lines("dead letter"); n < 2 || n > 20 {
			t.Errorf("%d lines about them", n)
		}
	})
}

// traced is a message that carries what its sender is doing.
type traced struct{ Text, Trace string }

// C84: what Sending writes into a message at one node, Middleware reads at the other, whether it is told or asked.
func TestTraceGoesOverALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		seen := make(chan string, 10)
		around := func(next actor.Handler) actor.Handler {
			return func(c *actor.Context, m any) error {
				if m, ok := m.(traced); ok {
					seen <- m.Trace
				}
				return next(c, m)
			}
		}
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, Middleware: []actor.Middleware{around}})
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network,
			Sending: func(_ actor.Scope, to actor.PID, m any) (any, error) {
				if m, ok := m.(traced); ok {
					m.Trace = "to " + to.String()
					return m, nil
				}
				return m, nil
			}})
		_, err := actor.Spawn(beta, "stage", func(c *actor.Context, m traced) error {
			if m.Text == "ask" {
				return c.Reply(m.Text)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ref := actor.RefTo[traced](actor.Named("stage@beta"))
		if err := ref.Tell(alpha, traced{Text: "tell"}); err != nil {
			t.Fatal(err)
		}
		if s, err := actor.As[string](ref.Ask(t.Context(), alpha, traced{Text: "ask"})); s != "ask" || err != nil {
			t.Fatalf("%q, %v", s, err)
		}
		for range 2 {
			wantNext(t, seen, "to stage@beta")
		}
	})
}

// C84: looking at nodes under load is free of races, and says in the end that nothing is left.
func TestNodesAreWatchedUnderLoad(t *testing.T) {
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}})
	alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": beta.Endpoints()[0].String()}})
	sink := greeter(t, beta)
	quit := make(chan struct{})
	var looking, sending sync.WaitGroup
	looking.Go(func() {
		for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
			select {
			case <-quit:
				tick.Stop()
				return
			default:
			}
			for _, n := range []*Node{alpha, beta} {
				for range actor.Tree(n) {
				}
				n.Peers()
				n.Nodes()
				n.DeadLetters()
			}
		}
	})
	const senders, each = 4, 2000
	for range senders {
		sending.Go(func() {
			for range each {
				if err := sink.Tell(alpha, "x"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	wantReply(t, alpha, sink, "x", "hi x from beta")
	close(quit)
	looking.Wait()
	info, err := actor.Inspect(beta, sink.PID())
	if err != nil || info.Handled+info.Failed < senders*each {
		t.Errorf("%+v, %v", info, err)
	}
	eventually(t, "all is acknowledged", func() bool { p := alpha.Peers()[0]; return p.Queued == 0 && p.Bytes == 0 })
}

// C39: nothing is kept of what was queued for a node that did not come.
func TestNothingIsKeptOfWhatHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: memnet.New()})
		before := heap()
		const many = 10_000
		for range many {
			if err := to("x@beta").Tell(alpha, strings.Repeat("x", 1<<10)); err != nil {
				t.Fatal(err)
			}
		}
		if held := heap() - before; held < many<<10 {
			t.Fatalf("%d messages of a KiB are in %d KiB", many, held>>10)
		}
		time.Sleep(2 * defaultExpire)
		if left := heap() - before; left > many<<10/20 {
			t.Errorf("%d KiB are left of them", left>>10)
		}
		if n := alpha.DeadLetters()[actor.Expired]; n != many {
			t.Errorf("%d expired, want %d", n, many)
		}
	})
}
