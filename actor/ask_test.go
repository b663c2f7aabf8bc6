package actor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

var errOwn = errors.New("my own error")

func TestAskGetsWhatBecameOfTheMessage(t *testing.T) {
	s := start(t, actor.Config{})
	ref := spawn(t, s, "judge", func(c *actor.Context, m string) error {
		switch m {
		case "reply":
			return c.Reply(m)
		case "refuse":
			return c.Reply(errOwn)
		case "fail":
			return errOwn
		case "panic":
			panic(m)
		case "panic with an error":
			panic(errOwn)
		case "nil reply":
			return c.Reply(nil)
		}
		return nil
	})
	ask := func(m string) error {
		_, err := ref.Ask(t.Context(), s, m)
		return err
	}
	if err := ask("reply"); err != nil {
		t.Fatal(err)
	}
	if err := ask("refuse"); err != errOwn {
		t.Fatalf("a refusal came as %v", err)
	}
	for _, m := range []string{"fail", "panic", "panic with an error"} {
		wantErr(t, ask(m), actor.ErrFailed)
	}
	wantErr(t, ask("fail"), errOwn)
	wantErr(t, ask("panic with an error"), errOwn)
	if err := ask("panic"); !strings.Contains(err.Error(), "panic: panic") {
		t.Fatal(err)
	}
	wantErr(t, ask("say nothing"), actor.ErrNoReply)
	a, err := ref.Ask(t.Context(), s, "nil reply")
	if v, err := actor.As[any](a, err); v != nil || err != nil {
		t.Fatal(v, err)
	}
	if v, err := a.Value(); v != nil || err != nil {
		t.Fatal(v, err)
	}
	wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 6})
}

// badError is an error whose methods panic if it is a nil pointer.
type badError struct{ text string }

func (e *badError) Error() string { return e.text }
func (e *badError) Unwrap() error { return errors.New(e.text) }

func TestAnErrorWhoseMethodsPanicEndsNothing(t *testing.T) {
	for _, how := range []string{"return", "panic", "wrapped"} {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		spawn(t, nodes[1], "bad", func(c *actor.Context, m string) error {
			err := (*badError)(nil)
			switch m {
			case "panic":
				panic(err)
			case "wrapped":
				return fmt.Errorf("wrapped: %w", err)
			}
			return err
		})
		ref := actor.RefTo[string](actor.Named("bad@beta"))
		for _, s := range nodes {
			_, err := ref.Ask(within(t, 10*time.Second), s, how)
			wantErr(t, err, actor.ErrFailed)
		}
	}
}

func TestReplyWithoutAnAskerIsAnErrorButNoFailure(t *testing.T) {
	s := start(t, actor.Config{})
	errs := make(chan error, 3)
	ref := spawn(t, s, "", func(c *actor.Context, m string) error {
		err := c.Reply(m)
		errs <- err
		if m == "twice" {
			errs <- c.Reply(m)
			return nil
		}
		return err
	})
	tell(t, s, ref, "told")
	wantErr(t, <-errs, actor.ErrNotAsked)
	if _, err := ref.Ask(t.Context(), s, "twice"); err != nil {
		t.Fatal(err)
	}
	wantErr(t, <-errs, nil)
	wantErr(t, <-errs, actor.ErrNotAsked)
	stop(t, s, ref)
	wantDead(t, s, map[actor.Reason]uint64{})
}

func TestAskOfOneselfFailsAtOnce(t *testing.T) {
	s := start(t, actor.Config{Node: "alpha"})
	ref := spawn(t, s, "narcissus", func(c *actor.Context, byName bool) error {
		self := actor.RefTo[bool](c.Self())
		if byName {
			self = actor.RefTo[bool](actor.Named("narcissus@alpha"))
		}
		_, err := self.Ask(context.Background(), c, true)
		return c.Reply(err)
	})
	for _, byName := range []bool{false, true} {
		_, err := ref.Ask(within(t, 10*time.Second), s, byName)
		wantErr(t, err, actor.ErrDeadlock)
	}
}

func TestALateReplyIsADeadLetterAndNeverTheNextAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref := spawn(t, s, "echo", func(c *actor.Context, m string) error {
			if m == "A" {
				time.Sleep(400 * time.Millisecond)
			}
			return c.Reply(m)
		})
		began := time.Now()
		_, err := ref.Ask(within(t, 100*time.Millisecond), s, "A")
		wantErr(t, err, context.DeadlineExceeded)
		if !strings.Contains(err.Error(), ref.String()) {
			t.Fatalf("the error does not name the target: %v", err)
		}
		if waited := time.Since(began); waited != 100*time.Millisecond {
			t.Fatalf("waited %v", waited)
		}
		if b, err := actor.As[string](ref.Ask(within(t, 2*time.Second), s, "B")); b != "B" || err != nil {
			t.Fatal(b, err)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.LateReply: 1})
	})
}

