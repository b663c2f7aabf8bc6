package topology

import (
	"context"
	"fmt"
	"time"
)

// Source declares a role that sends into a pipe. Its function calls emit for each value, from any goroutine; emit waits
// while the pipe is full, as it is when the sinks are slow, and fails when ctx ends. When the function has returned, and
// all that it sent is done, the source has ended, and those who receive learn of that; from then on emit fails.
//
// When the run is told to end, so does ctx; what was sent until then is still finished, if that takes no longer than
// [Options].Drain.
func Source[T any](t *Topology, name string, out *PipeEdge[T],
	work func(ctx context.Context, emit func(value T) error) error, opts ...RoleOption) {
	r := &role{name: name, class: source, drains: true, does: "sending"}
	if !t.wire(r, "Source", work != nil, end{out.declared(), gives}) {
		return
	}
	r.open = func(in *instance) (func(context.Context) error, error) {
		d, err := keepDiary[T](in, out.edge)
		if err != nil {
			return nil, err
		}
		g, err := out.giving(in)
		if err != nil {
			return nil, err
		}
		in.atEnd(g.close)
		return func(ctx context.Context) error { return runSource(ctx, in, g, d, work) }, nil
	}
	t.addRole(r, append([]RoleOption{out.edge.sends}, opts...))
}

func runSource[T any](ctx context.Context, in *instance, g *giving[T], d *diary[T],
	work func(context.Context, func(T) error) error) error {
	s := in.ownStream()
	send := func(v T) error {
		if err := s.add(); err != nil {
			return err
		}
		err := g.give(ctx, s.nextID(), v, s)
		if err != nil {
			s.Done()
		}
		return err
	}
	var err error
	if d != nil {
		send = func(v T) error { return d.emit(ctx, g, v) }
		ctx = context.WithValue(ctx, sentKey{}, int(s.next.Load()))
		err = d.again(ctx, g)
	}
	if err == nil {
		err = work(ctx, func(v T) error {
			if err := send(v); err != nil {
				return fmt.Errorf("topology: pipe %s: %w", g.edge.name, err)
			}
			in.tally.Done.Add(1)
			return nil
		})
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	complete := err == nil && ctx.Err() == nil
	draining, cancel := in.draining(ctx)
	defer cancel()
	if err := s.end(draining, in.enders(g)); err != nil {
		if err == errOver {
			return nil
		}
		return fmt.Errorf("what was sent was not finished in time: %w", err)
	}
	in.tally.Over.Store(true)
	if d != nil && complete {
		return d.store.Clear()
	}
	return nil
}

// draining returns a context that ends Options.Drain after ctx was told to end, or with ctx if the run is over.
func (in *instance) draining(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if context.Cause(ctx) == errOver {
			cancel(errOver)
			return
		}
		select {
		case <-time.After(in.run.options.Drain):
			cancel(context.Cause(ctx))
		case <-late.Done():
		}
	})
	return late, func() {
		stop()
		cancel(nil)
	}
}
