package actor_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// C44
func TestStopHandlesWhatWasToldBeforeAndDropsWhatComesAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, gate, handled := gated(t, s, "x")
		for i := range 100 {
			tell(t, s, ref, i)
		}
		go actor.Stop(t.Context(), s, ref.PID())
		synctest.Wait()
		for i := range 50 {
			tell(t, s, ref, 100+i)
		}
		close(gate)
		synctest.Wait()
		if got := handled.all(); len(got) != 100 || got[99] != 99 {
			t.Fatalf("handled %v", got)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 50})
		wantErr(t, ref.Tell(s, 1), actor.ErrNoActor)
	})
}

func TestStopWithAnEndedContextFinishesTheMessageInHandOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, gate, handled := gated(t, s, "x")
		for i := range 150 {
			tell(t, s, ref, i)
		}
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		time.AfterFunc(100*time.Millisecond, func() { close(gate) })
		if err := actor.Stop(ended, s, ref.PID()); err != nil {
			t.Fatal(err)
		}
		if got := handled.all(); !slices.Equal(got, []int{0}) {
			t.Fatalf("handled %v", got)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 149})
	})
}

func TestStopTurnsIntoOneAtOnceWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref := spawn(t, s, "x", func(c *actor.Context, n int) error {
			time.Sleep(time.Second)
			return nil
		})
		tell(t, s, ref, 1, 2, 3, 4, 5)
		began := time.Now()
		if err := actor.Stop(within(t, 2500*time.Millisecond), s, ref.PID()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Fatalf("took %v", took)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 2})
	})
}

func TestStopGivesUpOnAHandlerThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, gate, _ := gated(t, s, "x")
		tell(t, s, ref, 1)
		began := time.Now()
		wantErr(t, actor.Stop(within(t, time.Second), s, ref.PID()), context.DeadlineExceeded)
		if took := time.Since(began); took != 2*time.Second {
			t.Fatalf("took %v", took)
		}
		close(gate)
		synctest.Wait()
		spawn(t, s, "x", func(*actor.Context, int) error { return nil })
	})
}

// C45
func TestStopHookRunsOnceHoweverOftenTheActorIsStopped(t *testing.T) {
	for range 20 {
		s := start(t, actor.Config{})
		var stopped atomic.Int32
		ref, err := actor.SpawnNew(s, "x", func() *player[int] {
			return &player[int]{
				receive: func(c *actor.Context, n int) error { c.Stop(); return nil },
				stop:    func(*actor.Context) error { stopped.Add(1); panic("a hook that panics") },
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ref.Ask(t.Context(), s, 0); err == nil {
			t.Fatal("no error without a reply")
		}
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%3 == 0 {
					cancel()
				}
				if i%10 == 9 {
					if err := s.Close(ctx); err != nil {
						t.Error(err)
					}
					return
				}
				_ = actor.Stop(ctx, s, ref.PID())
			})
		}
		all.Wait()
		if n := stopped.Load(); n != 1 {
			t.Fatalf("the stop hook ran %d times", n)
		}
	}
}

func TestAStopHookThatEndsItsGoroutineHoldsNothingUp(t *testing.T) {
	s := start(t, actor.Config{})
	ref, err := actor.SpawnNew(s, "x", func() *player[int] {
		return &player[int]{
			receive: func(c *actor.Context, n int) error { return errOwn },
			stop:    func(*actor.Context) error { runtime.Goexit(); return nil },
		}
	}, actor.HWM(1), actor.Wait(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	tell(t, s, ref, 1, 2)
	stop(t, s, ref)
	wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 2})
}

// named is an actor that logs its stop hook.
func named(t *testing.T, in actor.Scope, name string, log *list[string]) actor.Ref[func(*actor.Context) error] {
	t.Helper()
	ref, err := actor.SpawnNew(in, name, func() *player[func(*actor.Context) error] {
		return &player[func(*actor.Context) error]{
			receive: func(c *actor.Context, f func(*actor.Context) error) error { return f(c) },
			stop:    func(*actor.Context) error { log.add(name); return nil },
		}
	})
	if err != nil {
		t.Error(err)
	}
	return ref
}

// C49
func TestATreeStopsFromItsYoungestLeaves(t *testing.T) {
	for _, how := range []string{"stop", "close", "context"} {
		s := start(t, actor.Config{Node: "n"})
		log := new(list[string])
		named(t, s, "first", log)
		root := named(t, s, "root", log)
		tell(t, s, root, func(c *actor.Context) error {
			for _, name := range []string{"db", "reader", "writer"} {
				named(t, c, name, log)
			}
			return nil
		})
		want := []string{"writer", "reader", "db", "root"}
		switch how {
		case "stop":
			stop(t, s, root)
		case "close":
			want = append(want, "first")
			if err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		case "context":
			tell(t, s, root, func(c *actor.Context) error { c.Stop(); return nil })
			if err := actor.Stop(t.Context(), s, root.PID()); err != nil {
				wantErr(t, err, actor.ErrNoActor)
			}
		}
		if got := log.all(); !slices.Equal(got, want) {
			t.Fatalf("%s: %q", how, got)
		}
	}
}

