package actor_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// start returns a System that is closed when the test ends.
func start(t *testing.T, cfg actor.Config) *actor.System {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s, err := actor.NewSystem(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// tireless restarts at once and without end.
var tireless = actor.Supervision{Intensity: actor.Unlimited, Backoff: -1}

func spawn[M any](t *testing.T, in actor.Scope, name string, f func(*actor.Context, M) error, opts ...actor.Option) actor.Ref[M] {
	t.Helper()
	ref, err := actor.Spawn(in, name, f, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func tell[M any](t *testing.T, in actor.Scope, ref actor.Ref[M], messages ...M) {
	t.Helper()
	for _, m := range messages {
		if err := ref.Tell(in, m); err != nil {
			t.Fatalf("Tell(%v): %v", m, err)
		}
	}
}

func stop[M any](t *testing.T, s *actor.System, ref actor.Ref[M]) {
	t.Helper()
	if err := actor.Stop(context.Background(), s, ref.PID()); err != nil {
		t.Fatalf("Stop: %v", err)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

func wantDead(t *testing.T, s *actor.System, want map[actor.Reason]uint64) {
	t.Helper()
	if got := s.DeadLetters(); !maps.Equal(got, want) {
		t.Fatalf("dead letters %v, want %v", got, want)
	}
}

// countDead is how many dead letters there are, but for late replies, which nobody told.
func countDead(s *actor.System) (n uint64) {
	for reason, count := range s.DeadLetters() {
		if reason != actor.LateReply {
			n += count
		}
	}
	return n
}

// eventually waits for what other goroutines bring about.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to pass")
		}
	}
}

// within is a context for what must end soon.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// list collects what happened, in order, from any goroutine.
type list[T any] struct {
	mu    sync.Mutex
	items []T
}

func (l *list[T]) add(v T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, v)
}

func (l *list[T]) all() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]T(nil), l.items...)
}

// gated is an actor that handles a message when it gets one from gate, and notes it.
func gated(t *testing.T, s actor.Scope, name string, opts ...actor.Option) (ref actor.Ref[int], gate chan struct{}, handled *list[int]) {
	t.Helper()
	gate, handled = make(chan struct{}), new(list[int])
	ref = spawn(t, s, name, func(c *actor.Context, n int) error {
		<-gate
		handled.add(n)
		return nil
	}, opts...)
	return ref, gate, handled
}

// player is an actor made of functions, for hooks.
type player[M any] struct {
	start, stop func(*actor.Context) error
	receive     func(*actor.Context, M) error
}

func (p *player[M]) Start(c *actor.Context) error {
	if p.start == nil {
		return nil
	}
	return p.start(c)
}

func (p *player[M]) Stop(c *actor.Context) error {
	if p.stop == nil {
		return nil
	}
	return p.stop(c)
}

func (p *player[M]) Receive(c *actor.Context, m M) error { return p.receive(c, m) }

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
