package actor_test

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// A handler that keeps its Context can't answer the Ask that came after its own.
func TestAReplyAfterItsHandlerReturnedAnswersNothing(t *testing.T) {
	s := start(t, actor.Config{})
	late := make(chan error, 1)
	var kept *actor.Context
	ref := spawn(t, s, "", func(c *actor.Context, m string) error {
		if kept == nil {
			kept = c
			return nil
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			late <- kept.Reply("the first's")
		}()
		<-done
		return c.Reply(m)
	})
	ctx := within(t, 10*time.Second)
	_, err := ref.Ask(ctx, s, "first")
	wantErr(t, err, actor.ErrNoReply)
	if got, err := actor.As[string](ref.Ask(ctx, s, "second")); got != "second" || err != nil {
		t.Fatal(got, err)
	}
	wantErr(t, <-late, actor.ErrNotAsked)
	wantDead(t, s, map[actor.Reason]uint64{})
}

// Replies from many goroutines, while the handler runs, ends or fails: each Ask gets one answer, and it is its own.
func TestRepliesFromManyGoroutinesAnswerTheirOwnAskOnce(t *testing.T) {
	for _, copying := range []bool{false, true} {
		s := start(t, actor.Config{CopyMessages: copying, Supervision: tireless})
		var answered, replied atomic.Int64
		var repliers, askers sync.WaitGroup
		ref := spawn(t, s, "", func(c *actor.Context, n int) error {
			for range 2 {
				repliers.Go(func() {
					for range n % 7 {
						runtime.Gosched()
					}
					switch err := c.Reply(n); {
					case err == nil:
						replied.Add(1)
					case !errors.Is(err, actor.ErrNotAsked):
						t.Error(err)
					}
				})
			}
			switch runtime.Gosched(); n % 5 {
			case 0:
				return errOwn
			case 1:
				panic("storm")
			case 2:
				runtime.Goexit()
			}
			return nil
		})
		ctx := within(t, time.Minute)
		for asker := range 4 {
			askers.Go(func() {
				for i := range 500 {
					n := 1000*asker + i
					got, err := actor.As[int](ref.Ask(ctx, s, n))
					switch {
					case err == nil && got == n:
						answered.Add(1)
					case err == nil:
						t.Errorf("asked %d, got %d", n, got)
					case !errors.Is(err, actor.ErrFailed) && !errors.Is(err, actor.ErrNoReply):
						t.Error(err)
					}
				}
			})
		}
		askers.Wait()
		repliers.Wait()
		if answered.Load() != replied.Load() {
			t.Errorf("%d asks were answered by %d replies", answered.Load(), replied.Load())
		}
	}
}

func TestARefusalWhoseMethodsPanicIsARefusal(t *testing.T) {
	_, nodes := join(t, actor.Config{}, "alpha", "beta")
	spawn(t, nodes[1], "bad", func(c *actor.Context, m string) error {
		return c.Reply((*badError)(nil))
	})
	for _, s := range nodes {
		_, err := actor.RefTo[string](actor.Named("bad@beta")).Ask(within(t, 10*time.Second), s, "")
		if err == nil || errors.Is(err, actor.ErrFailed) || err.Error() == "" {
			t.Fatal(err)
		}
	}
	wantDead(t, nodes[1], map[actor.Reason]uint64{})
}

// The error of As is a handler's own failure, not a message that its actor doesn't take.
func TestAHandlerThatReturnsTheErrorOfAnAnswerHasFailed(t *testing.T) {
	s := start(t, actor.Config{})
	other := spawn(t, s, "", func(c *actor.Context, n int) error { return c.Reply(n) })
	ref := spawn(t, s, "", func(c *actor.Context, n int) error {
		_, err := actor.As[string](other.Ask(c, c, n))
		return err
	})
	_, err := ref.Ask(within(t, 10*time.Second), s, 1)
	wantErr(t, err, actor.ErrFailed)
	wantErr(t, err, actor.ErrType)
	wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
}
