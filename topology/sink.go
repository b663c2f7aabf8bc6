package topology

import (
	"context"
	"iter"

	engine "github.com/troupe-go/troupe/internal/pipe"
)

// Sink declares a role that receives from a pipe. Its function gets what comes as a sequence, which ends when all sources
// have ended and everything that they sent has come, or when the run is to end. A value counts as done when the loop's
// body has come to its end; each comes once, however often it was given out on the way. The role is done when its
// function returns.
//
// The sequence of a [ZMQ] pipe, or of one that such a pipe leads to, ends only with the run: the function decides itself
// when it has enough.
func Sink[T any](t *Topology, name string, in *PipeEdge[T],
	work func(ctx context.Context, tasks iter.Seq[T]) error, opts ...RoleOption) {
	r := &role{name: name, class: finishing, drains: true, does: "receiving"}
	if !t.wire(r, "Sink", work != nil, end{in.declared(), takes}) {
		return
	}
	r.open = func(i *instance) (func(context.Context) error, error) {
		tk, err := in.taking(i, engine.ConsumerConfig{Once: true, Expect: i.sources(in.edge)})
		if err != nil {
			return nil, err
		}
		i.atEnd(func() {
			closing, cancel := context.WithTimeout(context.Background(), i.run.options.Grace)
			defer cancel()
			tk.close(closing)
		})
		return func(ctx context.Context) error {
			defer tk.stop()
			return work(ctx, sequence(ctx, i, tk))
		}, nil
	}
	t.addRole(r, opts)
}

// sequence is what an instance of a sink receives.
func sequence[T any](ctx context.Context, in *instance, tk *taking[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			t, ok := tk.take(ctx)
			if !ok {
				return
			}
			more := yield(t.value)
			in.tally.Done.Add(1)
			t.Done()
			if !more {
				t.Flush()
				return
			}
		}
	}
}
