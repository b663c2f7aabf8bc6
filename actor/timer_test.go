package actor_test

import (
	"runtime"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func TestTimersCallInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		var got list[time.Duration]
		began := time.Now()
		note := func() error { got.add(time.Since(began)); return nil }
		var every *actor.Timer
		turn(t, s, does(t, s, ""), func(c *actor.Context) error {
			c.After(2500*time.Millisecond, note)
			every = c.Every(time.Second, note)
			c.After(4500*time.Millisecond, func() error {
				if !every.Cancel() || every.Cancel() {
					t.Error("a timer is not cancelled once")
				}
				return nil
			})
			return nil
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		want := []time.Duration{1000, 2000, 2500, 3000, 4000}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(got.all(), want) {
			t.Fatal(got.all())
		}
	})
}

func TestACancelledTimerDoesNotCallThoughItsTurnWasQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref := does(t, s, "")
		turn(t, s, ref, func(c *actor.Context) error {
			never := func() error { t.Error("called"); return nil }
			for _, timer := range []*actor.Timer{c.After(time.Second, never), c.Every(time.Second, never)} {
				c.After(500*time.Millisecond, func() error {
					time.Sleep(time.Second) // both are queued now
					if !timer.Cancel() {
						t.Error("not cancelled")
					}
					return nil
				})
			}
			return nil
		})
		time.Sleep(time.Minute)
	})
}

func TestATimerThatFallsBehindMissesCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		var got list[time.Duration]
		began := time.Now()
		turn(t, s, does(t, s, ""), func(c *actor.Context) error {
			c.Every(time.Second, func() error {
				if got.add(time.Since(began)); len(got.all()) == 1 {
					time.Sleep(3500 * time.Millisecond)
				}
				return nil
			})
			return nil
		})
		time.Sleep(6500 * time.Millisecond)
		synctest.Wait()
		want := []time.Duration{1000, 4500, 5000, 6000}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(got.all(), want) {
			t.Fatal(got.all())
		}
	})
}

func TestTimersEndWithTheirInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: tireless})
		ref := does(t, s, "")
		calls := 0
		var kept *actor.Context
		turn(t, s, ref, func(c *actor.Context) error {
			kept = c
			c.Every(time.Second, func() error { calls++; return nil })
			c.After(2500*time.Millisecond, func() error { return errOwn })
			return nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if calls != 2 {
			t.Fatalf("%d calls", calls)
		}
		late := kept.After(0, func() error { t.Error("an instance that has ended was called"); return nil })
		if late.Cancel() {
			t.Fatal("a timer of an instance that has ended was to call")
		}
		turn(t, s, ref, func(c *actor.Context) error {
			c.Every(time.Second, func() error { calls++; return nil })
			return nil
		})
		stop(t, s, ref)
		time.Sleep(time.Minute)
		if calls != 2 {
			t.Fatalf("%d calls", calls)
		}
	})
}

// C55
func TestAOneShotThatStartsItselfAgainIsNeverLost(t *testing.T) {
	s := start(t, actor.Config{})
	done := make(chan struct{})
	n := 0
	tell(t, s, does(t, s, ""), func(c *actor.Context) error {
		var again func() error
		again = func() error {
			if n++; n == 5000 {
				close(done)
				return nil
			}
			c.After(10*time.Microsecond, again)
			return nil
		}
		return again()
	})
	<-done
}

// C55: 10,000 repeating timers that are not due need neither goroutines nor processor time.
func TestIdleTimersCostNextToNothing(t *testing.T) {
	s := start(t, actor.Config{})
	ref := does(t, s, "")
	goroutines := runtime.NumGoroutine()
	turn(t, s, ref, func(c *actor.Context) error {
		for range 10_000 {
			c.Every(time.Hour, func() error { return nil })
		}
		return nil
	})
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	runtime.GC()
	before := used()
	<-time.After(time.Second)
	if cost := used() - before; cost > 20*time.Millisecond {
		t.Errorf("%v of processor time in a second", cost)
	}
	if n := runtime.NumGoroutine(); n > goroutines+3 {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}
