package topology

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/troupe-go/troupe/actor"
)

// errStart marks a run that ended because one of its roles could not be started.
var errStart = errors.New("topology: can't start")

// run is a topology while it runs in this process.
type run struct {
	topology *Topology
	options  Options
	plan     *plan
	system   *actor.System
	tallies  *tallies

	mu   sync.Mutex
	hubs map[*edge]any // where the roles on both sides of an edge meet that hands values over
}

// Run runs the topology where o says, until it ends as the package's "When it ends" has it. It returns nil if all
// finishing roles here returned nil or if only serving roles ran here; the error of the first role that failed, with its
// name; an error that wraps the cause of ctx's end if finishing roles were still at work then; ErrDeclared or
// ErrOptions, before anything has started, if the topology can't run or not so. At its return everything it started is
// gone, but for roles that didn't end within o.Grace, which its error names.
//
// With o.Processes the roles run in child processes: this program started again with the same arguments. A child comes
// to this call as its parent did, runs its role here, and exits at the end of it: Run doesn't return in a child.
func (t *Topology) Run(ctx context.Context, o Options) error {
	return t.run(ctx, o, func(string) {})
}

// run is Run. It calls made with the directory for a run as processes, if it makes one.
func (t *Topology) run(ctx context.Context, o Options, made func(dir string)) error {
	o = o.withDefaults()
	if o.flags != nil {
		if err := t.complete(&o); err != nil {
			return err
		}
	}
	t.settle()
	if c, err := t.childhood(); err != nil {
		return err
	} else if c != nil {
		os.Exit(t.runChild(ctx, c, o))
	}
	if o.Processes {
		return t.runProcesses(ctx, o, made)
	}
	p, err := t.plan(o, "")
	if err != nil {
		return err
	}
	ts := new(tallies)
	defer ts.summarise(o, t.name)
	defer t.show(o, ts)()
	return t.runHere(ctx, o, p, ts, func() {})
}

// receivers is how many instances the whole run has that receive from e.
func (r *run) receivers(e *edge) (n int) {
	for _, role := range r.topology.on(e, takes) {
		if r.plan.runs(role) || slices.Contains(r.options.siblings, role.name) {
			n += r.options.instances(role)
		}
	}
	return n
}

// show draws the run's progress, if somebody is there to see it and there is a stream that ends, until stop is called.
func (t *Topology) show(o Options, ts *tallies) (stop func()) {
	if o.progress == nil || !slices.ContainsFunc(t.edges, func(e *edge) bool { return e.kind == pipe }) {
		return func() {}
	}
	return o.progress.show(ts)
}

// runHere runs a plan in this process, and calls started when all that its roles need is open.
func (t *Topology) runHere(ctx context.Context, o Options, p *plan, ts *tallies, started func()) error {
	system, err := actor.NewSystem(actor.Config{
		Node: t.name, Network: o.Network, Log: o.Log,
		Supervision: actor.Supervision{Intensity: actor.Unlimited, Backoff: -1}, // a panic concerns its request alone
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errStart, err)
	}
	r := &run{topology: t, options: o, plan: p, system: system, tallies: ts, hubs: map[*edge]any{}}
	err = r.play(ctx, started)
	ended, cancel := context.WithCancel(context.Background())
	cancel() // the servers had their time to end; Close waits for what is stuck in addition, which Run doesn't
	if errors.Is(err, errStuck) {
		go system.Close(ended)
		return err
	}
	if closing := system.Close(ended); err == nil {
		return closing
	}
	return err
}

// play opens all role instances, runs them, and waits for their end.
func (r *run) play(ctx context.Context, started func()) error {
	var instances []*instance
	var parts []part
	for _, s := range r.plan.shares {
		for i := range s.n {
			in, err := r.open(s.role, s.first+i)
			if err != nil {
				for _, in := range instances {
					in.close()
				}
				return fmt.Errorf("%w: role %s: %w", errStart, s.role.name, err)
			}
			instances = append(instances, in)
			parts = append(parts, part{s.role.name, s.role.class, s.role.drains, in.perform})
		}
		r.announce(s)
	}
	started()
	return play(ctx, r.options, parts)
}

// announce logs what instances of a role do, and where their edges are.
func (r *run) announce(s share) {
	for _, end := range s.role.ends {
		at := "in process"
		if c := r.carrier(s.role, end.edge); !c.local {
			at = c.endpoint
		}
		r.options.Log.Info(s.role.does, "role", s.role.name, "instances", s.n, "edge", end.edge.name, "endpoint", at)
	}
}

// hub returns where the roles of an edge meet that hands values over: what create makes when it is first asked for.
func (r *run) hub(e *edge, create func() any) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	hub, ok := r.hubs[e]
	if !ok {
		hub = create()
		r.hubs[e] = hub
	}
	return hub
}
