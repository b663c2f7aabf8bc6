package actor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// C33: the form of asking that keeps nobody.
func TestAnActorThatBeganAnAskHandlesOtherMessagesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		slow := spawn(t, s, "", func(c *actor.Context, n int) error {
			time.Sleep(time.Second)
			return c.Reply(n + 1)
		})
		var got list[string]
		ref := does(t, s, "")
		tell(t, s, ref, func(c *actor.Context) error {
			actor.Then(slow.Begin(c, c, 1), func(n int, err error) error {
				if n != 2 || err != nil {
					t.Error(n, err)
				}
				got.add("reply")
				return nil
			})
			return nil
		}, func(*actor.Context) error { got.add("message"); return nil })
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if want := []string{"message", "reply"}; !slices.Equal(got.all(), want) {
			t.Fatalf("%q", got.all())
		}
	})
}

func TestWhatBecameOfABegunAskComesAsATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "n"})
		hole, gate, _ := gated(t, s, "")
		gone, _, _ := gated(t, s, "")
		stop(t, s, gone)
		fails := spawn(t, s, "", func(*actor.Context, int) error { return errOwn })
		text := spawn(t, s, "", func(c *actor.Context, _ int) error { return c.Reply("text") })
		full, gate2, _ := gated(t, s, "", actor.HWM(1))
		tell(t, s, full, 1)
		defer close(gate2)
		var errs list[error]
		turn(t, s, does(t, s, ""), func(c *actor.Context) error {
			note := func(_ int, err error) error { errs.add(err); return nil }
			soon, cancel := context.WithTimeout(c, time.Second)
			time.AfterFunc(time.Minute, cancel)
			over, cancel := context.WithCancel(c)
			cancel()
			actor.Then(hole.Begin(over, c, 1), note)
			actor.Then(gone.Begin(c, c, 1), note)
			actor.Then(full.Begin(c, c, 1), note)
			actor.Then(actor.RefTo[int](actor.Named("x@elsewhere")).Begin(c, c, 1), note)
			for i, p := range []actor.Pending{hole.Begin(soon, c, 1), fails.Begin(c, c, 1), text.Begin(c, c, 1)} {
				c.After(time.Duration(2+i)*time.Second, func() error { actor.Then(p, note); return nil }) // a reply waits for its function
			}
			actor.Then(actor.Pending{}, note)
			return nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		got := errs.all()
		for i, want := range []error{context.Canceled, actor.ErrNoActor, actor.ErrFull, actor.ErrNoNode,
			context.DeadlineExceeded, errOwn, actor.ErrType} {
			if i >= len(got) || !errors.Is(got[i], want) {
				t.Fatalf("%d is not %v: %v", i, want, got)
			}
		}
		if len(got) != 7 {
			t.Fatal(got)
		}
		close(gate)
		synctest.Wait()
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
	})
}

func TestARestartEndsBegunAsksAndTheirRepliesAreLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: tireless})
		slow := spawn(t, s, "", func(c *actor.Context, n int) error {
			time.Sleep(time.Second)
			return c.Reply(n)
		})
		ref := does(t, s, "")
		tell(t, s, ref, func(c *actor.Context) error {
			actor.Then(slow.Begin(c, c, 1), func(int, error) error { t.Error("called"); return nil })
			return errOwn
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1, actor.LateReply: 1})
	})
}

func TestAnActorMayBeginToAskItself(t *testing.T) {
	s := start(t, actor.Config{})
	done := make(chan error, 1)
	ref := spawn(t, s, "", func(c *actor.Context, n int) error {
		if n == 0 {
			return c.Reply("self")
		}
		actor.Then(actor.RefTo[int](c.Self()).Begin(c, c, n-1), func(_ string, err error) error {
			done <- err
			return nil
		})
		return nil
	})
	tell(t, s, ref, 1)
	wantErr(t, <-done, nil)
}

func TestABegunAskOfAnotherNodeGetsItsReply(t *testing.T) {
	_, nodes := join(t, actor.Config{}, "alpha", "beta")
	spawn(t, nodes[1], "echo", func(c *actor.Context, n int) error {
		if n < 0 {
			return errOwn
		}
		return c.Reply(n)
	})
	echo := actor.RefTo[int](actor.Named("echo@beta"))
	done := make(chan error, 2)
	tell(t, nodes[0], does(t, nodes[0], ""), func(c *actor.Context) error {
		for _, n := range []int{7, -1} {
			actor.Then(echo.Begin(c, c, n), func(got int, err error) error {
				if err == nil && got != n {
					t.Errorf("%d", got)
				}
				done <- err
				return nil
			})
		}
		return nil
	})
	first, second := <-done, <-done
	if (first == nil) == (second == nil) {
		t.Fatal(first, second)
	}
	if first == nil {
		first = second
	}
	wantErr(t, first, actor.ErrFailed)
}

func TestAReplyMayComeLaterFromACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: tireless})
		ref := spawn(t, s, "", func(c *actor.Context, m string) error {
			switch later := c.ReplyLater(); m {
			case "fail":
				return errOwn
			case "fail soon":
				c.After(time.Second, func() error { return errOwn })
			default:
				wantErr(t, c.Reply("mine"), actor.ErrNotAsked)
				c.After(time.Second, func() error {
					err := later.Reply(m)
					wantErr(t, later.Reply(m), actor.ErrNotAsked)
					return err
				})
			}
			return nil
		})
		tell(t, s, ref, "told")
		time.Sleep(time.Minute)
		began := time.Now()
		if got, err := actor.As[string](ref.Ask(t.Context(), s, "m")); got != "m" || err != nil || time.Since(began) != time.Second {
			t.Fatal(got, err, time.Since(began))
		}
		for _, m := range []string{"fail", "fail soon"} {
			_, err := ref.Ask(t.Context(), s, m)
			wantErr(t, err, actor.ErrClosed)
		}
	})
}
