package actor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func TestMessagesOfOneSenderAreHandledInOrder(t *testing.T) {
	const senders, each = 8, 500
	s := start(t, actor.Config{HWM: 64})
	var last [senders]int
	var all sync.WaitGroup
	all.Add(senders * each)
	ref := spawn(t, s, "", func(c *actor.Context, m [2]int) error {
		defer all.Done()
		if last[m[0]] != m[1] {
			t.Errorf("sender %d: %d came in the place of %d", m[0], m[1], last[m[0]])
		}
		last[m[0]]++
		return nil
	})
	for n := range senders {
		go func() {
			for i := range each {
				if err := ref.Tell(s, [2]int{n, i}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	all.Wait()
	wantDead(t, s, map[actor.Reason]uint64{})
}

func TestTellToAFullMailboxWaitsFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, gate, handled := gated(t, s, "slow", actor.HWM(2), actor.Wait(3*time.Second))
		tell(t, s, ref, 1, 2)
		began := time.Now()
		wantErr(t, ref.Tell(s, 3), actor.ErrFull)
		if waited := time.Since(began); waited != 3*time.Second {
			t.Fatalf("waited %v", waited)
		}
		time.AfterFunc(time.Second, func() { gate <- struct{}{} })
		tell(t, s, ref, 4)
		close(gate)
		synctest.Wait()
		if got := handled.all(); !slices.Equal(got, []int{1, 2, 4}) {
			t.Fatalf("handled %v", got)
		}
		wantDead(t, s, map[actor.Reason]uint64{})
	})
}

func TestTellToAFullMailboxNeverWaitsFromInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		full, gate, _ := gated(t, s, "slow", actor.HWM(1))
		tell(t, s, full, 1)
		began := time.Now()
		asker := spawn(t, s, "", func(c *actor.Context, n int) error { return c.Reply(full.Tell(c, n)) })
		_, err := asker.Ask(t.Context(), s, 2)
		wantErr(t, err, actor.ErrFull)
		if waited := time.Since(began); waited != 0 {
			t.Fatalf("waited %v", waited)
		}
		close(gate)
	})
}

// C36
func TestPoliciesOfAFullMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		began := time.Now()
		reject, gate, _ := gated(t, s, "reject", actor.HWM(1), actor.OnFull(actor.Reject))
		defer close(gate)
		tell(t, s, reject, 1)
		wantErr(t, reject.Tell(s, 2), actor.ErrFull)
		_, err := reject.Ask(t.Context(), s, 2)
		wantErr(t, err, actor.ErrFull)
		wantDead(t, s, map[actor.Reason]uint64{})

		drop, gate2, _ := gated(t, s, "drop", actor.HWM(1), actor.OnFull(actor.DropNewest))
		defer close(gate2)
		tell(t, s, drop, 1, 2, 3)
		_, err = drop.Ask(t.Context(), s, 4)
		wantErr(t, err, actor.ErrFull)
		wantDead(t, s, map[actor.Reason]uint64{actor.Full: 3})
		if waited := time.Since(began); waited != 0 {
			t.Fatalf("waited %v", waited)
		}
	})
}

func TestTellToNobodyIsRefusedAndNotCounted(t *testing.T) {
	s := start(t, actor.Config{Node: "alpha"})
	gone, _, _ := gated(t, s, "gone")
	stop(t, s, gone)
	for _, ref := range []actor.Ref[int]{
		gone,
		{},
		actor.RefTo[int](actor.Named("gone@alpha")),
		actor.RefTo[int](actor.Named("never@alpha")),
		actor.RefTo[int](actor.ExactPID("alpha", s.Incarnation(), 1<<40)),
		actor.RefTo[int](actor.ExactPID("alpha", s.Incarnation(), 0)),
		actor.RefTo[int](actor.ExactPID("alpha", [16]byte{1}, gone.PID().ID())),
	} {
		wantErr(t, ref.Tell(s, 1), actor.ErrNoActor)
		_, err := ref.Ask(t.Context(), s, 1)
		wantErr(t, err, actor.ErrNoActor)
	}
	wantErr(t, actor.RefTo[int](actor.Named("no node")).Tell(s, 1), actor.ErrName)
	wantErr(t, actor.RefTo[int](actor.Named("x@beta")).Tell(s, 1), actor.ErrNoNode)
	wantErr(t, actor.RefTo[int](actor.ExactPID("", [16]byte{}, 1)).Tell(s, 1), actor.ErrName)
	wantDead(t, s, map[actor.Reason]uint64{})
}

