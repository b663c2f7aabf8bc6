package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// How asks over a link end.

// C30: a reply that comes too late is nobody's, and the next ask gets its own.
func TestLateReplyIsADeadLetterAndNotTheNextAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		_, err := actor.Spawn(beta, "echo", func(c *actor.Context, m string) error {
			if m == "A" {
				time.Sleep(400 * time.Millisecond)
			}
			return c.Reply(m)
		})
		if err != nil {
			t.Fatal(err)
		}
		caller := does(t, alpha, "caller")
		turn(t, alpha, caller, func(c *actor.Context) error {
			if _, err := ask(c, to("echo@beta"), "A", 100*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("A: %v", err)
			}
			if s, err := ask(c, to("echo@beta"), "B", 2*time.Second); s != "B" || err != nil {
				t.Errorf("B was answered %q, %v", s, err)
			}
			return nil
		})
		synctest.Wait()
		if dead := alpha.DeadLetters(); len(dead) != 1 || dead[actor.LateReply] != 1 {
			t.Errorf("dead letters %v, want one late reply", dead)
		}
		if info, err := actor.Inspect(alpha, caller.PID()); err != nil || info.Handled != 1 || info.Depth != 0 {
			t.Errorf("the caller has handled %d messages and has %d, %v; want 1 and none", info.Handled, info.Depth, err)
		}
	})
}

// C32
func TestTimedOutRemoteAsksLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		release := make(chan struct{})
		hole, err := actor.Spawn(beta, "hole", func(*actor.Context, string) error {
			<-release
			return nil
		}, actor.HWM(1<<20))
		if err != nil {
			t.Fatal(err)
		}
		rounds := func(n int) {
			for range n {
				_, err := ask(alpha, hole, "x", 10*time.Millisecond)
				wantErr(t, err, context.DeadlineExceeded)
			}
		}
		caller := does(t, alpha, "caller")
		turn(t, alpha, caller, func(*actor.Context) error { return nil })
		rounds(100) // so that everything is there that stays
		before, goroutines := heap(), runtime.NumGoroutine()
		rounds(10_000)
		ctx, cancel := context.WithCancel(t.Context())
		for range 100 { // without a deadline
			go hole.Ask(ctx, alpha, "x")
		}
		turn(t, alpha, caller, func(c *actor.Context) error {
			actor.Then(hole.Begin(ctx, c, "x"), func(string, error) error { return nil })
			return nil
		})
		time.Sleep(time.Second)
		if n := len(openAsks(alpha, "beta")); n != 101 {
			t.Errorf("%d asks are under way, want 101", n)
		}
		cancel()
		synctest.Wait()
		if open := openAsks(alpha, "beta"); len(open) > 0 {
			t.Errorf("%d asks are remembered for which nobody waits", len(open))
		}
		close(release)
		time.Sleep(time.Second)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > goroutines {
			t.Errorf("%d goroutines, %d before", n, goroutines)
		}
		if grown := heap() - before; grown > 1<<20 { // of the 10,000, even a hundred bytes each
			t.Errorf("the heap grew by %d KiB", grown>>10)
		}
		if p := alpha.Peers()[0]; p.Queued != 0 {
			t.Errorf("%d messages are queued", p.Queued)
		}
	})
}

// openAsks returns those that a node remembers to have sent to a peer.
func openAsks(n *Node, peer string) map[uint64]asked {
	a := &n.peers.get(peer).out.asks
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.open)
}

// The receiver of an ask that had to wait is told how long the asker still does.
func TestTimeInTheOutboxCountsForAsks(t *testing.T) {
	for within, want := range map[time.Duration]time.Duration{10 * time.Second: 7 * time.Second, 200 * time.Second: 197 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			network := memnet.New()
			beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
			f := dialBeta(t, network)
			f.greet()
			f.conn.Close()
			synctest.Wait()
			go ask(beta, to("x@foreign"), "x", within)
			time.Sleep(3 * time.Second)
			f = dialBeta(t, network)
			f.greet()
			h, _ := f.next(kindAsk)
			if left := time.Duration(h.deadline) * time.Millisecond; left > want+time.Millisecond || left < want-time.Millisecond {
				t.Errorf("%v are left, want %v", left, want)
			}
		})
	}
}

// C33: actors of two nodes that ask each other wait for as long as they said, and nobody else does.
func TestAskInACircleOverALinkEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		greeter(t, beta)
		const circles = 100
		spawn := func(n *Node, i int, next string) {
			_, err := actor.Spawn(n, fmt.Sprint("circle-", i), func(c *actor.Context, m string) error {
				s, err := ask(c, to(fmt.Sprintf("circle-%d@%s", i, next)), m, time.Second)
				if err != nil {
					return err
				}
				return c.Reply(s)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range circles {
			spawn(alpha, i, "beta")
			spawn(beta, i, "alpha")
		}
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		began := time.Now()
		var asking sync.WaitGroup
		for i := range circles {
			asking.Go(func() {
				_, err := ask(alpha, to(fmt.Sprintf("circle-%d@alpha", i)), "x", time.Minute)
				if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("circle-%d@", i)) {
					t.Errorf("circle %d: %v", i, err)
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		now := time.Now()
		wantReply(t, alpha, to("greeter@beta"), "y", "hi y from beta")
		if took := time.Since(now); took > 20*time.Millisecond {
			t.Errorf("meanwhile another was asked for %v", took)
		}
		asking.Wait()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the circles ended after %v", took)
		}
	})
}

// C34: no ask that is answered times out, and none that is not does so early.
func TestManyAskersOverTCPEachGetTheirOwnAnswer(t *testing.T) {
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}})
	alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": beta.Endpoints()[0].String()}})
	_, err := actor.Spawn(beta, "echo", func(c *actor.Context, m string) error { return c.Reply(m) })
	if err != nil {
		t.Fatal(err)
	}
	silent, err := actor.Spawn(beta, "silent", func(c *actor.Context, _ string) error {
		c.ReplyLater()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := ask(alpha, to("echo@beta"), "x", 30*time.Second); s != "x" || err != nil { // the link is up
		t.Fatalf("got %q, %v", s, err)
	}
	var askers sync.WaitGroup
	for i := range 64 {
		askers.Go(func() {
			for j := range 200 {
				m := fmt.Sprint(i, j)
				if s, err := ask(alpha, to("echo@beta"), m, 30*time.Second); s != m || err != nil {
					t.Errorf("asked %q, got %q, %v", m, s, err)
				}
			}
		})
		askers.Go(func() {
			within := time.Duration(i+1) * 5 * time.Millisecond
			began := time.Now()
			_, err := ask(alpha, silent, "x", within)
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took < within {
				t.Errorf("after %v of %v: %v", took, within, err)
			}
		})
	}
	askers.Wait()
}
