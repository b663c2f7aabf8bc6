package node

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// C51: one actor watches a hundred of another node; half of them stop, and then the node dies.
func TestWatchersHearOfStopsAndThenOfTheNodesDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		var pids []actor.PID
		for i := range 100 {
			pids = append(pids, does(t, beta, fmt.Sprint("a", i)).PID())
		}
		var heard ends
		turn(t, alpha, does(t, alpha, "watcher"), func(c *actor.Context) error { return heard.watch(c, pids...) })
		synctest.Wait() // until the watches have arrived
		for _, pid := range pids[:50] {
			if err := actor.Stop(t.Context(), beta, pid); err != nil {
				t.Fatal(err)
			}
		}
		heard.want(t, map[actor.Reason]int{actor.Stopped: 50})
		network.Stall("127.0.0.1:4000") // as if its power had gone
		time.Sleep(defaultDown)
		heard.want(t, map[actor.Reason]int{actor.Stopped: 50, actor.NodeDown: 50})
		beta.Close(ended())
		network.Cut("127.0.0.1:4000")
		network.Resume("127.0.0.1:4000")
		start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		time.Sleep(time.Minute)
		heard.want(t, map[actor.Reason]int{actor.Stopped: 50, actor.NodeDown: 50})
	})
}

// C28: a partition is one node-down for each side, healing revives nothing, and new watches work.
func TestPartitionIsOneNodeDownOnEitherSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		var here, there ends
		watchers := map[*Node]*ends{alpha: &here, beta: &there}
		targets := make(map[*Node]doer)
		for _, n := range []*Node{alpha, beta} {
			targets[n] = does(t, n, "target")
		}
		watch := func() {
			for n, heard := range watchers {
				other := alpha
				if n == alpha {
					other = beta
				}
				w, err := actor.Spawn(n, "", func(c *actor.Context, f func(*actor.Context) error) error { return f(c) })
				if err != nil {
					t.Fatal(err)
				}
				turn(t, n, w, func(c *actor.Context) error { return heard.watch(c, targets[other].PID()) })
			}
		}
		watch()
		time.Sleep(time.Second)
		network.Stall("127.0.0.1:4000")
		time.Sleep(20 * time.Second)
		network.Resume("127.0.0.1:4000")
		here.want(t, map[actor.Reason]int{actor.NodeDown: 1})
		there.want(t, map[actor.Reason]int{actor.NodeDown: 1})
		wantReply(t, alpha, to("greeter@beta"), "y", "hi y from beta")
		watch()
		time.Sleep(time.Second)
		for n, target := range targets {
			if err := actor.Stop(t.Context(), n, target.PID()); err != nil {
				t.Fatal(err)
			}
		}
		here.want(t, map[actor.Reason]int{actor.NodeDown: 1, actor.Stopped: 1})
		there.want(t, map[actor.Reason]int{actor.NodeDown: 1, actor.Stopped: 1})
	})
}

// A cut that heals in time breaks no watch, and loses no notice.
func TestWatchSurvivesCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		target := does(t, beta, "target")
		var heard ends
		turn(t, alpha, does(t, alpha, "watcher"), func(c *actor.Context) error { return heard.watch(c, target.PID()) })
		for range 5 {
			network.Cut("127.0.0.1:4000")
			time.Sleep(time.Second)
		}
		heard.want(t, nil)
		network.Stall("127.0.0.1:4000")
		if err := actor.Stop(t.Context(), beta, target.PID()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		network.Cut("127.0.0.1:4000")
		network.Resume("127.0.0.1:4000")
		heard.want(t, map[actor.Reason]int{actor.Stopped: 1})
	})
}

// C52: a watch on a node that is not there ends within the time in which a node is found to be down, and on one that is
// known to be down at once.
func TestWatchOnANodeThatIsNotThereEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: memnet.New()})
		w := does(t, alpha, "watcher")
		var early, late ends
		turn(t, alpha, w, func(c *actor.Context) error { return early.watch(c, actor.Named("x@beta")) })
		time.Sleep(defaultDown)
		early.want(t, map[actor.Reason]int{actor.NodeDown: 1})
		turn(t, alpha, w, func(c *actor.Context) error { return late.watch(c, actor.Named("y@beta"), actor.Named("z@ghost")) })
		began := time.Now()
		synctest.Wait()
		late.mu.Lock()
		defer late.mu.Unlock()
		if late.heard[actor.NodeDown] != 2 || time.Since(began) > 0 {
			t.Errorf("heard %v", late.heard)
		}
	})
}

// What was spawned from a node that goes down does not stay behind.
func TestActorsSpawnedFromElsewhereEndWithTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		err := actor.RegisterKind(beta, "guest", func(in actor.Scope, name string, greeting string) (actor.PID, error) {
			ref, err := actor.Spawn(in, name, func(c *actor.Context, m string) error { return c.Reply(greeting + m) })
			return ref.PID(), err
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := actor.SpawnOn(ctx, alpha, "beta", "guest", "guest", "hello "); err != nil {
			t.Fatal(err)
		}
		wantReply(t, alpha, to("guest@beta"), "x", "hello x")
		network.Cut("127.0.0.1:4000")
		time.Sleep(time.Second)
		wantReply(t, alpha, to("guest@beta"), "y", "hello y")
		network.Stall("127.0.0.1:4000")
		time.Sleep(2 * defaultDown)
		wantErr(t, to("guest@beta").Tell(beta, "z"), actor.ErrNoActor)
	})
}
