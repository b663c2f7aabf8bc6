package actor_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
)

// on is a Proxy for an adder.
func on(node, name string) actor.Proxy {
	return actor.Proxy{Node: func() string { return node }, Kind: "adder", Name: name, Arg: 0}
}

func proxy(t *testing.T, in actor.Scope, name string, p actor.Proxy, opts ...actor.Option) actor.Ref[int] {
	t.Helper()
	ref, err := actor.SpawnNew(in, name, func() actor.Receiver[int] { return actor.NewProxy[int](p) }, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func wantSum(t *testing.T, s *actor.System, pid actor.PID, n, want int) {
	t.Helper()
	if got, err := add(t, s, pid, n); got != want || err != nil {
		t.Fatalf("the sum is %d, %v; want %d", got, err, want)
	}
}

func TestAProxyStandsForAnActorOnAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta", "gamma")
		alpha, beta, gamma := nodes[0], nodes[1], nodes[2]
		for _, s := range nodes {
			adders(t, s)
		}
		for _, node := range []string{"beta", "alpha"} { // elsewhere, and here
			ref := proxy(t, alpha, "sum", on(node, "other"))
			tell(t, alpha, ref, 1, 2)
			wantSum(t, alpha, ref.PID(), 3, 6)                 // asked here
			wantSum(t, gamma, actor.Named("sum@alpha"), 4, 10) // asked elsewhere
			wantSum(t, gamma, actor.Named("other@"+node), 0, 10)
			_, err := add(t, gamma, ref.PID(), -1) // fails there, and is restarted there
			wantErr(t, err, actor.ErrFailed)
			wantSum(t, gamma, ref.PID(), 1, 11)
			stop(t, alpha, ref)
			if living(alpha)+living(beta) != 0 {
				t.Fatal("somebody is left")
			}
			wantFar(t, alpha, 0, 0)
			wantFar(t, beta, 0, 0)
		}
	})
}

// What a proxy's other does is the proxy's fate, about which its supervisor decides.
func TestAProxyIsSupervisedAsTheActorItStandsFor(t *testing.T) {
	for _, test := range []struct {
		what string
		do   func(t *testing.T, alpha, beta *actor.System, ref actor.Ref[int])
		opts []actor.Option
		back bool // another one is started
	}{
		{what: "failure", back: true, do: func(t *testing.T, alpha, _ *actor.System, ref actor.Ref[int]) { tell(t, alpha, ref, -1) }},
		{what: "failure of a temporary one", opts: []actor.Option{actor.Restart(actor.Temporary)},
			do: func(t *testing.T, alpha, _ *actor.System, ref actor.Ref[int]) { tell(t, alpha, ref, -1) }},
		{what: "stop", do: func(t *testing.T, alpha, _ *actor.System, _ actor.Ref[int]) {
			wantErr(t, actor.Stop(t.Context(), alpha, actor.Named("other@beta")), nil)
		}},
		{what: "stop of a permanent one", back: true, opts: []actor.Option{actor.Restart(actor.Permanent)},
			do: func(t *testing.T, alpha, _ *actor.System, _ actor.Ref[int]) {
				wantErr(t, actor.Stop(t.Context(), alpha, actor.Named("other@beta")), nil)
			}},
		{what: "node down", back: true, do: func(t *testing.T, alpha, beta *actor.System, _ actor.Ref[int]) {
			alpha.NodeDown("beta", beta.Incarnation())
		}},
		{what: "this node down there", back: true, do: func(t *testing.T, alpha, beta *actor.System, _ actor.Ref[int]) {
			beta.NodeDown("alpha", uuid.Nil)
		}},
	} {
		t.Run(test.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, nodes := join(t, actor.Config{}, "alpha", "beta")
				alpha, beta := nodes[0], nodes[1]
				adders(t, beta, actor.Restart(actor.Temporary))
				ref := proxy(t, alpha, "sum", on("beta", "other"), test.opts...)
				wantSum(t, alpha, ref.PID(), 7, 7)
				test.do(t, alpha, beta, ref)
				time.Sleep(time.Minute)
				if !test.back {
					wantErr(t, ref.Tell(alpha, 1), actor.ErrNoActor)
					if living(beta) > 0 {
						t.Fatal("the other is left")
					}
					return
				}
				wantSum(t, alpha, ref.PID(), 3, 3)
				if living(beta) != 1 {
					t.Fatal("the old one is left")
				}
				wantFar(t, alpha, 1, 0)
				wantFar(t, beta, 0, 2)
			})
		})
	}
}

// A restart starts the other where Node says then; what is queued at the proxy waits for it.
func TestAProxyMovesToANodeThatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta", "gamma")
		alpha, beta, gamma := nodes[0], nodes[1], nodes[2]
		adders(t, beta)
		adders(t, gamma)
		var starts atomic.Int32
		p := on("", "other")
		p.Node = func() string { return []string{"beta", "gamma"}[(starts.Add(1)-1)%2] }
		ref := proxy(t, alpha, "sum", p)
		wantSum(t, alpha, ref.PID(), 7, 7)
		w.mu.Lock()
		delete(w.nodes, "beta")
		w.mu.Unlock()
		alpha.NodeDown("beta", uuid.Nil)
		tell(t, alpha, ref, 1, 2)
		wantSum(t, alpha, ref.PID(), 3, 6)
		wantSum(t, alpha, actor.Named("other@gamma"), 0, 6)
		_ = beta
	})
}

