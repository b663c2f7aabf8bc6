package actor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
)

// Whatever happens meanwhile, a watch of an actor of another node is heard of once if its watcher lives on and has not
// called it off, not at all if it was called off before anything happened, and at most once in any case.
func TestEachWatchElsewhereIsHeardOfOnceInAnyStorm(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			_, nodes := join(t, actor.Config{Supervision: tireless}, "alpha", "beta")
			const many = 6
			type watch struct {
				node, watcher, target int
				heard                 atomic.Int32
				off                   bool // called off, or its watcher ended or restarted
			}
			var all []*watch
			last := map[[3]int]*watch{} // the one there is
			actors := [2][many]doer{}
			name := func(node, i int) string { return fmt.Sprint("actor", i, "@", nodes[node].Node()) }
			for node := range 2 {
				for i := range many {
					actors[node][i] = does(t, nodes[node], fmt.Sprint("actor", i))
				}
			}
			end := func(node, i int) { // of an instance
				for key, w := range last {
					if key[0] == node && key[1] == i {
						w.off = true
						delete(last, key)
					}
				}
			}
			for range 300 {
				node, i, j := rng.IntN(2), rng.IntN(many), rng.IntN(many)
				s, ref, key := nodes[node], actors[node][i], [3]int{node, i, j}
				switch op := rng.IntN(20); {
				case op < 8:
					w := &watch{node: node, watcher: i, target: j}
					if old := last[key]; old != nil && old.heard.Load() == 0 {
						continue
					}
					all, last[key] = append(all, w), w
					tell(t, s, ref, func(c *actor.Context) error {
						return c.Watch(actor.Named(name(1-node, j)), func(actor.Terminated) error { w.heard.Add(1); return nil })
					})
				case op < 10:
					if w := last[key]; w != nil {
						w.off = true
						delete(last, key)
					}
					tell(t, s, ref, func(c *actor.Context) error { c.Unwatch(actor.Named(name(1-node, j))); return nil })
				case op < 12: // restarts
					end(node, i)
					tell(t, s, ref, func(*actor.Context) error { return errOwn })
				case op < 14:
					synctest.Wait()
					end(node, i)
					if rng.IntN(2) == 0 {
						stop(t, s, ref)
					} else {
						tell(t, s, ref, func(c *actor.Context) error { c.Stop(); return nil })
						synctest.Wait()
					}
					actors[node][i] = does(t, s, fmt.Sprint("actor", i))
				case op < 15:
					which := []uuid.UUID{nodes[1-node].Incarnation(), {}, uuid.New()}[rng.IntN(3)]
					s.NodeDown(nodes[1-node].Node(), which)
				default:
					synctest.Wait()
				}
			}
			synctest.Wait()
			first := int(seed % 2)
			for i := range many { // the end of all that the other node watches
				end(first, i)
				stop(t, nodes[first], actors[first][i])
			}
			synctest.Wait()
			for i, w := range all {
				if n := w.heard.Load(); n > 1 || n == 0 && !w.off {
					t.Errorf("seed %d: watch %d, by %d of %d on node %d, was heard of %d times", seed, i, w.watcher, w.target, w.node, n)
				}
			}
			for i := range many {
				stop(t, nodes[1-first], actors[1-first][i])
			}
			wantFar(t, nodes[0], 0, 0)
			wantFar(t, nodes[1], 0, 0)
		})
	}
}

// Whatever happens meanwhile, at rest each proxy has one actor on the other node, and no other is there.
func TestEachProxyHasOneActorElsewhereAfterAnyStorm(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 2))
			_, nodes := join(t, actor.Config{Supervision: actor.Supervision{Intensity: actor.Unlimited}}, "alpha", "beta")
			for _, s := range nodes {
				adders(t, s, actor.Restart(actor.RestartType(2*rng.IntN(2)))) // Transient or Temporary
			}
			const many = 4
			proxies := func(node int, i int) actor.Ref[int] {
				return actor.RefTo[int](actor.Named(fmt.Sprintf("proxy%d@%s", i, nodes[node].Node())))
			}
			for range 200 {
				node, i := rng.IntN(2), rng.IntN(many)
				s, ref := nodes[node], proxies(node, i)
				switch op := rng.IntN(20); {
				case op < 5:
					name := ""
					if i == 0 {
						name = "only"
					}
					_, _ = actor.SpawnNew(s, fmt.Sprint("proxy", i), func() actor.Receiver[int] {
						return actor.NewProxy[int](on(nodes[1-node].Node(), name))
					})
				case op < 8:
					_ = ref.Tell(s, -1)
				case op < 10:
					ctx, cancel := context.WithCancel(t.Context())
					if rng.IntN(2) == 0 {
						cancel()
					}
					go func() {
						_ = actor.Stop(ctx, s, ref.PID())
						cancel()
					}()
				case op < 11:
					go func() { _ = actor.Stop(t.Context(), s, actor.Named("only@"+nodes[1-node].Node())) }()
				case op < 12:
					s.NodeDown(nodes[1-node].Node(), uuid.Nil)
				case op < 16:
					time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
				case op < 18:
					synctest.Wait()
				default:
					_ = ref.Tell(s, 1)
				}
			}
			time.Sleep(time.Minute)
			count := [2]int{}
			for node := range 2 {
				for i := range many {
					if n, err := add(t, nodes[node], proxies(node, i).PID(), 1); err == nil && n > 0 {
						count[node]++
					} else if !errors.Is(err, actor.ErrNoActor) {
						t.Error(err)
					}
				}
			}
			for node, s := range nodes {
				if n := living(s); n != count[0]+count[1] {
					t.Errorf("seed %d: node %s has %d actors, there are %v proxies", seed, s.Node(), n, count)
				}
				wantFar(t, s, count[node], 2*count[1-node])
			}
		})
	}
}
