package actor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// slowTrio is a crew of db, reader, and one whose second start takes a minute and comes to err.
func slowTrio(t *testing.T, s *actor.System, err error) *crew {
	starts := 0
	return hire(t, s, steady(actor.OneForAll, 5), func(w *crew, c *actor.Context) error {
		if err := errors.Join(w.spawn(c, "db"), w.spawn(c, "reader")); err != nil {
			return err
		}
		_, spawned := actor.SpawnNew(c, "slow", func() *player[string] {
			return &player[string]{start: func(*actor.Context) error {
				if starts++; starts == 2 {
					time.Sleep(time.Minute)
					return err
				}
				return nil
			}}
		})
		return spawned
	})
}

func TestAMemberThatFailsBeforeTheRestartIsOverStartsAnew(t *testing.T) {
	for _, slow := range []error{nil, errOwn} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{})
			w := slowTrio(t, s, slow)
			w.want(t, "start boss", "start db", "start reader")
			tell(t, s, w.refs["db"], "fail")
			time.Sleep(2 * time.Second)
			w.want(t, "stop reader", "stop db", "start db", "start reader")
			tell(t, s, w.refs["reader"], "fail", "hello")
			time.Sleep(50 * time.Second)
			w.want(t) // it waits for what becomes of the restart
			time.Sleep(12 * time.Second)
			w.want(t, "stop reader", "stop db", "start db", "start reader", "reader: hello")
			wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 2})
			info, err := actor.Inspect(s, w.refs["reader"].PID())
			if err != nil || info.Failed != 1 || info.Restarts != 2 {
				t.Fatalf("%+v, %v", info, err)
			}
		})
	}
}

func TestAFailureDuringTheRestartOfOthersCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		w := hire(t, s, steady(actor.RestForOne, 5), trio)
		w.heard()
		tell(t, s, w.refs["writer"], "fail")
		synctest.Wait()
		tell(t, s, w.refs["db"], "fail")
		time.Sleep(time.Minute)
		info, err := actor.Inspect(s, w.refs["db"].PID())
		if err != nil || info.Failed != 1 || info.Restarts != 1 {
			t.Fatalf("%+v, %v", info, err)
		}
	})
}

func TestAFailedStartInARestartOfSeveralIsCounted(t *testing.T) {
	for _, name := range []string{"db", "reader", "writer"} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{})
			var failed list[string]
			if _, err := actor.Subscribe(s, func(e actor.ActorFailed) { failed.add(e.Name) }); err != nil {
				t.Fatal(err)
			}
			w := hire(t, s, steady(actor.OneForAll, 5), trio)
			w.sulk[name] = 2
			tell(t, s, w.refs["reader"], "fail")
			time.Sleep(time.Minute)
			if got, want := failed.all(), []string{"boss/reader", "boss/" + name, "boss/" + name}; !slices.Equal(got, want) {
				t.Fatal(got)
			}
		})
	}
}

func TestAMemberThatIsLetStopDoesNotHarmTheOthers(t *testing.T) {
	for _, leader := range []string{"db", "reader", "writer"} {
		for _, sulks := range []string{"db", "reader", "writer"} {
			if leader == sulks {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				s := start(t, actor.Config{})
				rules := steady(actor.OneForAll, 5)
				rules.Decide = func(err error) actor.Decision {
					if err == errOwn {
						return actor.DecideStop
					}
					return actor.DecideRestart
				}
				w := hire(t, s, rules, trio)
				w.heard()
				w.sulk[sulks] = 1
				tell(t, s, w.refs[leader], "panic")
				time.Sleep(time.Minute)
				got := w.heard()
				want := []string{"stop writer", "stop reader", "stop db"}
				for _, name := range []string{"db", "reader", "writer"} {
					if name == sulks {
						want = append(want, "can't start "+name)
					} else {
						want = append(want, "start "+name)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("got  %q\nwant %q", got, want)
				}
				for _, name := range []string{"db", "reader", "writer"} {
					if name != sulks {
						tell(t, s, w.refs[name], "hello")
					}
				}
				synctest.Wait()
				wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
			})
		}
	}
}

func TestNobodyStartsWhenTheFailureOfARestartIsEscalated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: steady(actor.OneForOne, -1)})
		w := hire(t, s, steady(actor.RestForOne, 2), trio)
		w.heard()
		w.sulk["reader"] = 9
		tell(t, s, w.refs["reader"], "fail")
		time.Sleep(time.Minute)
		w.want(t, "stop writer", "stop reader", "can't start reader", "can't start reader", "stop db", "stop boss")
	})
}

func TestAStopDuringAStopHookDoesNotWaitForThePause(t *testing.T) {
	for _, strategy := range []actor.Strategy{actor.OneForOne, actor.OneForAll} {
		for stopped := range 2 { // the one that failed, and its sibling
			synctest.Test(t, func(t *testing.T) {
				s := start(t, actor.Config{Supervision: steady(strategy, 5)})
				var refs []actor.Ref[int]
				for i := range 2 {
					ref, err := actor.SpawnNew(s, "", func() *player[int] {
						return &player[int]{
							receive: func(*actor.Context, int) error { return errOwn },
							stop: func(*actor.Context) error {
								if i == stopped {
									time.Sleep(500 * time.Millisecond)
								}
								return nil
							},
						}
					})
					if err != nil {
						t.Fatal(err)
					}
					refs = append(refs, ref)
				}
				tell(t, s, refs[0], 1)
				synctest.Wait()
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				if err := actor.Stop(ended, s, refs[stopped].PID()); err != nil {
					t.Fatal(strategy, stopped, err)
				}
			})
		}
	}
}

func TestADecisionThatEndsItsGoroutineIsARestartOfAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		rules := steady(actor.OneForAll, 5)
		rules.Decide = func(error) actor.Decision { runtime.Goexit(); return actor.DecideResume }
		w := hire(t, s, rules, trio)
		w.heard()
		tell(t, s, w.refs["reader"], "fail", "hello")
		time.Sleep(time.Minute)
		w.want(t, "stop writer", "stop reader", "stop db", "start db", "start reader", "start writer", "reader: hello")
	})
}

func TestAMemberThatFailsWhileItIsCalledGoesOnInALifeThatHasNotEnded(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{Supervision: actor.Supervision{Strategy: actor.OneForAll, Intensity: actor.Unlimited, Backoff: -1}})
			var refs []actor.Ref[int]
			for range 3 {
				ref, err := actor.SpawnNew(s, "", func() *player[int] {
					return &player[int]{receive: func(c *actor.Context, n int) error {
						if n > 0 {
							return errOwn
						}
						return c.Reply(c.Err() == nil)
					}}
				}, actor.Shutdown(0))
				if err != nil {
					t.Fatal(err)
				}
				refs = append(refs, ref)
			}
			for _, ref := range refs {
				tell(t, s, ref, 1, 2, 3, 4)
			}
			synctest.Wait()
			for _, ref := range refs {
				if living, err := actor.As[bool](ref.Ask(t.Context(), s, 0)); err != nil || !living {
					t.Fatal(living, err)
				}
			}
		})
	}
}