func TestAProxyWhoseOtherCannotBeStartedFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed list[error]
		_, nodes := join(t, actor.Config{Supervision: actor.Supervision{Decide: func(err error) actor.Decision {
			failed.add(err)
			return actor.DecideStop
		}}}, "alpha", "beta")
		alpha := nodes[0]
		for _, p := range []actor.Proxy{on("gamma", ""), on("beta", ""), {}, {Node: func() string { return "beta" }, Within: -1}} {
			ref := proxy(t, alpha, "", p)
			synctest.Wait()
			wantErr(t, ref.Tell(alpha, 1), actor.ErrNoActor)
		}
		want := []error{actor.ErrNoNode, actor.ErrNoKind, actor.ErrUsage, actor.ErrUsage}
		for i, err := range failed.all() {
			wantErr(t, err, want[i])
		}
		if len(failed.all()) != len(want) {
			t.Fatal(failed.all())
		}
	})
}

// A start that is not answered ends in time, and leaves nothing.
func TestAProxyWaitsForItsOtherOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		adders(t, beta)
		w.lose = func(e *actor.Envelope) bool { return e.Kind == actor.KindSpawned }
		p := on("beta", "")
		p.Within = time.Second
		ref := proxy(t, alpha, "", p, actor.Restart(actor.Temporary))
		time.Sleep(2 * time.Second)
		wantErr(t, ref.Tell(alpha, 1), actor.ErrNoActor)
		if living(beta) > 0 {
			t.Fatal("the other is left")
		}
	})
}

// A message that the network does not take is one dead letter, and who asks is told.
func TestAMessageThatAProxyCannotPassOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		adders(t, beta)
		ref := proxy(t, alpha, "sum", on("beta", ""))
		wantSum(t, alpha, ref.PID(), 1, 1)
		w.mu.Lock()
		delete(w.nodes, "beta")
		w.mu.Unlock()
		tell(t, alpha, ref, 1)
		_, err := add(t, alpha, ref.PID(), 2)
		wantErr(t, err, actor.ErrNoNode)
		wantDead(t, alpha, map[actor.Reason]uint64{actor.Unreachable: 2})
		alpha.NodeDown("beta", uuid.Nil)
	})
}

// The members of a pool may be proxies, each for an actor on the node that is next.
func TestAPoolOverSeveralNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta", "gamma")
		alpha := nodes[0]
		var done [3]atomic.Int32
		for i, s := range nodes {
			err := actor.RegisterKind(s, "worker", func(in actor.Scope, name string, _ any) (actor.PID, error) {
				ref, err := actor.Spawn(in, name, func(c *actor.Context, m int) error {
					done[i].Add(1)
					return c.Reply(m)
				})
				return ref.PID(), err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var next atomic.Int32
		p := actor.Proxy{Kind: "worker", Node: func() string { return nodes[next.Add(1)%3].Node() }}
		pool, err := actor.SpawnPool(alpha, "pool", actor.Pool[int]{Size: 6},
			func() actor.Receiver[int] { return actor.NewProxy[int](p) })
		if err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			for _, from := range nodes {
				if n, err := add(t, from, pool.PID(), i); n != i || err != nil {
					t.Fatal(n, err)
				}
			}
		}
		for i := range done {
			if n := done[i].Load(); n != 60 {
				t.Errorf("%d on node %s", n, nodes[i].Node())
			}
		}
		stop(t, alpha, pool)
		for _, s := range nodes {
			if living(s) > 0 {
				t.Fatal("a worker is left")
			}
		}
	})
}

// An Ask that is passed on to another node is answered from there, whoever waits.
func TestAnAskIsForwardedToAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta", "gamma")
		alpha, beta, gamma := nodes[0], nodes[1], nodes[2]
		mute := spawn(t, beta, "mute", func(c *actor.Context, m string) error {
			switch m {
			case "fail":
				return errOwn
			case "wait":
				c.ReplyLater()
				return nil
			}
			return c.Reply(parcel{Words: []string{m, "there"}}) // of a type that is not registered
		})
		front := spawn(t, alpha, "front", func(c *actor.Context, m string) error {
			if err := mute.Forward(c, m); err != nil {
				return c.Reply(err)
			}
			return nil
		}, actor.HWM(10))
		for _, from := range []*actor.System{alpha, gamma} {
			p, err := actor.As[parcel](front.Ask(t.Context(), from, "hello"))
			if err != nil || !slices.Equal(p.Words, []string{"hello", "there"}) {
				t.Fatal(p, err)
			}
			_, err = front.Ask(t.Context(), from, "fail")
			wantErr(t, err, actor.ErrFailed)
			for range 30 { // nothing is left of those that nobody answers
				_, err = front.Ask(within(t, time.Second), from, "wait")
				if err == nil || errors.Is(err, actor.ErrFull) {
					t.Fatal(err)
				}
			}
		}
		for range 10 {
			ctx := within(t, time.Hour)
			go func() { _, _ = front.Ask(ctx, gamma, "wait") }()
			synctest.Wait()
		}
		_, err := front.Ask(t.Context(), gamma, "hello")
		wantErr(t, err, actor.ErrFull)
		time.Sleep(2 * time.Hour)
		_, err = front.Ask(t.Context(), gamma, "hello")
		wantErr(t, err, nil)
		wantDead(t, alpha, map[actor.Reason]uint64{})
	})
}