func TestWrongUseIsAClearError(t *testing.T) {
	s := start(t, actor.Config{})
	ref := spawn(t, s, "", func(*actor.Context, int) error { return nil })
	type node struct{ actor.Scope }
	for _, nothing := range []actor.Scope{nil, (*actor.System)(nil), (*actor.Context)(nil), (*node)(nil), node{}, &node{},
		new(actor.System), new(actor.Context), node{new(actor.System)}, node{new(actor.Context)}} {
		wantErr(t, ref.Tell(nothing, 1), actor.ErrUsage)
	}
	if err := ref.Tell(node{s}, 1); err != nil {
		t.Fatal(err)
	}
	_, err := actor.Spawn[int](s, "x", nil)
	wantErr(t, err, actor.ErrUsage)
	_, err = actor.SpawnNew[int, *player[int]](s, "x", nil)
	wantErr(t, err, actor.ErrUsage)
	for _, opt := range []actor.Option{actor.HWM(0), actor.Wait(-1), actor.OnFull(77)} {
		_, err = actor.Spawn(s, "x", func(*actor.Context, int) error { return nil }, opt)
		wantErr(t, err, actor.ErrUsage)
	}
	var none context.Context
	_, err = ref.Ask(none, s, 1)
	wantErr(t, err, actor.ErrUsage)
	err = actor.Stop(none, s, ref.PID())
	wantErr(t, err, actor.ErrUsage)
	_, err = actor.NewSystem(actor.Config{Node: "a@b"})
	wantErr(t, err, actor.ErrName)
	_, err = actor.NewSystem(actor.Config{HWM: -1})
	wantErr(t, err, actor.ErrUsage)
}

func TestAMessageOfAnotherTypeIsADeadLetterAndNoFailure(t *testing.T) {
	s := start(t, actor.Config{})
	started := new(list[string])
	ref, err := actor.SpawnNew(s, "", func() *player[int] {
		started.add("start")
		return &player[int]{receive: func(c *actor.Context, n int) error { return c.Reply(n) }}
	})
	if err != nil {
		t.Fatal(err)
	}
	tell(t, s, actor.RefTo[string](ref.PID()), "text")
	_, err = actor.RefTo[any](ref.PID()).Ask(t.Context(), s, nil)
	wantErr(t, err, actor.ErrType)
	if n, err := actor.As[int](ref.Ask(t.Context(), s, 3)); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	_, err = actor.As[string](ref.Ask(t.Context(), s, 3))
	wantErr(t, err, actor.ErrType)
	wantDead(t, s, map[actor.Reason]uint64{actor.UnknownType: 2})
	if n := len(started.all()); n != 1 {
		t.Fatalf("started %d times", n)
	}
}

func TestAnActorOfAnInterfaceTakesWhatImplementsIt(t *testing.T) {
	s := start(t, actor.Config{})
	ref := spawn(t, s, "", func(c *actor.Context, m fmt.Stringer) error {
		if m == nil {
			return c.Reply("nil")
		}
		return c.Reply(m.String())
	})
	for want, m := range map[string]fmt.Stringer{"nil": nil, "1s": time.Second} {
		if got, err := actor.As[string](ref.Ask(t.Context(), s, m)); got != want || err != nil {
			t.Fatal(got, err)
		}
	}
	_, err := actor.RefTo[int](ref.PID()).Ask(t.Context(), s, 1)
	wantErr(t, err, actor.ErrType)
}

type parcel struct {
	Words []string
	Back  actor.Ref[int]
}

func TestCopyMessagesSharesNothing(t *testing.T) {
	s := start(t, actor.Config{CopyMessages: true})
	ref := spawn(t, s, "", func(c *actor.Context, m parcel) error {
		m.Words[0] = "changed"
		return c.Reply(m)
	})
	sent := parcel{Words: []string{"as", "sent"}, Back: actor.RefTo[int](ref.PID())}
	got, err := actor.As[parcel](ref.Ask(t.Context(), s, sent))
	if err != nil || got.Words[0] != "changed" || got.Back != sent.Back {
		t.Fatal(got, err)
	}
	if sent.Words[0] != "as" {
		t.Fatal("the sender's value was changed")
	}
	err = actor.RefTo[any](ref.PID()).Tell(s, make(chan int))
	if err == nil || errors.Is(err, actor.ErrNoActor) {
		t.Fatalf("a channel was sent: %v", err)
	}
}
