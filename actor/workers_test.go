package actor_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// C56
func TestHandlersThatBlockStarveNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		for range 1000 {
			tell(t, s, spawn(t, s, "", func(*actor.Context, int) error { time.Sleep(time.Hour); return nil }), 1)
		}
		echo := spawn(t, s, "", func(c *actor.Context, n int) error { return c.Reply(n) })
		began := time.Now()
		var late time.Duration
		turn(t, s, does(t, s, ""), func(c *actor.Context) error {
			c.After(time.Second, func() error { late = time.Since(began) - time.Second; return nil })
			return nil
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		asked := time.Now()
		if _, err := echo.Ask(t.Context(), s, 1); err != nil || time.Since(asked) != 0 || late != 0 {
			t.Fatal(err, time.Since(asked), late)
		}
		time.Sleep(2 * time.Hour)
	})
}

// Handlers that keep all processors busy let others run, as goroutines do.
func TestHandlersThatComputeStarveNobody(t *testing.T) {
	s := start(t, actor.Config{})
	var over atomic.Bool
	for range 4 * runtime.GOMAXPROCS(0) {
		tell(t, s, spawn(t, s, "", func(*actor.Context, int) error {
			for !over.Load() {
			}
			return nil
		}), 1)
	}
	defer over.Store(true)
	echo := spawn(t, s, "", func(c *actor.Context, n int) error { return c.Reply(n) })
	for range 10 {
		if _, err := echo.Ask(within(t, 10*time.Second), s, 1); err != nil {
			t.Fatal(err)
		}
	}
}

// An idle actor has no goroutine, and the workers of a burst don't stay for ever.
func TestIdleActorsNeedNoGoroutines(t *testing.T) {
	s := start(t, actor.Config{})
	before := runtime.NumGoroutine()
	handled := make(chan struct{}, 10_000)
	for range 10_000 {
		tell(t, s, spawn(t, s, "", func(*actor.Context, int) error { handled <- struct{}{}; return nil }), 1)
	}
	for range 10_000 {
		<-handled
	}
	if n := runtime.NumGoroutine(); n > before+64*runtime.GOMAXPROCS(0) {
		t.Fatalf("%d goroutines, %d before", n, before)
	}
}
