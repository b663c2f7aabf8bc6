package actor_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
)

type doer = actor.Ref[func(*actor.Context) error]

// wantFar checks what two Systems have of one another.
func wantFar(t *testing.T, s *actor.System, watches, holds int) {
	t.Helper()
	synctest.Wait()
	if w, h := actor.FarCount(s); w != watches || h != holds {
		t.Fatalf("node %s watches %d actors elsewhere, and has %d watched, linked or spawned; want %d and %d", s.Node(), w, h, watches, holds)
	}
}

// notes collects what a watcher heard.
type notes struct{ list[actor.Terminated] }

func (n *notes) watch(c *actor.Context, pids ...actor.PID) error {
	for _, pid := range pids {
		if err := c.Watch(pid, func(end actor.Terminated) error { n.add(end); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// byReason counts, and checks that nothing was heard twice.
func (n *notes) byReason(t *testing.T) map[actor.Reason]int {
	t.Helper()
	synctest.Wait()
	seen, count := map[actor.PID]bool{}, map[actor.Reason]int{}
	for _, end := range n.all() {
		if seen[end.PID] {
			t.Errorf("the end of %v was told twice", end.PID)
		}
		seen[end.PID] = true
		count[end.Reason]++
	}
	return count
}

func wantReasons(t *testing.T, n *notes, want map[actor.Reason]int) {
	t.Helper()
	if got := n.byReason(t); !maps.Equal(got, want) {
		t.Fatalf("heard %v, want %v", got, want)
	}
}

// C51: each watch of many actors of one node ends once, with its own reason.
func TestEachWatchElsewhereEndsOnceWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		var heard notes
		watcher := does(t, alpha, "watcher")
		var refs []doer
		for i := range 100 {
			refs = append(refs, does(t, beta, fmt.Sprint("target", i), actor.Restart(actor.Temporary)))
		}
		turn(t, alpha, watcher, func(c *actor.Context) error {
			for i, ref := range refs {
				pid := ref.PID()
				if i%2 == 0 {
					pid = actor.Named(fmt.Sprintf("target%d@beta", i))
				}
				if err := errors.Join(heard.watch(c, pid), heard.watch(c, pid)); err != nil { // the second changes nothing
					return err
				}
			}
			c.Unwatch(refs[99].PID())
			return nil
		})
		wantFar(t, beta, 0, 99)
		for _, ref := range refs[:25] {
			stop(t, beta, ref)
		}
		for _, ref := range refs[25:50] {
			tell(t, beta, ref, func(*actor.Context) error { return errOwn })
		}
		stop(t, beta, refs[99])
		wantReasons(t, &heard, map[actor.Reason]int{actor.Stopped: 25, actor.Failed: 25})
		alpha.NodeDown("beta", beta.Incarnation())
		for _, ref := range refs[50:99] { // news that comes too late
			stop(t, beta, ref)
		}
		wantReasons(t, &heard, map[actor.Reason]int{actor.Stopped: 25, actor.Failed: 25, actor.NodeDown: 49})
		wantFar(t, alpha, 0, 0)
		wantFar(t, beta, 0, 0)
		wantDead(t, alpha, map[actor.Reason]uint64{})
	})
}

// C52
func TestAWatchOfNobodyElsewhereEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		dead := does(t, beta, "")
		stop(t, beta, dead)
		var heard notes
		watcher := does(t, alpha, "")
		turn(t, alpha, watcher, func(c *actor.Context) error {
			return heard.watch(c, actor.Named("nope@beta"), dead.PID(), actor.ExactPID("beta", uuid.New(), 1<<32),
				actor.Named("x@gamma"), actor.ExactPID("gamma", uuid.New(), 7))
		})
		wantReasons(t, &heard, map[actor.Reason]int{actor.NoActor: 3, actor.NodeDown: 2})
		w.lose = func(e *actor.Envelope) bool {
			alpha.DeadLetter(e, actor.Expired)
			return true
		}
		turn(t, alpha, watcher, func(c *actor.Context) error { return heard.watch(c, actor.Named("late@beta")) })
		wantReasons(t, &heard, map[actor.Reason]int{actor.NoActor: 3, actor.NodeDown: 3})
		wantFar(t, alpha, 0, 0)
		wantFar(t, beta, 0, 0)
		wantDead(t, alpha, map[actor.Reason]uint64{})
	})
}

func TestTerminatedComesFromElsewhereBehindWhatTheTargetSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		var got list[string]
		watcher := spawn(t, alpha, "watcher", func(c *actor.Context, m string) error {
			if m == "watch" {
				return c.Watch(actor.Named("target@beta"), func(actor.Terminated) error { got.add("terminated"); return nil })
			}
			got.add(m)
			return nil
		})
		target := does(t, beta, "target")
		tell(t, alpha, watcher, "watch")
		synctest.Wait()
		tell(t, beta, target, func(c *actor.Context) error {
			for i := range 3 {
				if err := watcher.Tell(c, fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			}
			c.Stop()
			return nil
		})
		synctest.Wait()
		if want := []string{"0", "1", "2", "terminated"}; !slices.Equal(got.all(), want) {
			t.Fatalf("%q", got.all())
		}
	})
}

