package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// does is an actor that does what it is told.
func does(t *testing.T, in actor.Scope, name string, opts ...actor.Option) actor.Ref[func(*actor.Context) error] {
	t.Helper()
	return spawn(t, in, name, func(c *actor.Context, f func(*actor.Context) error) error { return f(c) }, opts...)
}

// turn has the actor do f and waits for that.
func turn(t *testing.T, s *actor.System, ref actor.Ref[func(*actor.Context) error], f func(*actor.Context) error) {
	t.Helper()
	_, err := ref.Ask(t.Context(), s, func(c *actor.Context) error { return c.Reply(f(c)) })
	if err != nil {
		t.Fatal(err)
	}
}

// C51, C52
func TestAWatchTellsOnceOfTheEndOfWhateverItWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "n"})
		var heard list[actor.Terminated]
		watcher := does(t, s, "watcher")
		nothing := func(*actor.Context, int) error { return nil }
		stopped := spawn(t, s, "stopped", nothing)
		quits := spawn(t, s, "", func(c *actor.Context, _ int) error { c.Stop(); return nil })
		fails := spawn(t, s, "", func(*actor.Context, int) error { return errOwn }, actor.Restart(actor.Temporary))
		restarts := spawn(t, s, "", func(*actor.Context, int) error { return errOwn })
		killed := spawn(t, s, "", nothing)
		unwatched := spawn(t, s, "", nothing)
		dead := spawn(t, s, "", nothing)
		stop(t, s, dead)
		byName := actor.Named("stopped@n")
		turn(t, s, watcher, func(c *actor.Context) error {
			var errs []error
			for _, pid := range []actor.PID{byName, stopped.PID(), quits.PID(), fails.PID(), restarts.PID(), killed.PID(),
				unwatched.PID(), dead.PID(), actor.Named("never@n"), {}, fails.PID(), dead.PID()} {
				errs = append(errs, c.Watch(pid, func(end actor.Terminated) error { heard.add(end); return nil }))
			}
			c.Unwatch(unwatched.PID())
			return errors.Join(errs...)
		})
		stop(t, s, stopped)
		tell(t, s, quits, 1)
		tell(t, s, fails, 1)
		tell(t, s, restarts, 1)
		stop(t, s, unwatched)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := actor.Stop(ended, s, killed.PID()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := map[actor.PID][]actor.Reason{}
		for _, end := range heard.all() {
			got[end.PID] = append(got[end.PID], end.Reason)
		}
		want := map[actor.PID][]actor.Reason{
			byName: {actor.Stopped}, quits.PID(): {actor.Stopped}, fails.PID(): {actor.Failed}, killed.PID(): {actor.Stopped},
			dead.PID(): {actor.NoActor}, actor.Named("never@n"): {actor.NoActor}, {}: {actor.NoActor},
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 2})
	})
}

func TestWhatCannotBeWatchedIsRefused(t *testing.T) {
	s := start(t, actor.Config{Node: "n"})
	watcher, other := does(t, s, ""), does(t, s, "")
	f := func(actor.Terminated) error { return nil }
	turn(t, s, watcher, func(c *actor.Context) error {
		wantErr(t, c.Watch(c.Self(), f), actor.ErrUsage)
		wantErr(t, c.Watch(other.PID(), nil), actor.ErrUsage)
		wantErr(t, c.Watch(actor.Named("no name"), f), actor.ErrName)
		wantErr(t, c.Link(actor.Named("x@n")), actor.ErrNoActor)
		return nil
	})
}

func TestTerminatedComesBehindWhatTheTargetSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		var got list[string]
		target := does(t, s, "target")
		watcher, err := actor.Spawn(s, "", func(c *actor.Context, m string) error {
			if m == "watch" {
				return c.Watch(target.PID(), func(actor.Terminated) error {
					got.add("terminated")
					_, err := actor.Spawn(c, "again", func(*actor.Context, int) error { return nil })
					return err
				})
			}
			got.add(m)
			return nil
		}, actor.HWM(3))
		if err != nil {
			t.Fatal(err)
		}
		tell(t, s, watcher, "watch")
		synctest.Wait()
		tell(t, s, target, func(c *actor.Context) error {
			for i := range 3 { // fills the mailbox
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

// C43: the name of an actor is free when its watcher hears of its end.
func TestANameIsFreeWhenItsWatcherHears(t *testing.T) {
	s := start(t, actor.Config{})
	done := make(chan struct{})
	n := 0
	var again func(c *actor.Context, _ actor.Terminated) error
	again = func(c *actor.Context, _ actor.Terminated) error {
		if n++; n == 1000 {
			close(done)
			return nil
		}
		ref, err := actor.Spawn(s, "x", func(c *actor.Context, _ int) error { c.Stop(); return nil })
		if err != nil {
			t.Error(err)
			close(done)
			return nil
		}
		return errors.Join(c.Watch(ref.PID(), func(end actor.Terminated) error { return again(c, end) }), ref.Tell(c, 1))
	}
	tell(t, s, does(t, s, ""), func(c *actor.Context) error { return again(c, actor.Terminated{}) })
	<-done
}

func TestARestartOfTheWatcherEndsItsWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: tireless})
		var heard list[string]
		target := does(t, s, "")
		watcher := does(t, s, "")
		watch := func(c *actor.Context) error {
			return c.Watch(target.PID(), func(end actor.Terminated) error { heard.add(string(end.Reason)); return nil })
		}
		turn(t, s, watcher, watch)
		tell(t, s, watcher, func(*actor.Context) error { return errOwn })
		turn(t, s, watcher, watch)
		stop(t, s, target)
		synctest.Wait()
		if got := heard.all(); len(got) != 1 {
			t.Fatalf("%q", got)
		}
	})
}

