package actor_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func TestUrgentMessagesOvertakeTheOthersInTheirOwnOrder(t *testing.T) {
	for _, copying := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{CopyMessages: copying})
			ref, gate, handled := gated(t, s, "", actor.HWM(7))
			tell(t, s, ref, 1, 2, 3)
			synctest.Wait() // 1 is in hand, 2 and 3 with it or queued
			tell(t, s, ref, 4)
			for i := range 3 {
				if err := ref.Urgent(s, 10+i); err != nil {
					t.Fatal(err)
				}
			}
			wantErr(t, ref.Urgent(s, 99), actor.ErrFull)
			close(gate)
			synctest.Wait()
			if got, want := handled.all(), []int{1, 10, 11, 12, 2, 3, 4}; !slices.Equal(got, want) {
				t.Fatalf("%v", got)
			}
			tell(t, s, ref, 5)
			if err := ref.Urgent(s, 13); err != nil { // wakes an idle actor
				t.Fatal(err)
			}
			stop(t, s, ref)
			wantErr(t, ref.Urgent(s, 1), actor.ErrNoActor)
			if n := len(handled.all()); n != 9 {
				t.Fatal(handled.all())
			}
			wantDead(t, s, map[actor.Reason]uint64{})
		})
	}
}

func TestDropOldestKeepsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, gate, handled := gated(t, s, "", actor.HWM(3), actor.OnFull(actor.DropOldest))
		tell(t, s, ref, 1)
		synctest.Wait() // in hand
		asked := make(chan error, 1)
		go func() {
			_, err := ref.Ask(t.Context(), s, 2)
			asked <- err
		}()
		synctest.Wait()
		tell(t, s, ref, 3, 4, 5)
		wantErr(t, <-asked, actor.ErrFull)
		go actor.Stop(t.Context(), s, ref.PID())
		synctest.Wait()
		tell(t, s, ref, 6) // drops 4; the stop mark stays, before 6
		close(gate)
		synctest.Wait()
		if got, want := handled.all(), []int{1, 5}; !slices.Equal(got, want) {
			t.Fatalf("%v", got)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Full: 3, actor.Stopped: 1})
	})
}

// A stashed message is handled when the actor wants it, before what came after it, and through a restart.
func TestStashedMessagesAreHandledLaterInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: tireless})
		log := new(list[string])
		open := false
		ref := spawn(t, s, "", func(c *actor.Context, m string) error {
			switch {
			case m == "open":
				open = true
				c.Unstash()
				log.add(m)
				return nil
			case m == "fail":
				open = true
				_ = c.Stash() // in vain
				return errOwn
			case !open:
				return c.Stash()
			}
			log.add(m)
			return c.Reply(m)
		})
		asked := make(chan error, 1)
		tell(t, s, ref, "a")
		go func() {
			_, err := ref.Ask(t.Context(), s, "b")
			asked <- err
		}()
		synctest.Wait()
		tell(t, s, ref, "open", "c")
		wantErr(t, <-asked, nil)
		synctest.Wait()
		open = false
		tell(t, s, ref, "d", "e", "fail", "f")
		stop(t, s, ref)
		if got := strings.Join(log.all(), " "); got != "open a b c d e f" {
			t.Fatal(got)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
	})
}

func TestTheStashIsBoundedAndItsMessagesAreDeadLettersAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Wait: time.Second})
		var errs list[error]
		ref := spawn(t, s, "", func(c *actor.Context, n int) error {
			err := c.Stash()
			errs.add(err)
			return nil
		}, actor.HWM(3))
		tell(t, s, ref, 1, 2)
		synctest.Wait()
		tell(t, s, ref, 3)
		synctest.Wait()
		tell(t, s, ref, 4)
		stop(t, s, ref)
		got := errs.all()
		if len(got) != 4 || got[0] != nil || got[1] != nil || !errors.Is(got[2], actor.ErrFull) || !errors.Is(got[3], actor.ErrFull) {
			t.Fatal(got)
		}
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 2})
		turn(t, s, does(t, s, ""), func(c *actor.Context) error {
			c.After(0, func() error { wantErr(t, c.Stash(), actor.ErrUsage); return nil })
			return nil
		})
	})
}

func TestAnActorBecomesAnotherUntilItRestarts(t *testing.T) {
	s := start(t, actor.Config{Supervision: tireless})
	var angry func(c *actor.Context, m string) error
	ref := spawn(t, s, "", func(c *actor.Context, m string) error {
		if m == "provoke" {
			return errors.Join(c.Reply("calm"), actor.Become(c, angry))
		}
		return c.Reply("calm")
	})
	angry = func(c *actor.Context, m string) error {
		switch m {
		case "soothe":
			return errors.Join(c.Reply("angry"), actor.Become[string](c, nil))
		case "fail":
			return errOwn
		}
		return errors.Join(c.Reply("angry"), actor.Become(c, angry))
	}
	var got []string
	for _, m := range []string{"", "provoke", "", "soothe", "", "provoke", "fail", ""} {
		text, _ := actor.As[string](ref.Ask(t.Context(), s, m))
		got = append(got, text)
	}
	if want := []string{"calm", "calm", "angry", "angry", "calm", "calm", "", "calm"}; !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	turn(t, s, does(t, s, ""), func(c *actor.Context) error {
		wantErr(t, actor.Become(c, angry), actor.ErrType)
		return nil
	})
}

