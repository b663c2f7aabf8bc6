package actor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// steady restarts after exact pauses of a second, as nearly as synctest's clock and the random part let one tell.
func steady(strategy actor.Strategy, intensity int) actor.Supervision {
	return actor.Supervision{Strategy: strategy, Intensity: intensity, Period: time.Minute, Backoff: time.Second, MaxBackoff: time.Hour}
}

// C47
func TestRestartsAreCountedAndTheirPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: actor.Supervision{Intensity: 3, Backoff: 100 * time.Millisecond}})
		var starts list[time.Time]
		stops := 0
		ref, err := actor.SpawnNew(s, "x", func() *player[int] {
			return &player[int]{
				start:   func(*actor.Context) error { starts.add(time.Now()); return nil },
				receive: func(*actor.Context, int) error { panic("always") },
				stop:    func(*actor.Context) error { stops++; return nil },
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			tell(t, s, ref, i)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		times := starts.all()
		if len(times) != 4 || stops != 4 {
			t.Fatalf("%d starts, %d stop hooks", len(times), stops)
		}
		for i, most := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
			if gap := times[i+1].Sub(times[i]); gap < most/2 || gap > most {
				t.Errorf("pause %d: %v", i, gap)
			}
		}
		wantErr(t, ref.Tell(s, 1), actor.ErrNoActor)
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 4, actor.Stopped: 96})
	})
}

func TestAFailedStartIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: steady(actor.OneForOne, 3)})
		tries := 0
		flaky := func(until int) func() *player[int] {
			return func() *player[int] {
				tries++
				return &player[int]{
					start: func(*actor.Context) error {
						if tries < until {
							return errOwn
						}
						return nil
					},
					receive: func(c *actor.Context, n int) error { return c.Reply(n) },
				}
			}
		}
		ref, err := actor.SpawnNew(s, "x", flaky(3))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ref.Ask(t.Context(), s, 1); err != nil || tries != 3 {
			t.Fatal(tries, err)
		}
		time.Sleep(time.Hour)
		tries = 0
		hopeless, err := actor.SpawnNew(s, "y", flaky(1000))
		if err != nil {
			t.Fatal(err)
		}
		_, err = hopeless.Ask(t.Context(), s, 1)
		wantErr(t, err, actor.ErrNoActor)
		if tries != 4 {
			t.Fatalf("%d starts", tries)
		}
		synctest.Wait()
		spawn(t, s, "y", func(*actor.Context, int) error { return nil })
	})
}

func TestOverTheIntensityTheParentFailsAndAtTheTopTheActorStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reasons list[error]
		rules := steady(actor.OneForOne, 1)
		rules.Decide = func(err error) actor.Decision { reasons.add(err); return actor.DecideRestart }
		s := start(t, actor.Config{Node: "n", Supervision: rules})
		w := hire(t, s, steady(actor.OneForOne, -1), trio)
		w.heard()
		tell(t, s, w.refs["reader"], "fail")
		time.Sleep(2 * time.Second)
		w.want(t, "stop reader", "stop writer", "stop db", "stop boss", "start boss", "start db", "start reader", "start writer")
		tell(t, s, w.refs["writer"], "fail")
		w.want(t, "stop writer", "stop reader", "stop db", "stop boss")
		wantErr(t, actor.RefTo[int](actor.Named("boss@n")).Tell(s, 1), actor.ErrNoActor)
		for _, err := range reasons.all() {
			wantErr(t, err, actor.ErrEscalated)
			wantErr(t, err, errOwn)
		}
		if n := len(reasons.all()); n != 2 {
			t.Fatalf("%d decisions", n)
		}
	})
}

func TestTheSupervisorDecidesByTheError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		decide := map[string]actor.Decision{"resume": actor.DecideResume, "stop": actor.DecideStop, "restart": actor.DecideRestart}
		s := start(t, actor.Config{Supervision: actor.Supervision{
			Decide: func(err error) actor.Decision { return decide[err.Error()] },
		}})
		ref, err := actor.SpawnNew(s, "", func() *player[string] {
			n := 0
			return &player[string]{receive: func(c *actor.Context, m string) error {
				if m != "count" {
					return errors.New(m)
				}
				n++
				return c.Reply(n)
			}}
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			m    string
			want int
		}{{"count", 1}, {"resume", 0}, {"count", 2}, {"restart", 0}, {"count", 1}} {
			n, err := actor.As[int](ref.Ask(t.Context(), s, step.m))
			if n != step.want || step.want == 0 && !errors.Is(err, actor.ErrFailed) {
				t.Fatal(step, n, err)
			}
		}
		tell(t, s, ref, "stop")
		synctest.Wait()
		wantErr(t, ref.Tell(s, "count"), actor.ErrNoActor)
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 3})
	})
}

func TestRestartTypesSayWhoComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		w := hire(t, s, steady(actor.OneForAll, 10), func(w *crew, c *actor.Context) error {
			return errors.Join(w.spawn(c, "permanent", actor.Restart(actor.Permanent)), w.spawn(c, "transient"),
				w.spawn(c, "temporary", actor.Restart(actor.Temporary)))
		})
		w.heard()
		tell(t, s, w.refs["permanent"], "stop", "hello")
		time.Sleep(time.Minute)
		w.want(t, "stop temporary", "stop transient", "stop permanent", "start permanent", "start transient", "permanent: hello")
		tell(t, s, w.refs["transient"], "stop")
		w.want(t, "stop transient")
		stop(t, s, w.refs["permanent"])
		w.want(t, "stop permanent")
		time.Sleep(time.Minute)
		w.want(t)
	})
}