func TestAnErrorInACallbackIsAFailureButNoDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed list[error]
		s := start(t, actor.Config{Supervision: actor.Supervision{Decide: func(err error) actor.Decision {
			failed.add(err)
			return actor.DecideRestart
		}}})
		target, watcher := does(t, s, ""), does(t, s, "")
		turn(t, s, watcher, func(c *actor.Context) error {
			return c.Watch(target.PID(), func(actor.Terminated) error { return errOwn })
		})
		stop(t, s, target)
		synctest.Wait()
		if got := failed.all(); len(got) != 1 || !errors.Is(got[0], errOwn) {
			t.Fatal(got)
		}
		wantDead(t, s, map[actor.Reason]uint64{})
	})
}

func TestAFailureEndsWhoIsLinkedToo(t *testing.T) {
	for _, test := range []struct {
		what   string
		end    func(t *testing.T, s *actor.System, ref actor.Ref[func(*actor.Context) error])
		unlink bool
		linked bool // the other fails
	}{
		{what: "failure", linked: true, end: func(t *testing.T, s *actor.System, ref actor.Ref[func(*actor.Context) error]) {
			tell(t, s, ref, func(*actor.Context) error { return errOwn })
		}},
		{what: "failure after Unlink", unlink: true, end: func(t *testing.T, s *actor.System, ref actor.Ref[func(*actor.Context) error]) {
			tell(t, s, ref, func(*actor.Context) error { return errOwn })
		}},
		{what: "stop", end: func(t *testing.T, s *actor.System, ref actor.Ref[func(*actor.Context) error]) { stop(t, s, ref) }},
	} {
		for first := range 2 {
			t.Run(fmt.Sprint(test.what, first), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := start(t, actor.Config{})
					pair := []actor.Ref[func(*actor.Context) error]{
						does(t, s, "a", actor.Restart(actor.Temporary)), does(t, s, "b", actor.Restart(actor.Temporary)),
					}
					turn(t, s, pair[0], func(c *actor.Context) error {
						err := c.Link(pair[1].PID())
						if test.unlink {
							c.Unlink(pair[1].PID())
						}
						return err
					})
					test.end(t, s, pair[first])
					synctest.Wait()
					err := pair[1-first].Tell(s, func(*actor.Context) error { return nil })
					if (err != nil) != test.linked {
						t.Fatal(err)
					}
				})
			})
		}
	}
}

// Whoever made it, once or twice or both of them, a link is one, and its end one failure.
func TestASecondLinkChangesNothing(t *testing.T) {
	for _, back := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{Supervision: steady(actor.OneForOne, 10)})
			var failed atomic.Int32
			if _, err := actor.Subscribe(s, func(e actor.ActorFailed) {
				if errors.Is(e.Err, actor.ErrLinked) {
					failed.Add(1)
				}
			}); err != nil {
				t.Fatal(err)
			}
			link := func(c *actor.Context, pid actor.PID) error {
				if pid.IsZero() {
					return errOwn
				}
				return errors.Join(c.Link(pid), c.Link(pid))
			}
			a := spawn(t, s, "a", link, actor.Restart(actor.Temporary))
			b := spawn(t, s, "b", link)
			tell(t, s, a, b.PID())
			if back {
				tell(t, s, b, a.PID())
			}
			synctest.Wait()
			tell(t, s, a, actor.PID{})
			time.Sleep(time.Minute)
			if n := failed.Load(); n != 1 {
				t.Fatal(back, n)
			}
		})
	}
}

func TestAnEndedWatchOrLinkIsNotHeardThoughTheNewsIsQueued(t *testing.T) {
	for _, named := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{Node: "n"})
			heard := 0
			gate := make(chan struct{})
			target := spawn(t, s, "x", func(*actor.Context, int) error { return errOwn }, actor.Restart(actor.Temporary))
			pid := target.PID()
			if named {
				pid = actor.Named("x@n")
			}
			ref := spawn(t, s, "", func(c *actor.Context, m string) error {
				switch m {
				case "watch":
					return errors.Join(c.Link(pid), c.Watch(pid, func(actor.Terminated) error { heard++; return nil }))
				case "unwatch":
					<-gate
					c.Unwatch(pid)
					c.Unlink(pid)
				}
				return nil
			})
			tell(t, s, ref, "watch", "unwatch")
			synctest.Wait()
			tell(t, s, target, 1)
			synctest.Wait()
			close(gate)
			synctest.Wait()
			info, err := actor.Inspect(s, ref.PID())
			if err != nil || info.Failed > 0 || heard > 0 {
				t.Fatalf("named: %v, heard %d, %+v, %v", named, heard, info, err)
			}
		})
	}
}