func TestAnActorCannotWaitForItsOwnEnd(t *testing.T) {
	s := start(t, actor.Config{})
	log := new(list[string])
	root := named(t, s, "root", log)
	ask := func(f func(*actor.Context) error) error {
		_, err := root.Ask(within(t, 10*time.Second), s, f)
		return err
	}
	wantErr(t, ask(func(c *actor.Context) error {
		return c.Reply(actor.Stop(context.Background(), c, c.Self()))
	}), actor.ErrDeadlock)
	wantErr(t, ask(func(c *actor.Context) error {
		child := named(t, c, "child", log)
		_, err := child.Ask(c, c, func(inner *actor.Context) error {
			return inner.Reply(actor.Stop(context.Background(), inner, c.Self()))
		})
		return c.Reply(err)
	}), actor.ErrDeadlock)
	if err := ask(func(c *actor.Context) error {
		child := named(t, c, "other", log)
		return c.Reply(fmt.Sprint(actor.Stop(context.Background(), c, child.PID())))
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAStoppingParentTakesNoChildren(t *testing.T) {
	s := start(t, actor.Config{})
	errs := make(chan error, 1)
	ref, err := actor.SpawnNew(s, "", func() *player[int] {
		return &player[int]{stop: func(c *actor.Context) error {
			_, err := actor.Spawn(c, "late", func(*actor.Context, int) error { return nil })
			errs <- err
			return nil
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, s, ref)
	wantErr(t, <-errs, actor.ErrClosed)
}

func TestAStopHookMayAskThoseThatLive(t *testing.T) {
	s := start(t, actor.Config{})
	db := spawn(t, s, "db", func(c *actor.Context, n int) error { return c.Reply(n) })
	errs := make(chan error, 1)
	if _, err := actor.SpawnNew(s, "user", func() *player[int] {
		return &player[int]{stop: func(c *actor.Context) error {
			_, err := db.Ask(context.WithoutCancel(c), c, 1)
			errs <- err
			return nil
		}}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Ask(t.Context(), s, 0); err != nil {
		t.Fatal(err)
	}
	// The start of "user" is its first turn, which Close waits for.
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantErr(t, <-errs, nil)
}

// C39
func TestAStoppedActorsQueueIsNotKept(t *testing.T) {
	s := start(t, actor.Config{HWM: 1 << 20})
	ref := spawn(t, s, "", func(c *actor.Context, b []byte) error {
		if b != nil {
			<-c.Done()
		}
		return nil
	})
	before := heap()
	for range 50_000 {
		tell(t, s, ref, make([]byte, 1024))
	}
	full := heap()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := actor.Stop(ended, s, ref.PID()); err != nil {
		t.Fatal(err)
	}
	if after := heap(); after > before+(full-before)/20 {
		t.Fatalf("%d bytes before, %d full, %d after", before, full, after)
	}
}

// What was queued with a message that takes long, and handled before it, is garbage.
func TestAHandledMessageIsNotKept(t *testing.T) {
	s := start(t, actor.Config{})
	gate, busy := make(chan struct{}), make(chan struct{})
	ref := spawn(t, s, "", func(c *actor.Context, b *[1024]byte) error {
		if b == nil {
			busy <- struct{}{}
			<-gate
		}
		return nil
	})
	defer close(gate)
	tell(t, s, ref, nil)
	<-busy
	b := new([1024]byte)
	collected := make(chan struct{})
	runtime.AddCleanup(b, func(done chan struct{}) { close(done) }, collected)
	tell(t, s, ref, b, nil) // in one batch
	b = nil
	gate <- struct{}{}
	<-busy
	eventually(t, func() bool {
		runtime.GC()
		select {
		case <-collected:
			return true
		default:
			return false
		}
	})
}

func TestAContextOfAnInstanceThatHasEndedDoesNotStopTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		var old *actor.Context
		ref := spawn(t, s, "", func(c *actor.Context, m string) error {
			if m == "fail" {
				old = c
				return errOwn
			}
			return c.Reply(m)
		})
		tell(t, s, ref, "fail")
		time.Sleep(time.Minute)
		synctest.Wait()
		old.Stop()
		synctest.Wait()
		if m, err := actor.As[string](ref.Ask(t.Context(), s, "still here")); err != nil || m != "still here" {
			t.Error(m, err)
		}
	})
}
