package topology

import (
	"context"
	"log/slog"
	"slices"
)

// instance is one instance of a role in this process.
type instance struct {
	run    *run
	role   *role
	n      int // from 0 on
	log    *slog.Logger
	tally  *tally
	work   func(context.Context) error
	used   map[used]any // its ends of the edges that the role uses
	stream *stream      // what it sends into pipes of its own accord; nil: nothing yet
	closes []func()
}

// used is the key by which a role's context has its end of an edge that it uses.
type used struct{ edge *edge }

// open opens what instance number n of a role needs.
func (r *run) open(role *role, n int) (*instance, error) {
	in := &instance{run: r, role: role, n: n, used: map[used]any{}, tally: r.tallies.add(role, n)}
	in.log = r.options.Log.With("role", role.name)
	if r.options.instances(role) > 1 {
		in.log = in.log.With("instance", n+1)
	}
	err := in.openUsed()
	if err == nil {
		in.work, err = role.open(in)
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// openUsed opens the edges that the role uses.
func (in *instance) openUsed() error {
	for _, e := range in.role.uses {
		end, ended, err := e.use(in)
		if err != nil {
			return err
		}
		in.used[used{e}] = end
		in.atEnd(ended)
	}
	return nil
}

// with returns ctx with the ends of the edges that the role uses.
func (in *instance) with(ctx context.Context) context.Context {
	for key, end := range in.used {
		ctx = context.WithValue(ctx, key, end)
	}
	return ctx
}

// atEnd has f called when the instance has ended, or if it never begins. What was given last is called first.
func (in *instance) atEnd(f func()) { in.closes = append(in.closes, f) }

func (in *instance) close() {
	for _, f := range slices.Backward(in.closes) {
		f()
	}
}

// perform runs the instance until it is done, or told to end by ctx.
func (in *instance) perform(ctx context.Context) error {
	defer in.close()
	return in.work(in.with(ctx))
}

// carrier is how values get to and from a role's side of an edge.
type carrier struct {
	local    bool   // they are handed over in this process, by way of the edge's hub
	endpoint string // else, to bind or connect to
	binds    bool
}

// carrier returns that of e for the instance.
func (in *instance) carrier(e *edge) carrier { return in.run.carrier(in.role, e) }

// carrier returns that of e for a role.
func (r *run) carrier(role *role, e *edge) carrier {
	at, socket := r.plan.at[e]
	switch {
	case !socket:
		return carrier{local: true}
	case r.topology.binder(e) == role:
		return carrier{endpoint: at, binds: true}
	}
	return carrier{endpoint: r.plan.dial[e]}
}