func TestAForwardedAskIsAnsweredByWhomItReaches(t *testing.T) {
	for _, copying := range []bool{false, true} {
		s := start(t, actor.Config{CopyMessages: copying, Supervision: tireless})
		expert := spawn(t, s, "", func(c *actor.Context, m string) error {
			if m == "fail" {
				return errOwn
			}
			return c.Reply("expert: " + m)
		})
		gone, _, _ := gated(t, s, "")
		stop(t, s, gone)
		desk := spawn(t, s, "", func(c *actor.Context, m string) error {
			if m == "nobody" {
				wantErr(t, gone.Forward(c, 1), actor.ErrNoActor)
				wantErr(t, actor.RefTo[int](actor.Named("x@far")).Forward(c, 1), actor.ErrNoNode)
				return c.Reply("still mine")
			}
			err := expert.Forward(c, m)
			if err == nil && !errors.Is(c.Reply("me too"), actor.ErrNotAsked) {
				t.Error("the Ask was forwarded and is still in hand")
			}
			return err
		})
		got, err := actor.As[string](desk.Ask(t.Context(), s, "hello"))
		if got != "expert: hello" || err != nil {
			t.Fatal(got, err)
		}
		_, err = desk.Ask(t.Context(), s, "fail")
		wantErr(t, err, errOwn)
		got, err = actor.As[string](desk.Ask(t.Context(), s, "nobody"))
		if got != "still mine" || err != nil {
			t.Fatal(got, err)
		}
		tell(t, s, desk, "just told")
		stop(t, s, desk)
		stop(t, s, expert)
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
	}
}

func TestAReceiveTimeoutCallsWhenNoMessageCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		began := time.Now()
		var got list[time.Duration]
		ref := does(t, s, "")
		var timer *actor.Timer
		turn(t, s, ref, func(c *actor.Context) error {
			timer = c.ReceiveTimeout(time.Second, func() error { got.add(time.Since(began)); return nil })
			c.Every(100*time.Millisecond, func() error { return nil }) // is no message
			return nil
		})
		for range 3 {
			time.Sleep(700 * time.Millisecond)
			turn(t, s, ref, func(*actor.Context) error { return nil })
		}
		time.Sleep(2500 * time.Millisecond) // since 2.1 s
		turn(t, s, ref, func(*actor.Context) error {
			if !timer.Cancel() {
				t.Error("not cancelled")
			}
			return nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if want := []time.Duration{3100 * time.Millisecond, 4100 * time.Millisecond}; !slices.Equal(got.all(), want) {
			t.Fatal(got.all())
		}
	})
}

func TestUrgentMessagesThatComeOneByOneKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, gate, handled := gated(t, s, "")
		tell(t, s, ref, 1, 2)
		synctest.Wait()
		for i := range 10 {
			for j := range 3 {
				if err := ref.Urgent(s, 10+3*i+j); err != nil {
					t.Fatal(err)
				}
			}
			gate <- struct{}{}
			synctest.Wait()
		}
		close(gate)
		synctest.Wait()
		got := handled.all()
		if got[len(got)-1] != 2 || !slices.IsSorted(got[:len(got)-1]) {
			t.Fatal(got)
		}
	})
}

func TestATellWhoseHandlerRepliesIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		var handled list[int]
		open := false
		ref := spawn(t, s, "", func(c *actor.Context, n int) error {
			if n == 0 {
				open = true
				c.Unstash()
				return c.Reply(n)
			}
			if !open {
				return c.Stash()
			}
			handled.add(n)
			return c.Reply(n)
		})
		tell(t, s, ref, 1, 2, 0)
		synctest.Wait()
		if got := handled.all(); !slices.Equal(got, []int{1, 2}) {
			t.Error(got)
		}
		info, err := actor.Inspect(s, ref.PID())
		if err != nil || info.Handled != 3 || info.Depth != 0 {
			t.Errorf("%+v %v", info, err)
		}
	})
}

func TestAFailureAfterUnstashKeepsNothingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Supervision: actor.Supervision{Decide: func(error) actor.Decision { return actor.DecideResume }}})
		var handled list[int]
		open := false
		ref := spawn(t, s, "", func(c *actor.Context, n int) error {
			if n == 0 {
				open = true
				c.Unstash()
				return errOwn
			}
			if !open {
				return c.Stash()
			}
			handled.add(n)
			return nil
		})
		tell(t, s, ref, 1, 2, 0)
		synctest.Wait()
		if got := handled.all(); !slices.Equal(got, []int{1, 2}) {
			t.Error(got)
		}
	})
}

func TestTheContextOfAStashedMessageBelongsToItsFirstHandler(t *testing.T) {
	s := start(t, actor.Config{})
	replied := make(chan error, 1)
	gone := make(chan struct{})
	stashed := make(chan struct{})
	n := 0
	ref := spawn(t, s, "", func(c *actor.Context, m string) error {
		if m == "go" {
			c.Unstash()
			return nil
		}
		n++
		if n == 1 {
			go func() {
				defer close(gone)
				<-stashed
				replied <- c.Reply("stale")
				for c.Err() == nil {
					runtime.Gosched()
				}
			}()
			return c.Stash()
		}
		return c.Reply("answer")
	})
	asked := make(chan error, 1)
	go func() {
		a, err := actor.As[string](ref.Ask(context.Background(), s, "x"))
		if err == nil && a != "answer" {
			err = errors.New(a)
		}
		asked <- err
	}()
	eventually(t, func() bool { i, _ := actor.Inspect(s, ref.PID()); return i.Depth == 1 && i.State == actor.Idle })
	close(stashed)
	wantErr(t, <-replied, actor.ErrNotAsked)
	tell(t, s, ref, "go")
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	stop(t, s, ref)
	<-gone
}
