package actor_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func subscribe[E actor.Event](t *testing.T, s actor.Scope, f func(E)) *actor.Subscription {
	t.Helper()
	sub, err := actor.Subscribe(s, f)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func TestEventsTellTheLivesOfActors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "n", Supervision: tireless})
		var log list[string]
		sub := subscribe(t, s, func(e actor.Event) {
			switch e := e.(type) {
			case actor.ActorStarted:
				log.add("started " + e.Name)
			case actor.ActorRestarted:
				log.add("restarted " + e.Name)
			case actor.ActorFailed:
				log.add(fmt.Sprint("failed ", e.Name, ": ", e.Err))
			case actor.ActorStopped:
				log.add(fmt.Sprint("stopped ", e.Name, ": ", e.Reason))
			case actor.DeadLetter:
				log.add(fmt.Sprint("dead letter: ", e.Reason, " ", e.Type))
			case actor.MailboxOverflow:
				log.add("overflow " + e.Name)
			}
		})
		reasons := new(list[actor.Reason])
		subscribe(t, s, func(e actor.DeadLetter) { reasons.add(e.Reason) })
		ref, gate, _ := gated(t, s, "x", actor.HWM(2), actor.OnFull(actor.DropNewest))
		tell(t, s, ref, 1)
		synctest.Wait()
		tell(t, s, ref, 2, 3)
		close(gate)
		synctest.Wait()
		fails := spawn(t, s, "y", func(c *actor.Context, n int) error { return errOwn })
		tell(t, s, fails, 1)
		synctest.Wait()
		stop(t, s, ref)
		synctest.Wait()
		sub.Cancel()
		stop(t, s, fails)
		synctest.Wait()
		want := []string{"started x", "overflow x", "dead letter: full int", "started y", "dead letter: failed int",
			"failed y: my own error", "restarted y", "stopped x: stopped"}
		if got := log.all(); !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
		if got := reasons.all(); !slices.Equal(got, []actor.Reason{actor.Full, actor.Failed}) {
			t.Fatal(got)
		}
	})
}

// C57: whatever a subscriber does with the System, nothing hangs.
func TestASubscriberMayUseTheSystem(t *testing.T) {
	s := start(t, actor.Config{Supervision: tireless})
	var n atomic.Int32
	done := make(chan struct{})
	ref := spawn(t, s, "", func(c *actor.Context, n int) error { return c.Reply(n) })
	subscribe(t, s, func(actor.ActorStarted) {
		if n.Add(1) == 2000 {
			close(done)
		}
		if n.Load() >= 2000 {
			return
		}
		inner := subscribe(t, s, func(actor.Event) {})
		defer inner.Cancel()
		child := spawn(t, s, "", func(c *actor.Context, n int) error { return nil })
		tell(t, s, child, 1)
		if _, err := ref.Ask(within(t, 10*time.Second), s, 1); err != nil {
			t.Error(err)
		}
		stop(t, s, child)
	})
	tell(t, s, spawn(t, s, "", func(*actor.Context, int) error { return nil }), 1)
	<-done
}

func TestASubscriberThatIsSlowOrPanicsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Wait: time.Hour, HWM: 1})
		gate := make(chan struct{})
		slow := subscribe(t, s, func(actor.DeadLetter) { <-gate })
		var calls atomic.Int32
		panics := subscribe(t, s, func(actor.DeadLetter) { calls.Add(1); panic("subscriber") })
		began := time.Now()
		ref, open, _ := gated(t, s, "", actor.OnFull(actor.DropNewest))
		for i := range 15_001 {
			tell(t, s, ref, i)
			if i%1000 == 0 {
				synctest.Wait()
			}
		}
		close(open)
		synctest.Wait()
		if took := time.Since(began); took != 0 {
			t.Fatalf("the senders waited %v", took)
		}
		if n := slow.Missed(); n < 3900 || n > 5000 {
			t.Fatalf("%d missed", n)
		}
		if n := calls.Load(); n != 15_000 || panics.Missed() != 0 {
			t.Fatalf("%d calls, %d missed", n, panics.Missed())
		}
		closed := make(chan error)
		go func() { closed <- s.Close(t.Context()) }()
		wantErr(t, <-closed, nil) // after a grace
		close(gate)
	})
}

// C83
func TestTheLogOfDeadLettersIsThrottledAndTheirCountsAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := start(t, actor.Config{HWM: 1, Log: slog.New(slog.NewTextHandler(&out, nil))})
		ref, gate, _ := gated(t, s, "", actor.OnFull(actor.DropNewest))
		const many = 200_001
		for i := range many {
			tell(t, s, ref, i)
			if i%20_000 == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) < 6 || len(lines) > 20 {
			t.Fatalf("%d lines", len(lines))
		}
		if !strings.Contains(out.String(), "more dead letters") || !strings.Contains(lines[0], "reason=full") {
			t.Fatalf("%s", lines)
		}
		if n := s.DeadLetters()[actor.Full]; n != many-1 {
			t.Fatal(n)
		}
		close(gate)
	})
}

func TestTheEventOfAnEndComesBeforeThatOfTheNextOfThatName(t *testing.T) {
	s := start(t, actor.Config{})
	var got list[string]
	if _, err := actor.Subscribe(s, func(e actor.Event) {
		switch e.(type) {
		case actor.ActorStarted:
			got.add("started")
		case actor.ActorStopped:
			got.add("stopped")
		}
	}); err != nil {
		t.Fatal(err)
	}
	const n = 3000
	for range n {
		ref, err := actor.SpawnNew(s, "x", func() *player[int] { return &player[int]{} })
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { i, err := actor.Inspect(s, ref.PID()); return err == nil && i.State == actor.Idle })
		stop(t, s, ref)
	}
	eventually(t, func() bool { return len(got.all()) == 2*n })
	for i, e := range got.all() {
		if want := []string{"started", "stopped"}[i%2]; e != want {
			t.Fatalf("%d: %s", i, e)
		}
	}
}

func TestASubscriberThatEndsItsGoroutineMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		var heard list[string]
		if _, err := actor.Subscribe(s, func(e actor.ActorStarted) {
			time.Sleep(time.Second)
			heard.add(e.Name)
			runtime.Goexit()
		}); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if _, err := actor.SpawnNew(s, fmt.Sprint(i), func() *player[int] { return &player[int]{} }); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if got := heard.all(); len(got) != 10 {
			t.Fatal(strings.Join(got, " "))
		}
	})
}
