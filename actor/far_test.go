package actor_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

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

// peer is a node that can't be trusted, as beta sees it.
type peer struct {
	t    *testing.T
	beta *actor.System
	self actor.PID
	sent list[actor.Envelope] // to it
}

func (p *peer) Send(e *actor.Envelope) error { p.sent.add(*e); return nil }

func hostile(t *testing.T) *peer {
	p := &peer{t: t, self: actor.ExactPID("mallory", uuid.New(), 1)}
	p.beta = start(t, actor.Config{Node: "beta", Remote: p})
	return p
}

func (p *peer) deliver(kind actor.Kind, target actor.PID, number uint64, typ string) {
	_ = p.beta.Deliver(&actor.Envelope{Kind: kind, Target: target, Sender: p.self, Correlation: number, Type: typ, Body: []byte{0xc0}})
}

func TestWhatAnotherNodeHasHereIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		target := does(t, p.beta, "target")
		for i := range uint64(actor.MaxHolds + 10) {
			p.deliver(actor.KindWatch, target.PID(), i+1, "")
		}
		p.deliver(actor.KindWatch, target.PID(), 1, "") // again
		wantFar(t, p.beta, 0, actor.MaxHolds)
		for _, e := range p.sent.all() {
			if e.Kind != actor.KindTerminated || e.Type != string(actor.Full) {
				t.Fatalf("%+v", e)
			}
		}
		if n := len(p.sent.all()); n != 10 {
			t.Fatalf("%d were refused", n)
		}
		p.deliver(actor.KindUnwatch, target.PID(), 1, "")
		p.deliver(actor.KindWatch, target.PID(), 1, "")
		p.beta.NodeDown("mallory", uuid.Nil)
		wantFar(t, p.beta, 0, 0)
	})
}

// Stops and failures from elsewhere are never refused by a mailbox, so they are counted until they are taken from it.
func TestNobodyElsewhereFillsAMailboxWithStopsAndFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		ref, gate, _ := gated(t, p.beta, "busy", actor.Restart(actor.Temporary))
		tell(t, p.beta, ref, 1)
		synctest.Wait()
		for i := range uint64(2 * actor.MaxHolds) {
			if i%2 == 0 {
				p.deliver(actor.KindLink, ref.PID(), i+1, "")
				p.deliver(actor.KindUnlink, ref.PID(), i+1, string(actor.Failed))
			} else {
				p.deliver(actor.KindWatch, ref.PID(), i+1, "")
				p.deliver(actor.KindStop, ref.PID(), i+1, "")
				p.deliver(actor.KindStop, ref.PID(), i+1, "")
				p.deliver(actor.KindUnwatch, ref.PID(), i+1, "")
			}
			if i == 1000 {
				p.beta.NodeDown("mallory", uuid.Nil)
			}
		}
		info, err := actor.Inspect(p.beta, ref.PID())
		if err != nil || info.Depth > actor.MaxHolds+2 {
			t.Fatal(info.Depth, err)
		}
		wantFar(t, p.beta, 0, actor.MaxHolds)
		close(gate)
		wantFar(t, p.beta, 0, 0)
	})
}

func TestEnvelopesOfTheRuntimeThatMeanNothingAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		target := does(t, p.beta, "target")
		for kind := actor.KindWatch; kind < actor.KindStop+5; kind++ {
			for _, pid := range []actor.PID{{}, target.PID(), actor.Named("x@gamma"), actor.Named("bad name")} {
				for _, from := range []actor.PID{{}, actor.Named("x@mallory"), actor.ExactPID("beta", uuid.New(), 1), p.self} {
					for _, number := range []uint64{0, 1} {
						_ = p.beta.Deliver(&actor.Envelope{Kind: kind, Target: pid, Sender: from, Correlation: number, Type: "failed", Body: []byte{0xc1}})
					}
				}
			}
		}
		synctest.Wait()
		p.beta.NodeDown("mallory", uuid.Nil)
		wantFar(t, p.beta, 0, 0)
	})
}

// C51, C52: from one another's nodes, as within one.
func TestAFailureEndsWhoIsLinkedElsewhereToo(t *testing.T) {
	fail := func(*actor.Context) error { return errOwn }
	for _, test := range []struct {
		what   string
		made   func(c *actor.Context, pid actor.PID) error
		end    func(t *testing.T, s *actor.System, ref doer)
		linked bool // the other fails
	}{
		{what: "failure", linked: true, made: (*actor.Context).Link,
			end: func(t *testing.T, s *actor.System, ref doer) { tell(t, s, ref, fail) }},
		{what: "failure after Unlink",
			made: func(c *actor.Context, pid actor.PID) error { err := c.Link(pid); c.Unlink(pid); return err },
			end:  func(t *testing.T, s *actor.System, ref doer) { tell(t, s, ref, fail) }},
		{what: "stop", made: (*actor.Context).Link,
			end: func(t *testing.T, s *actor.System, ref doer) { stop(t, s, ref) }},
		{what: "node down", linked: true, made: (*actor.Context).Link,
			end: func(t *testing.T, s *actor.System, ref doer) {
				other := map[string]string{"alpha": "beta", "beta": "alpha"}[s.Node()]
				s.NodeDown(other, uuid.Nil) // both hear of it
			}},
	} {
		for first := range 2 {
			for _, named := range []bool{false, true} {
				t.Run(fmt.Sprint(test.what, first, named), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						_, nodes := join(t, actor.Config{}, "alpha", "beta")
						pair := []doer{does(t, nodes[0], "a", actor.Restart(actor.Temporary)), does(t, nodes[1], "b", actor.Restart(actor.Temporary))}
						pid := pair[1].PID()
						if named {
							pid = actor.Named("b@beta")
						}
						turn(t, nodes[0], pair[0], func(c *actor.Context) error { return test.made(c, pid) })
						synctest.Wait()
						test.end(t, nodes[first], pair[first])
						synctest.Wait()
						err := pair[1-first].Tell(nodes[1-first], func(*actor.Context) error { return nil })
						if (err != nil) != test.linked {
							t.Fatal(err)
						}
						wantFar(t, nodes[0], 0, 0)
						wantFar(t, nodes[1], 0, 0)
					})
				})
			}
		}
	}
}

func TestALinkToNobodyElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha := nodes[0]
		a := does(t, alpha, "a", actor.Restart(actor.Temporary))
		turn(t, alpha, a, func(c *actor.Context) error {
			wantErr(t, c.Link(actor.Named("x@gamma")), actor.ErrNoNode)
			return c.Link(actor.Named("nobody@beta"))
		})
		synctest.Wait()
		wantErr(t, a.Tell(alpha, nil), actor.ErrNoActor)
	})
}

// A restart of who made it ends a link; one of the other does not.
func TestARestartAndALinkElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{Supervision: tireless}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		a, b := does(t, alpha, "a", actor.Restart(actor.Transient)), does(t, beta, "b")
		link := func(c *actor.Context) error { return c.Link(b.PID()) }
		turn(t, alpha, a, link)
		tell(t, beta, b, func(*actor.Context) error { return errOwn })
		wantFar(t, beta, 0, 1)
		tell(t, alpha, a, func(*actor.Context) error { return errOwn })
		wantFar(t, beta, 0, 0)
		wantFar(t, alpha, 0, 0)
		turn(t, alpha, a, link)
		stop(t, alpha, a)
		wantFar(t, beta, 0, 0)
		if info, err := actor.Inspect(beta, b.PID()); err != nil || info.Failed != 1 {
			t.Fatal(info, err)
		}
	})
}

// Two links between two actors, one from each, are one failure.
func TestLinksFromBothSidesAreOneFailure(t *testing.T) {
	for range 20 { // a map's order is of no consequence
		synctest.Test(t, func(t *testing.T) {
			_, nodes := join(t, actor.Config{Supervision: steady(actor.OneForOne, 10)}, "alpha", "beta")
			a := does(t, nodes[0], "a", actor.Restart(actor.Temporary))
			b := does(t, nodes[1], "b")
			turn(t, nodes[0], a, func(c *actor.Context) error { return errors.Join(c.Link(b.PID()), c.Link(b.PID())) })
			turn(t, nodes[1], b, func(c *actor.Context) error { return c.Link(a.PID()) })
			synctest.Wait()
			tell(t, nodes[0], a, func(*actor.Context) error { return errOwn })
			time.Sleep(time.Minute)
			if info, err := actor.Inspect(nodes[1], b.PID()); err != nil || info.Failed != 1 || info.Restarts != 1 {
				t.Fatal(info, err)
			}
			wantFar(t, nodes[0], 0, 0)
			wantFar(t, nodes[1], 0, 0)
		})
	}
}

func TestStopEndsAnActorElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		ref, gate, handled := gated(t, beta, "gated")
		tell(t, alpha, ref, 1, 2)
		synctest.Wait()
		done := make(chan error)
		go func() { done <- actor.Stop(t.Context(), alpha, actor.Named("gated@beta")) }()
		synctest.Wait()
		tell(t, alpha, ref, 3)
		gate <- struct{}{}
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatal("it returned before the actor had gone:", err)
		default:
		}
		gate <- struct{}{}
		wantErr(t, <-done, nil)
		if got := handled.all(); !slices.Equal(got, []int{1, 2}) {
			t.Fatal(got)
		}
		wantErr(t, actor.Stop(t.Context(), alpha, ref.PID()), actor.ErrNoActor)
		wantErr(t, actor.Stop(t.Context(), alpha, actor.Named("x@gamma")), actor.ErrNoNode)

		ref, gate, handled = gated(t, beta, "gated") // its name is free
		tell(t, alpha, ref, 1, 2)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- actor.Stop(ctx, alpha, ref.PID()) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		gate <- struct{}{}
		wantErr(t, <-done, nil)
		if got := handled.all(); !slices.Equal(got, []int{1}) { // the message in hand
			t.Fatal(got)
		}

		ref, gate, _ = gated(t, beta, "")
		tell(t, alpha, ref, 1)
		synctest.Wait()
		wantErr(t, actor.Stop(ctx, alpha, ref.PID()), context.Canceled) // it does not return
		go func() { done <- actor.Stop(t.Context(), alpha, ref.PID()) }()
		synctest.Wait()
		alpha.NodeDown("beta", beta.Incarnation())
		wantErr(t, <-done, actor.ErrUnreachable)
		close(gate)
		w.lose = nil
		wantFar(t, alpha, 0, 0)
		wantFar(t, beta, 0, 0)
	})
}
