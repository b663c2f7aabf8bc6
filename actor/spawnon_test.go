package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
)

// adders registers a kind whose actors add what they are asked to a number.
func adders(t *testing.T, s *actor.System, opts ...actor.Option) {
	t.Helper()
	err := actor.RegisterKind(s, "adder", func(in actor.Scope, name string, first int) (actor.PID, error) {
		if first < 0 {
			return actor.PID{}, fmt.Errorf("below zero: %w", errOwn)
		}
		ref, err := actor.Spawn(in, name, func(c *actor.Context, n int) error {
			if n < 0 {
				return errOwn
			}
			first += n
			return c.Reply(first)
		}, opts...)
		return ref.PID(), err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func add(t *testing.T, s *actor.System, pid actor.PID, n int) (int, error) {
	t.Helper()
	return actor.As[int](actor.RefTo[int](pid).Ask(within(t, 10*time.Second), s, n))
}

func TestAnActorIsStartedOnAnotherNode(t *testing.T) {
	if err := codec.RegisterError(errOwn, "actor_test.own"); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		adders(t, beta)
		if err := actor.RegisterKind(beta, "broken", func(actor.Scope, string, any) (actor.PID, error) { panic("oh") }); err != nil {
			t.Fatal(err)
		}
		if err := actor.RegisterKind(beta, "nobody", func(actor.Scope, string, any) (actor.PID, error) { return actor.PID{}, nil }); err != nil {
			t.Fatal(err)
		}
		if kinds := beta.Kinds(); !slices.Equal(kinds, []string{"adder", "broken", "nobody"}) || len(alpha.Kinds()) > 0 {
			t.Fatal(kinds)
		}
		for _, from := range nodes { // on another node, and on its own
			for _, name := range []string{"", "sum"} {
				pid, err := actor.SpawnOn(t.Context(), from, "beta", "adder", name, 40)
				if err != nil || pid.Node() != "beta" || pid.Name() != "" {
					t.Fatal(pid, err)
				}
				if n, err := add(t, from, pid, 2); n != 42 || err != nil {
					t.Fatal(n, err)
				}
				if name == "" {
					continue
				}
				if n, err := add(t, from, actor.Named("sum@beta"), 0); n != 42 || err != nil {
					t.Fatal(n, err)
				}
				_, err = actor.SpawnOn(t.Context(), from, "beta", "adder", name, 40)
				wantErr(t, err, actor.ErrNameTaken)
				wantErr(t, actor.Stop(t.Context(), from, pid), nil)
			}
			for _, c := range []struct {
				node, kind, name string
				arg              any
				want             error
			}{
				{"gamma", "adder", "", 1, actor.ErrNoNode},
				{"beta", "subtractor", "", 1, actor.ErrNoKind},
				{"beta", "adder", "", "one", actor.ErrType},
				{"beta", "adder", "", nil, actor.ErrType},
				{"beta", "adder", "", -1, errOwn},
				{"beta", "adder", "bad name", 1, actor.ErrName},
				{"beta", "", "", 1, actor.ErrName},
				{"be@ta", "adder", "", 1, actor.ErrName},
				{"beta", "nobody", "", 1, actor.ErrNoActor},
			} {
				_, err := actor.SpawnOn(t.Context(), from, c.node, c.kind, c.name, c.arg)
				if !errors.Is(err, c.want) {
					t.Errorf("%+v from %s: %v", c, from.Node(), err)
				}
			}
			if _, err := actor.SpawnOn(t.Context(), from, "beta", "broken", "", 1); err == nil {
				t.Error("a panic is no error")
			}
		}
		_, err := actor.SpawnOn(t.Context(), alpha, "beta", "adder", "", make(chan int))
		wantErr(t, err, codec.ErrEncode)
		wantFar(t, beta, 0, 1) // the one without a name
		wantFar(t, alpha, 0, 0)
		wantDead(t, alpha, map[actor.Reason]uint64{})
	})
}

func TestAKindIsRegisteredOnce(t *testing.T) {
	s := start(t, actor.Config{})
	adders(t, s)
	f := func(actor.Scope, string, int) (actor.PID, error) { return actor.PID{}, nil }
	wantErr(t, actor.RegisterKind(s, "adder", f), actor.ErrNameTaken)
	wantErr(t, actor.RegisterKind(s, "bad name", f), actor.ErrName)
	wantErr(t, actor.RegisterKind[int](s, "x", nil), actor.ErrUsage)
	wantErr(t, actor.RegisterKind(nil, "x", f), actor.ErrUsage)
}

// living is how many actors there are.
func living(s *actor.System) (n int) {
	synctest.Wait()
	for range actor.Tree(s) {
		n++
	}
	return n
}

func TestWhatWasStartedForANodeEndsWithIt(t *testing.T) {
	for _, test := range []string{"the parent's node is down", "the answer finds no way", "nobody waits for the answer", "the answer is lost"} {
		t.Run(test, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, nodes := join(t, actor.Config{}, "alpha", "beta")
				alpha, beta := nodes[0], nodes[1]
				slow := make(chan struct{})
				err := actor.RegisterKind(beta, "slow", func(in actor.Scope, name string, _ any) (actor.PID, error) {
					<-slow
					return does(t, in, name).PID(), nil
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				done := make(chan error)
				go func() {
					_, err := actor.SpawnOn(ctx, alpha, "beta", "slow", "", nil)
					done <- err
				}()
				synctest.Wait()
				var want error
				switch test {
				case "the parent's node is down":
					close(slow)
					wantErr(t, <-done, nil)
					if living(beta) != 1 {
						t.Fatal("it did not start")
					}
					beta.NodeDown("alpha", uuid.Nil)
				case "the answer finds no way":
					w.mu.Lock()
					delete(w.nodes, "alpha")
					w.lose = func(e *actor.Envelope) bool { return e.Kind == actor.KindStop }
					w.mu.Unlock()
					close(slow)
					synctest.Wait()
					cancel()
					want = context.Canceled
				case "nobody waits for the answer":
					cancel()
					synctest.Wait()
					close(slow)
					want = context.Canceled
				case "the answer is lost":
					w.mu.Lock()
					w.lose = func(e *actor.Envelope) bool { return true }
					w.mu.Unlock()
					close(slow)
					synctest.Wait()
					alpha.NodeDown("beta", beta.Incarnation())
					beta.NodeDown("alpha", alpha.Incarnation())
					want = actor.ErrUnreachable
				}
				if want != nil {
					wantErr(t, <-done, want)
				}
				if n := living(beta); n > 0 {
					t.Fatalf("%d actors are left", n)
				}
				wantFar(t, beta, 0, 0)
			})
		})
	}
}

// The constructors of many actors that another node wants at one time are bounded, and its end ends those that come later.
func TestSpawnsFromElsewhereAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		slow := make(chan struct{})
		err := actor.RegisterKind(p.beta, "slow", func(in actor.Scope, name string, _ any) (actor.PID, error) {
			<-slow
			return does(t, in, name).PID(), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const bound, more = 1024, 100
		for i := range uint64(bound + more) {
			_ = p.beta.Deliver(&actor.Envelope{Kind: actor.KindSpawn, Sender: p.self, Correlation: i + 1, Body: []byte{0xc0},
				Meta: map[string]string{actor.MetaKind: "slow"}})
		}
		wantFar(t, p.beta, 0, bound)
		if n := len(p.sent.all()); n != more || p.sent.all()[0].Kind != actor.Fail || p.sent.all()[0].Type != "actor.full" {
			t.Fatal(n, p.sent.all()[0])
		}
		p.beta.NodeDown("mallory", uuid.Nil)
		close(slow)
		if n := living(p.beta); n > 0 {
			t.Fatalf("%d actors are left", n)
		}
		wantFar(t, p.beta, 0, 0)
	})
}
