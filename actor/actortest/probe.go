// Package actortest tests actors: a System that ends with the test, and a Probe, an actor whose messages the test expects
// one by one.
//
// Everything works inside a testing/synctest bubble, where waiting costs no time and its outcome is certain: there a
// Probe's deadline passes only when no actor can do anything any more.
package actortest

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// Patience is how long a Probe waits for what it expects.
const Patience = 5 * time.Second

// Start returns a System that is closed when the test ends. If cfg has no Log, it logs to the test's output.
func Start(t testing.TB, cfg actor.Config) *actor.System {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	s, err := actor.NewSystem(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing the system: %v", err)
		}
	})
	return s
}

// Run runs one actor in a System of its own, without a node. The probe gets what the actor sends to it, and the actor's
// replies; create gets the probe's Ref for what is to send there.
func Run[M any, A actor.Receiver[M]](t testing.TB, create func(probe actor.Ref[any]) A, opts ...actor.Option) (actor.Ref[M], *Probe[any]) {
	t.Helper()
	p := NewProbe[any](t, Start(t, actor.Config{}))
	ref, err := actor.SpawnNew(p.in, "", func() A { return create(p.Ref()) }, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ref, p
}

// Probe is an actor that keeps what it gets until the test asks for it. Its methods are for the test's goroutine. One that
// does not see what it expects within Patience ends the test with t.Fatal.
type Probe[M any] struct {
	t       testing.TB
	in      *actor.System
	ref     actor.Ref[M]
	got     chan M
	gone    chan actor.Terminated
	watcher actor.Ref[actor.PID]
	reply   atomic.Pointer[func(M) any]
}

// kept is how many messages a probe keeps; more wait in its mailbox.
const kept = 1000

// NewProbe spawns a probe.
func NewProbe[M any](t testing.TB, in *actor.System) *Probe[M] {
	t.Helper()
	p := &Probe[M]{t: t, in: in, got: make(chan M, kept), gone: make(chan actor.Terminated, kept)}
	var err error
	if p.ref, err = actor.Spawn(in, "", p.receive); err != nil {
		t.Fatal(err)
	}
	if p.watcher, err = actor.Spawn(in, "", p.watch); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *Probe[M]) receive(c *actor.Context, m M) error {
	select {
	case p.got <- m:
	case <-c.Done():
		return nil
	}
	if f := p.reply.Load(); f != nil {
		return c.Reply((*f)(m))
	}
	return nil
}

func (p *Probe[M]) watch(c *actor.Context, pid actor.PID) error {
	return c.Reply(c.Watch(pid, func(end actor.Terminated) error {
		select {
		case p.gone <- end:
		case <-c.Done():
		}
		return nil
	}))
}

// Ref returns where the probe's messages go.
func (p *Probe[M]) Ref() actor.Ref[M] { return p.ref }

// System returns the System that the probe lives in, to send from.
func (p *Probe[M]) System() *actor.System { return p.in }

// Replies makes f answer the Asks that the probe gets from now on; an error is a refusal. Without it they get no reply.
func (p *Probe[M]) Replies(f func(M) any) { p.reply.Store(&f) }

// Next returns the next message.
func (p *Probe[M]) Next() M {
	p.t.Helper()
	return next(p.t, p.got, fmt.Sprintf("a %v", reflect.TypeFor[M]()))
}

// Expect expects want as the next message; they are compared by reflect.DeepEqual.
func (p *Probe[M]) Expect(want M) {
	p.t.Helper()
	if got := next(p.t, p.got, fmt.Sprintf("%+v", want)); !reflect.DeepEqual(got, want) {
		p.t.Fatalf("the probe got %+v, not %+v", got, want)
	}
}

// ExpectNone expects that nothing comes for d.
func (p *Probe[M]) ExpectNone(d time.Duration) {
	p.t.Helper()
	select {
	case m := <-p.got:
		p.t.Fatalf("the probe got %+v, not nothing", m)
	case <-time.After(d):
	}
}

// Watch watches an actor, for ExpectTerminated.
func (p *Probe[M]) Watch(pid actor.PID) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if _, err := p.watcher.Ask(ctx, p.in, pid); err != nil {
		p.t.Fatalf("watching %v: %v", pid, err)
	}
}

// ExpectTerminated expects that an actor that is watched is the next to end, for that reason.
func (p *Probe[M]) ExpectTerminated(pid actor.PID, reason actor.Reason) {
	p.t.Helper()
	want := actor.Terminated{PID: pid, Reason: reason}
	if got := next(p.t, p.gone, fmt.Sprintf("%+v", want)); got != want {
		p.t.Fatalf("the probe heard %+v, not %+v", got, want)
	}
}

func next[T any](t testing.TB, from chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(Patience):
		t.Fatalf("the probe did not get %s within %v", what, Patience)
		panic("not reached")
	}
}
