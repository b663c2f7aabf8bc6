package actor_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
)

// wire joins Systems: it encodes what one sends and delivers it to the other, in order, in its own goroutine.
type wire struct {
	mu    sync.Mutex
	nodes map[string]*actor.System
	lines map[string]chan *actor.Envelope
	first func(*actor.Envelope) // called before e is sent; may be nil
	lose  func(*actor.Envelope) bool
	done  sync.WaitGroup
}

func (w *wire) Send(e *actor.Envelope) error {
	if w.first != nil {
		w.first(e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	to := w.nodes[e.Target.Node()]
	if to == nil {
		return fmt.Errorf("%w: %s", actor.ErrNoNode, e.Target.Node())
	}
	sent := *e
	var err error
	if sent.Body == nil {
		if sent.Body, err = codec.Msgpack.Append(nil, e.Value); err != nil {
			return err
		}
	}
	sent.Value = nil
	if w.lose != nil && w.lose(&sent) {
		return nil
	}
	w.lines[e.Target.Node()] <- &sent
	return nil
}

// join starts a System for each name.
func join(t *testing.T, cfg actor.Config, names ...string) (*wire, []*actor.System) {
	t.Helper()
	w := &wire{nodes: map[string]*actor.System{}, lines: map[string]chan *actor.Envelope{}}
	t.Cleanup(func() { // after the Systems have closed
		for _, line := range w.lines {
			close(line)
		}
		w.done.Wait()
	})
	var systems []*actor.System
	for _, name := range names {
		cfg.Node, cfg.Remote = name, w
		s, line := start(t, cfg), make(chan *actor.Envelope, 1<<14)
		w.nodes[name], w.lines[name] = s, line
		systems = append(systems, s)
		w.done.Go(func() {
			for e := range line {
				_ = s.Deliver(e)
			}
		})
	}
	return w, systems
}

func TestTellAndAskReachAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		got := new(list[int])
		local := spawn(t, beta, "adder", func(c *actor.Context, m parcel) error {
			if len(m.Words) == 0 {
				got.add(0)
				return nil
			}
			return c.Reply(parcel{Words: append(m.Words, "there"), Back: m.Back})
		})
		for _, ref := range []actor.Ref[parcel]{actor.RefTo[parcel](actor.Named("adder@beta")), local} {
			tell(t, alpha, ref, parcel{})
			sent := parcel{Words: []string{"hello"}, Back: actor.RefTo[int](actor.Named("me@alpha"))}
			p, err := actor.As[parcel](ref.Ask(t.Context(), alpha, sent))
			if err != nil || len(p.Words) != 2 || p.Back != sent.Back {
				t.Fatal(p, err)
			}
			_, err = actor.As[int](ref.Ask(t.Context(), alpha, sent))
			wantErr(t, err, actor.ErrType)
		}
		if n := len(got.all()); n != 2 {
			t.Fatalf("%d Tells arrived", n)
		}
	})
}

// C35
func TestErrorsKeepTheirIdentityOnTheWay(t *testing.T) {
	if err := codec.RegisterError(errOwn, "actor_test.own"); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		judge := spawn(t, beta, "judge", func(c *actor.Context, m string) error {
			switch m {
			case "refuse":
				return c.Reply(fmt.Errorf("no: %w", errOwn))
			case "fail":
				return fmt.Errorf("oh: %w", errOwn)
			case "fail namelessly":
				return errors.New("nameless")
			case "reply with a channel":
				return c.Reply(make(chan int))
			}
			return nil
		})
		full, gate, _ := gated(t, beta, "full", actor.HWM(1))
		defer close(gate)
		tell(t, beta, full, 1)
		tell(t, alpha, full, 2) // let in, as its sender could not know
		ask := func(name string, m any) error {
			_, err := actor.RefTo[any](actor.Named(name)).Ask(t.Context(), alpha, m)
			return err
		}
		for _, c := range []struct {
			who  string
			m    any
			want []error
			text string
		}{
			{"judge@beta", "refuse", []error{errOwn}, "no: my own error"},
			{"judge@beta", "fail", []error{errOwn, actor.ErrFailed}, "actor: handler failed: oh: my own error"},
			{"judge@beta", "fail namelessly", []error{actor.ErrFailed}, "actor: handler failed: nameless"},
			{"judge@beta", "reply with a channel", []error{actor.ErrFailed}, ""},
			{"judge@beta", "silence", []error{actor.ErrNoReply}, ""},
			{"judge@beta", 1, []error{actor.ErrType}, ""},
			{"nobody@beta", "x", []error{actor.ErrNoActor}, ""},
			{"full@beta", 2, []error{actor.ErrFull}, ""},
			{"x@gamma", "x", []error{actor.ErrNoNode}, ""},
		} {
			err := ask(c.who, c.m)
			for _, want := range c.want {
				wantErr(t, err, want)
			}
			if c.text != "" && err.Error() != c.text {
				t.Errorf("%v: the text is %q", c.m, err)
			}
		}
		if errors.Is(ask("judge@beta", "refuse"), actor.ErrFailed) {
			t.Error("a refusal came as a failure")
		}
		_, err := judge.Ask(t.Context(), beta, "fail")
		wantErr(t, err, errOwn)
		wantDead(t, beta, map[actor.Reason]uint64{actor.Failed: 4, actor.UnknownType: 1, actor.NoActor: 1, actor.Full: 1})
		wantDead(t, alpha, map[actor.Reason]uint64{})
	})
}

func TestAsksThatNobodyAnswersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		lost := make(chan *actor.Envelope, 10)
		w.lose = func(e *actor.Envelope) bool {
			lost <- e
			return true
		}
		errs := make(chan error)
		ask := func(ctx context.Context, pid actor.PID) *actor.Envelope {
			go func() {
				_, err := actor.RefTo[int](pid).Ask(ctx, alpha, 1)
				errs <- err
			}()
			return <-lost
		}
		named, exact := actor.Named("x@beta"), actor.ExactPID("beta", beta.Incarnation(), 1<<32)

		e := ask(within(t, time.Second), named)
		if e.Kind != actor.Ask || e.Sender != actor.ExactPID("alpha", alpha.Incarnation(), 0) || e.Correlation == 0 ||
			time.Until(e.Deadline) != time.Second || e.Type != "int" || e.Wait != time.Second {
			t.Fatalf("%+v", e)
		}
		wantErr(t, <-errs, context.DeadlineExceeded)
		reply := &actor.Envelope{Kind: actor.Reply, Sender: exact, Target: e.Sender, Correlation: e.Correlation, Type: "int", Body: []byte{1}}
		_ = alpha.Deliver(reply)
		wantDead(t, alpha, map[actor.Reason]uint64{actor.LateReply: 1})

		alpha.DeadLetter(ask(t.Context(), named), actor.Expired)
		wantErr(t, <-errs, actor.ErrUnreachable)

		e = ask(t.Context(), named)
		reply.Correlation, reply.Sender = e.Correlation, actor.ExactPID("gamma", uuid.New(), 1)
		_ = alpha.Deliver(reply) // another node answers
		synctest.Wait()
		go alpha.Close(t.Context())
		wantErr(t, <-errs, actor.ErrClosed)
		wantDead(t, alpha, map[actor.Reason]uint64{actor.LateReply: 2, actor.Expired: 1})
	})
}

func TestDeliverTakesAnythingAndNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "alpha"})
		full, gate, _ := gated(t, s, "full", actor.HWM(1))
		tell(t, s, full, 1)
		taken := spawn(t, s, "any", func(c *actor.Context, m any) error { return nil })
		far := actor.Named("x@beta")
		over := &actor.Envelope{Kind: actor.Tell, Target: full.PID(), Sender: far, Type: "int", Body: []byte{1}}
		if err := s.Deliver(over); err != nil || over.Full == nil {
			t.Errorf("what could not know that the mailbox is full: %v, %+v", err, over)
		}
		for _, e := range []*actor.Envelope{
			nil,
			{},
			{Kind: 99},
			{Kind: actor.Tell},
			{Kind: actor.Ask},
			{Kind: actor.Reply},
			{Kind: actor.Fail},
			{Kind: actor.Tell, Target: far},
			{Kind: actor.Ask, Target: actor.Named("bad"), Sender: far},
			{Kind: actor.Ask, Target: full.PID(), Sender: far},
		} {
			if err := s.Deliver(e); err == nil && e.Kind != actor.Reply && e.Kind != actor.Fail {
				t.Errorf("%+v was accepted", e)
			}
		}
		for _, e := range []*actor.Envelope{
			{Kind: actor.Tell, Target: taken.PID()},
			{Kind: actor.Tell, Target: taken.PID(), Type: "int", Body: []byte{0xc1}},
			{Kind: actor.Ask, Target: taken.PID(), Type: "no.such", Body: []byte{1}, Sender: far},
			{Kind: actor.Tell, Target: taken.PID(), Type: "int", Body: []byte{1}},
		} {
			if err := s.Deliver(e); err != nil {
				t.Errorf("%+v: %v", e, err)
			}
		}
		synctest.Wait()
		wantDead(t, s, map[actor.Reason]uint64{
			actor.NoActor: 4, actor.Full: 1, actor.LateReply: 1, actor.Undecodable: 1, actor.UnknownType: 1,
		})
		close(gate)
	})
}

// C37: remote messages over the bound, and as much again, are dead letters, each counted, and the actor beside is not delayed.
func TestAFullMailboxHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		paused, gate, handled := gated(t, beta, "paused", actor.HWM(100))
		echo := spawn(t, beta, "echo", func(c *actor.Context, n int) error { return c.Reply(n) })
		for i := range 1000 {
			tell(t, alpha, paused, i)
		}
		began := time.Now()
		if n, err := actor.As[int](echo.Ask(t.Context(), alpha, 7)); n != 7 || err != nil || time.Since(began) != 0 {
			t.Fatal(n, err, time.Since(began))
		}
		wantDead(t, beta, map[actor.Reason]uint64{actor.Full: 800})
		close(gate)
		synctest.Wait()
		if n := len(handled.all()); n != 200 {
			t.Fatalf("handled %d", n)
		}
	})
}

func TestAReplyThatFindsNoWayIsADeadLetterAndNoFailure(t *testing.T) {
	s := start(t, actor.Config{Node: "alpha"})
	ref := spawn(t, s, "x", func(c *actor.Context, n int) error { return c.Reply(n) })
	if err := s.Deliver(&actor.Envelope{Kind: actor.Ask, Target: ref.PID(), Sender: actor.Named("y@beta"), Type: "int", Body: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	stop(t, s, ref)
	wantDead(t, s, map[actor.Reason]uint64{actor.Unreachable: 1})
}

func TestAPIDIsAMessageToAnActorOfAnything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, nodes := join(t, actor.Config{}, "alpha", "beta")
		alpha, beta := nodes[0], nodes[1]
		spawn(t, beta, "echo", func(c *actor.Context, m any) error { return c.Reply(m) })
		sent := actor.ExactPID("alpha", alpha.Incarnation(), 7)
		got, err := actor.As[actor.PID](actor.RefTo[any](actor.Named("echo@beta")).Ask(within(t, time.Second), alpha, sent))
		if err != nil || got != sent {
			t.Fatal(got, err)
		}
	})
}
