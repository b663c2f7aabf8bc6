package actor_test

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func TestAfterCloseEverythingIsRefused(t *testing.T) {
	s := start(t, actor.Config{Node: "alpha"})
	ref := spawn(t, s, "x", func(c *actor.Context, n int) error { return nil })
	for range 2 {
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, ref.Tell(s, 1), actor.ErrClosed)
		wantErr(t, actor.RefTo[int](actor.Named("y@beta")).Tell(s, 1), actor.ErrClosed)
		_, err := ref.Ask(t.Context(), s, 1)
		wantErr(t, err, actor.ErrClosed)
		_, err = actor.Spawn(s, "y", func(c *actor.Context, n int) error { return nil })
		wantErr(t, err, actor.ErrClosed)
	}
}

// C50
func TestCloseIsBoundedByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		gates := make(chan struct{})
		for range 10 {
			ref, gate, _ := gated(t, s, "")
			tell(t, s, ref, 1, 2, 3)
			go func() { <-gates; close(gate) }()
		}
		began := time.Now()
		wantErr(t, s.Close(within(t, time.Second)), context.DeadlineExceeded)
		if took := time.Since(began); took != 2*time.Second {
			t.Fatalf("took %v", took)
		}
		close(gates)
		synctest.Wait()
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 20})
	})
}

// C10: systems with unread messages leave no goroutines when they are closed.
func TestManySystemsLeaveNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 300 {
		s, err := actor.NewSystem(actor.Config{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ref := spawn(t, s, "x", func(c *actor.Context, n int) error { <-c.Done(); return nil })
		for i := range 100 {
			tell(t, s, ref, i)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Close(ended); err != nil {
			t.Fatal(err)
		}
		if dead := s.DeadLetters()[actor.Stopped]; dead < 99 {
			t.Fatalf("%d dead letters", dead)
		}
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+5 })
}

func TestCloseIsBoundedThoughAChildWasLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := actor.NewSystem(actor.Config{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		w := hire(t, s, steady(actor.OneForOne, 1), func(w *crew, c *actor.Context) error {
			return w.spawn(c, "deaf", actor.Shutdown(time.Second))
		})
		tell(t, s, w.refs["deaf"], "hang for ever")
		stop(t, s, w.boss)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		err = s.Close(ctx)
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("took %v", took)
		}
		wantErr(t, err, context.DeadlineExceeded)
		time.Sleep(2000 * time.Hour)
	})
}