// A watch that ends, for whatever reason, while it is being announced is not left at the other node.
func TestAWatchThatEndsAsItBeginsIsNotLeftElsewhere(t *testing.T) {
	for _, test := range []string{"Unwatch", "node down", "Unlink"} {
		synctest.Test(t, func(t *testing.T) {
			w, nodes := join(t, actor.Config{}, "alpha", "beta")
			alpha, beta := nodes[0], nodes[1]
			var heard notes
			pid := does(t, beta, "target").PID()
			turn(t, alpha, does(t, alpha, "", actor.Restart(actor.Temporary)), func(c *actor.Context) error {
				w.first = func(e *actor.Envelope) {
					switch e.Kind {
					case actor.KindLink:
						c.Unlink(pid)
					case actor.KindWatch:
						if test == "Unwatch" {
							c.Unwatch(pid)
						} else {
							alpha.NodeDown("beta", uuid.Nil)
						}
					}
				}
				if test == "Unlink" {
					return c.Link(pid)
				}
				return heard.watch(c, pid)
			})
			wantFar(t, beta, 0, 0)
			wantFar(t, alpha, 0, 0)
			want := map[actor.Reason]int{}
			if test == "node down" {
				want[actor.NodeDown] = 1
			}
			wantReasons(t, &heard, want)
		})
	}
}

func TestARestartOrAnEndOfTheWatcherFreesItsWatchesElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{Supervision: tireless}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		var heard notes
		target, watcher := does(t, beta, ""), does(t, alpha, "")
		watch := func(c *actor.Context) error { return heard.watch(c, target.PID()) }
		turn(t, alpha, watcher, watch)
		tell(t, alpha, watcher, func(*actor.Context) error { return errOwn })
		wantFar(t, beta, 0, 0)
		turn(t, alpha, watcher, watch)
		wantFar(t, beta, 0, 1)
		stop(t, beta, target)
		wantReasons(t, &heard, map[actor.Reason]int{actor.Stopped: 1})
		another := does(t, beta, "")
		turn(t, alpha, watcher, func(c *actor.Context) error { return heard.watch(c, another.PID()) })
		wantFar(t, beta, 0, 1)
		stop(t, alpha, watcher)
		wantFar(t, alpha, 0, 0)
		wantFar(t, beta, 0, 0)
	})
}

// C28: after a node was taken for unreachable, by either side, watches are over once, and new ones work.
func TestANodeThatWasLostByEitherSideIsWatchedAnew(t *testing.T) {
	for _, test := range []struct {
		what     string
		any, far bool
	}{{what: "the watcher's side"}, {what: "the target's side", far: true}, {what: "whichever incarnation", any: true}, {what: "", any: true, far: true}} {
		synctest.Test(t, func(t *testing.T) {
			_, nodes := join(t, actor.Config{}, "alpha", "beta")
			alpha, beta := nodes[0], nodes[1]
			var heard notes
			target := does(t, beta, "target")
			watcher := does(t, alpha, "")
			turn(t, alpha, watcher, func(c *actor.Context) error {
				return heard.watch(c, target.PID(), actor.Named("target@beta"))
			})
			synctest.Wait()
			here, other := alpha, beta
			if test.far {
				here, other = beta, alpha
			}
			if test.far {
				here.NodeDown(other.Node(), uuid.New()) // an earlier one
				wantFar(t, beta, 0, 2)
			}
			incarnation := other.Incarnation()
			if test.any {
				incarnation = uuid.Nil
			}
			here.NodeDown(other.Node(), incarnation)
			here.NodeDown("gamma", uuid.Nil)
			wantReasons(t, &heard, map[actor.Reason]int{actor.NodeDown: 2})
			wantFar(t, alpha, 0, 0)
			wantFar(t, beta, 0, 0)
			heard = notes{}
			turn(t, alpha, watcher, func(c *actor.Context) error { return heard.watch(c, target.PID()) })
			synctest.Wait()
			stop(t, beta, target)
			wantReasons(t, &heard, map[actor.Reason]int{actor.Stopped: 1})
		})
	}
}

// A name that was not resolved yet may be of any incarnation, but an exact PID of another one is not concerned.
func TestNodeDownConcernsOneIncarnation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha := nodes[0]
		w.lose = func(*actor.Envelope) bool { return true }
		var heard notes
		old, now := uuid.New(), uuid.New()
		turn(t, alpha, does(t, alpha, ""), func(c *actor.Context) error {
			return heard.watch(c, actor.ExactPID("beta", old, 1), actor.ExactPID("beta", now, 1))
		})
		alpha.NodeDown("beta", old)
		wantReasons(t, &heard, map[actor.Reason]int{actor.NodeDown: 1})
		if end := heard.all()[0]; end.PID.Incarnation() != old {
			t.Fatal(end)
		}
	})
}

// A node that comes back as another incarnation has none of what the old one had, whether or not NodeDown was called.
func TestANewIncarnationInheritsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		beta := nodes[1]
		var sent list[actor.Envelope]
		w.lose = func(e *actor.Envelope) bool { sent.add(*e); return true }
		target := does(t, beta, "target")
		for i := range 3 {
			from := actor.ExactPID("gamma", uuid.UUID{byte(i + 1)}, 5)
			w.nodes["gamma"] = beta // a way, for what is lost anyway
			err := beta.Deliver(&actor.Envelope{Kind: actor.KindWatch, Target: target.PID(), Sender: from, Correlation: 7})
			if err != nil {
				t.Fatal(err)
			}
		}
		wantFar(t, beta, 0, 1)
		stop(t, beta, target)
		synctest.Wait()
		if got := sent.all(); len(got) != 1 || got[0].Target.Incarnation() != (uuid.UUID{3}) {
			t.Fatalf("%+v", got)
		}
	})
}
