package topology

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	engine "github.com/troupe-go/troupe/internal/pipe"
)

// Stage declares a role that receives from a pipe, one value at a time for each instance, and sends what handle returns
// into another. It doesn't wait until that is received before it takes the next, but what it received counts as done only
// then: if the process dies before, another instance gets it.
//
// An error of handle, or a panic, is a failure of that task alone: it is given out again, see [Retries]. A handler whose
// tasks fail one after the other rests between them, up to 100 ms. Its context ends when the task is of no use
// any more, or, after the run was told to end, Options.Drain later.
func Stage[T, R any](t *Topology, name string, in *PipeEdge[T], out *PipeEdge[R],
	handle func(ctx context.Context, task T) (R, error), opts ...RoleOption) {
	var create func(context.Context) (func(context.Context, T) (R, error), error)
	if handle != nil {
		create = func(context.Context) (func(context.Context, T) (R, error), error) { return handle, nil }
	}
	stageRole(t, name, "Stage", in, out, create, opts)
}

// StageNew is a [Stage] whose instances have state: create makes it, and returns the handler that uses it. It is called
// before an instance takes its first task, and again after a panic, which may have left the state in disorder. While it
// fails it is called again, after a pause of up to 100 ms.
func StageNew[T, R any](t *Topology, name string, in *PipeEdge[T], out *PipeEdge[R],
	create func(ctx context.Context) (handle func(ctx context.Context, task T) (R, error), err error), opts ...RoleOption) {
	stageRole(t, name, "StageNew", in, out, create, opts)
}

func stageRole[T, R any](t *Topology, name, declaration string, in *PipeEdge[T], out *PipeEdge[R],
	create func(context.Context) (func(context.Context, T) (R, error), error), opts []RoleOption) {
	r := &role{name: name, class: serving, drains: true, restarts: true, does: "working"}
	if !t.wire(r, declaration, create != nil, end{in.declared(), takes}, end{out.declared(), gives}) {
		return
	}
	r.open = func(i *instance) (func(context.Context) error, error) {
		s := &stage[T, R]{in: i, create: create}
		return s.run, s.open(in, out)
	}
	t.addRole(r, append([]RoleOption{out.edge.sends}, opts...))
}

// stage is one instance of a stage.
type stage[T, R any] struct {
	in     *instance
	create func(context.Context) (func(context.Context, T) (R, error), error)
	takes  *taking[T]
	gives  *giving[R]

	handle   func(context.Context, T) (R, error) // nil: to be made
	failures int                                 // one after the other
}

func (s *stage[T, R]) open(in *PipeEdge[T], out *PipeEdge[R]) (err error) {
	if s.gives, err = out.giving(s.in); err != nil {
		return err
	}
	s.in.atEnd(s.gives.close)
	s.takes, err = in.taking(s.in, engine.ConsumerConfig{
		Expect: s.in.sources(in.edge),
		End: func(id engine.ID, role string, heard engine.Origin) {
			ends := s.in.enders(s.gives)
			all := &shared{parcel: told{heard}, open: len(ends)}
			for _, e := range ends {
				e.end(id, role, all)
			}
		},
		Gone: func(id engine.ID) {
			for _, e := range s.in.enders(s.gives) {
				e.forget(id)
			}
		},
	})
	return err
}

// told is the parcel of the end of a stream.
type told struct{ engine.Origin }

func (told) Finish()     {}
func (told) Fail(string) {}

// run works until ctx ends. Then it finishes the task in hand, gives back what it has not begun, and waits until the
// results are received.
func (s *stage[T, R]) run(ctx context.Context) error {
	defer func() {
		closing, cancel := context.WithTimeout(context.Background(), s.in.run.options.Grace)
		defer cancel()
		s.takes.close(closing)
	}()
	draining, cancel := s.in.draining(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, s.takes.stop)()
	for {
		if s.handle == nil && !s.prepare(ctx) {
			break
		}
		t, ok := s.takes.take(draining)
		if !ok {
			break
		}
		s.do(draining, t)
		if s.failures > 1 {
			rest(ctx, s.failures)
		}
	}
	s.takes.stop()
	s.takes.settle(draining)
	return nil
}

// prepare makes the handler. It reports false if ctx ended before it could.
func (s *stage[T, R]) prepare(ctx context.Context) bool {
	for failures := 1; ctx.Err() == nil; failures++ {
		err := s.guard(func() (err error) {
			s.handle, err = s.create(ctx)
			return err
		})
		if err == nil && s.handle != nil {
			return true
		}
		s.handle = nil
		s.in.log.Error("the stage's state can't be made; trying again", "err", err)
		rest(ctx, failures)
	}
	return false
}

// do handles a task.
func (s *stage[T, R]) do(ctx context.Context, t taken[T]) {
	var origin parcel = t.parcel
	hctx := ctx
	if len(s.in.used) > 0 {
		task := &shared{parcel: t.parcel, open: 1}
		hctx = context.WithValue(hctx, taskKey{}, task)
		origin = task
	}
	if t.attempt > 1 {
		hctx = context.WithValue(hctx, attemptKey{}, t.attempt)
	}
	id := t.id
	if id == (engine.ID{}) { // it came over plain ZeroMQ
		id = s.in.ownStream().nextID()
	}
	var result R
	err := s.guard(func() (err error) {
		result, err = s.handle(hctx, t.value)
		return err
	})
	if err == nil {
		err = s.gives.give(ctx, id, result, origin)
	}
	switch {
	case err == nil:
		s.failures = 0
		s.in.tally.Done.Add(1)
		t.Finish()
	case ctx.Err() != nil:
		origin.Fail(context.Cause(ctx).Error())
	default:
		s.failures++
		s.in.tally.Failed.Add(1)
		s.in.log.Warn("task failed", "task", id, "attempt", t.attempt, "err", err)
		origin.Fail(err.Error())
	}
}

// guard calls f and turns a panic into an error, after which the state is made anew.
func (s *stage[T, R]) guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.handle = nil
			s.in.log.Error("panic", "value", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return f()
}

// rest waits after so many failures one after the other, or until ctx ends.
func rest(ctx context.Context, failures int) {
	t := time.NewTimer(min(time.Millisecond<<min(failures, 10), 100*time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// attemptKey is the key by which a handler's context has the task's attempt.
type attemptKey struct{}

// Attempt says how often the task that a [Stage]'s handler is at, or to whose context ctx belongs, was given out: 1, or more
// if it failed or its worker died before, so that parts of its work may have been done.
func Attempt(ctx context.Context) int {
	if n, ok := ctx.Value(attemptKey{}).(int); ok {
		return n
	}
	return 1
}