func TestStopDoesNotWaitForThePauseBeforeARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: steady(actor.OneForOne, 5)})
		w := hire(t, s, steady(actor.OneForAll, 5), trio)
		alone := spawn(t, s, "alone", func(*actor.Context, int) error { return errOwn })
		tell(t, s, w.refs["reader"], "fail")
		tell(t, s, alone, 1, 2)
		synctest.Wait()
		began := time.Now()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := errors.Join(actor.Stop(ended, s, alone.PID()), actor.Stop(ended, s, w.boss.PID())); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 0 {
			t.Fatalf("took %v", took)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 2, actor.Stopped: 1})
		w.want(t, "start boss", "start db", "start reader", "start writer", "stop writer", "stop reader", "stop db", "stop boss")
	})
}

func TestAChildThatDoesNotStopHoldsItsParentUpForItsShutdownTimeOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		w := hire(t, s, steady(actor.OneForAll, 5), func(w *crew, c *actor.Context) error {
			return errors.Join(w.spawn(c, "polite", actor.Shutdown(3*time.Second)), w.spawn(c, "deaf", actor.Shutdown(time.Second)))
		})
		tell(t, s, w.refs["polite"], "hang")
		tell(t, s, w.refs["deaf"], "hang for ever")
		synctest.Wait()
		began := time.Now()
		stop(t, s, w.boss)
		// deaf: its second and one more; polite: its three.
		if took := time.Since(began); took != 5*time.Second {
			t.Fatalf("took %v", took)
		}
		time.Sleep(1000 * time.Hour)
		w.want(t, "start boss", "start polite", "start deaf", "stop polite", "stop boss", "stop deaf")
	})
}

func TestASiblingThatIsBusyJoinsTheRestartWhenItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		w := hire(t, s, steady(actor.OneForAll, 5), func(w *crew, c *actor.Context) error {
			return errors.Join(w.spawn(c, "db"), w.spawn(c, "deaf", actor.Shutdown(time.Second)))
		})
		tell(t, s, w.refs["deaf"], "hang for ever", "hello")
		synctest.Wait()
		tell(t, s, w.refs["db"], "fail", "hello")
		time.Sleep(time.Minute)
		w.want(t, "start boss", "start db", "start deaf", "stop db", "start db", "db: hello")
		time.Sleep(1000 * time.Hour)
		w.want(t, "stop deaf", "start deaf", "deaf: hello")
	})
}

// C48, C49: children are gone before their parent starts anew; in whatever state a tree is, Close ends it in time.
func TestAStormOfFailuresInTreesEndsWithEverythingAccountedFor(t *testing.T) {
	for seed := range uint64(6) {
		s := start(t, actor.Config{Node: "n", HWM: 50, Wait: time.Microsecond, Supervision: tireless})
		var accepted, handled atomic.Uint64
		child := func() *player[int] {
			return &player[int]{
				start: func(*actor.Context) error {
					if rand.IntN(10) == 0 {
						return errOwn
					}
					return nil
				},
				receive: func(c *actor.Context, n int) error {
					switch n % 23 {
					case 0:
						return errOwn
					case 1:
						panic("storm")
					case 2:
						c.Stop()
					}
					handled.Add(1)
					return nil
				},
			}
		}
		for boss := range 3 {
			rules := actor.Supervision{Strategy: actor.Strategy(boss), Intensity: 20, Period: time.Second, Backoff: time.Microsecond, MaxBackoff: time.Millisecond}
			if _, err := actor.SpawnNew(s, fmt.Sprint("boss", boss), func() *player[int] {
				return &player[int]{
					start: func(c *actor.Context) error {
						for i := range 4 {
							if _, err := actor.SpawnNew(c, fmt.Sprint(i), child, actor.Restart(actor.RestartType(i%3))); err != nil {
								return err
							}
						}
						return nil
					},
					receive: func(c *actor.Context, n int) error { handled.Add(1); return nil },
				}
			}, actor.Supervise(rules)); err != nil {
				t.Fatal(err)
			}
		}
		var senders sync.WaitGroup
		for sender := range uint64(3) {
			rng := rand.New(rand.NewPCG(seed, sender))
			senders.Go(func() {
				for range 3000 {
					name := fmt.Sprintf("boss%d/%d@n", rng.IntN(3), rng.IntN(4))
					if rng.IntN(20) == 0 {
						name = fmt.Sprintf("boss%d@n", rng.IntN(3))
					}
					if actor.RefTo[int](actor.Named(name)).Tell(s, rng.IntN(1000)) == nil {
						accepted.Add(1)
					}
				}
			})
		}
		senders.Wait()
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := handled.Load() + countDead(s); got != accepted.Load() {
			t.Fatalf("seed %d: %d accepted; %d handled, dead letters %v", seed, accepted.Load(), handled.Load(), s.DeadLetters())
		}
	}
}

func TestADecisionMayLookAtTheSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s *actor.System
		looked := 0
		rules := steady(actor.OneForAll, 5)
		rules.Decide = func(error) actor.Decision {
			for range actor.Tree(s) {
				looked++
			}
			return actor.DecideStop
		}
		s = start(t, actor.Config{Supervision: rules})
		ref := spawn(t, s, "", func(*actor.Context, int) error { return errOwn })
		tell(t, s, ref, 1)
		synctest.Wait()
		wantErr(t, ref.Tell(s, 1), actor.ErrNoActor)
		if looked != 1 {
			t.Fatal(looked)
		}
	})
}