func TestTheCauseOfAnEndedContextReachesTheAsker(t *testing.T) {
	s := start(t, actor.Config{})
	ref, gate, _ := gated(t, s, "")
	defer close(gate)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(time.Millisecond, func() { cancel(errOwn) })
	_, err := ref.Ask(ctx, s, 1)
	wantErr(t, err, errOwn)
	wantErr(t, err, context.Canceled)
	_, err = ref.Ask(ctx, s, 1)
	wantErr(t, err, errOwn)
}

func TestActorsThatAskInACircleEndByTheTimeoutAndHinderNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "n"})
		var askers sync.WaitGroup
		for range 1000 {
			var a, b actor.Ref[int]
			both := new(sync.WaitGroup)
			both.Add(2)
			cross := func(other *actor.Ref[int]) func(*actor.Context, int) error {
				return func(c *actor.Context, n int) error {
					if n != 1 {
						return c.Reply(n) // too late: both have waited for the other's
					}
					both.Done()
					both.Wait()
					ctx, cancel := context.WithTimeout(c, time.Second)
					defer cancel()
					_, err := other.Ask(ctx, c, 2)
					return c.Reply(err)
				}
			}
			a, b = spawn(t, s, "", cross(&b)), spawn(t, s, "", cross(&a))
			for _, ref := range []actor.Ref[int]{a, b} {
				askers.Go(func() {
					began := time.Now()
					_, err := ref.Ask(t.Context(), s, 1)
					// The first of a pair to give up may answer the other at the same moment.
					if err != nil && !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
						t.Error(err, time.Since(began))
					}
				})
			}
		}
		synctest.Wait() // all are blocked
		echo := spawn(t, s, "echo", func(c *actor.Context, n int) error { return c.Reply(n) })
		began := time.Now()
		if _, err := echo.Ask(t.Context(), s, 1); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Fatalf("the third waited %v", waited)
		}
		askers.Wait()
	})
}

// C32: nothing is kept but the messages in the target's mailbox, and those only until they are handled.
func TestTimedOutAsksLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{HWM: 1 << 20})
		hole, gate, _ := gated(t, s, "hole")
		rounds := func() {
			for range 20_000 {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				_, err := hole.Ask(ctx, s, 1)
				cancel()
				wantErr(t, err, context.DeadlineExceeded)
			}
		}
		empty := heap()
		before := runtime.NumGoroutine()
		rounds()
		if after := runtime.NumGoroutine(); after > before+2 {
			t.Fatalf("%d goroutines, %d before", after, before)
		}
		full := heap()
		close(gate)
		synctest.Wait()
		if after := heap(); after > empty+(full-empty)/5 { // what the handler noted is 8 bytes for each
			t.Fatalf("%d bytes before, %d with all in the mailbox, %d after", empty, full, after)
		}
		wantDead(t, s, map[actor.Reason]uint64{})
	})
}

// C34: none of the many times out early.
func TestManyAskersEachGetTheirOwnAnswer(t *testing.T) {
	s := start(t, actor.Config{})
	ref := spawn(t, s, "", func(c *actor.Context, n int) error { return c.Reply(n) })
	ctx := within(t, 30*time.Second)
	var askers sync.WaitGroup
	for i := range 64 {
		askers.Go(func() {
			for j := range 1000 {
				want := i*1000 + j
				if got, err := actor.As[int](ref.Ask(ctx, s, want)); got != want || err != nil {
					t.Error(got, want, err)
				}
			}
		})
	}
	askers.Wait()
}

func TestAskersOfAnActorThatStopsHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, gate, _ := gated(t, s, "")
		tell(t, s, ref, 1)
		synctest.Wait() // it is in hand
		errs := make(chan error)
		go func() {
			_, err := ref.Ask(t.Context(), s, 2)
			errs <- err
		}()
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		go actor.Stop(ended, s, ref.PID())
		wantErr(t, <-errs, actor.ErrNoActor)
		close(gate)
		synctest.Wait()
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 1})
	})
}

func TestStopAtOnceEndsWhatTheHandlerWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		hole, gate, _ := gated(t, s, "")
		got := make(chan error, 2)
		for _, ref := range []actor.Ref[int]{
			spawn(t, s, "", func(c *actor.Context, n int) error {
				_, err := hole.Ask(context.Background(), c, n)
				got <- err
				return nil
			}),
			spawn(t, s, "", func(c *actor.Context, n int) error {
				<-c.Done()
				got <- c.Err()
				return nil
			}),
		} {
			tell(t, s, ref, 1)
			synctest.Wait()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := actor.Stop(ended, s, ref.PID()); err != nil {
				t.Fatal(err)
			}
		}
		wantErr(t, <-got, actor.ErrClosed)
		wantErr(t, <-got, context.Canceled)
		close(gate)
	})
}

func TestAFailureJoinedWithAReplyToNobodyIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref := spawn(t, s, "", func(c *actor.Context, err error) error { return errors.Join(err, c.Reply(1)) })
		tell[error](t, s, ref, nil)
		synctest.Wait()
		wantDead(t, s, map[actor.Reason]uint64{})
		tell(t, s, ref, errOwn)
		synctest.Wait()
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
	})
}
