package topology

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/mailbox"
)

// errStart marks a run that ended because one of its roles could not be started.
var errStart = errors.New("topology: can't start")

// run is a topology while it runs in this process.
type run struct {
	options Options
	plan    *plan
	system  *actor.System
	handed  map[*edge]any // the server's Ref of each edge that has its server here
	started func()        // called when all servers are there
}

// Run runs the topology where o says, until it ends as the package's "When it ends" has it. It returns nil if all
// clients here returned nil or if only servers ran here; the error of the first client that failed, with the role's
// name; an error that wraps the cause of ctx's end if clients were still at work then; ErrDeclared or ErrOptions, before
// anything has started, if the topology can't run or not so. At its return everything it started is gone, but for roles
// that didn't end within o.Grace, which its error names.
//
// With o.Processes the roles run in child processes: this program started again with the same arguments. A child comes
// to this call as its parent did, runs its role here, and exits at the end of it: Run doesn't return in a child.
func (t *Topology) Run(ctx context.Context, o Options) error {
	return t.run(ctx, o, func(string) {})
}

// run is Run. It calls made with the directory for a run as processes, if it makes one.
func (t *Topology) run(ctx context.Context, o Options, made func(dir string)) error {
	o = o.withDefaults()
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
	return t.runHere(ctx, o, p, func() {})
}

// runHere runs a plan in this process, and calls started when its servers are there.
func (t *Topology) runHere(ctx context.Context, o Options, p *plan, started func()) error {
	system, err := actor.NewSystem(actor.Config{
		Node: t.name, Network: o.Network, Log: o.Log,
		Supervision: actor.Supervision{Intensity: actor.Unlimited, Backoff: -1}, // a panic concerns its request alone
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errStart, err)
	}
	r := &run{options: o, plan: p, system: system, handed: map[*edge]any{}, started: started}
	err = r.play(ctx)
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

// play starts the servers, then the clients, and waits for their end.
func (r *run) play(ctx context.Context) error {
	var services, jobs []part
	for _, role := range r.plan.servers {
		stop, err := role.serve(r)
		if err != nil {
			return fmt.Errorf("%w: role %s: %w", errStart, role.name, err)
		}
		r.announce("serving", role, r.plan.at)
		services = append(services, part{role.name, func(ctx context.Context) error { return r.serving(ctx, stop) }})
	}
	r.started()
	for _, s := range r.plan.workers {
		r.announce("calling", s.role, r.plan.dial)
		for range s.n {
			jobs = append(jobs, part{s.role.name, func(ctx context.Context) error { return s.role.work(ctx, r) }})
		}
	}
	return play(ctx, r.options, jobs, services)
}

// serving waits for the end of ctx and then stops a server. It has half of the grace to handle what it has; then its
// handler's context ends.
func (r *run) serving(ctx context.Context, stop func(context.Context) error) error {
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.Background(), r.options.Grace/2)
	defer cancel()
	if err := stop(grace); err != nil && grace.Err() == nil {
		return err
	}
	return nil
}

// announce logs that a role runs, and at which endpoint its edge is.
func (r *run) announce(what string, role *role, endpoints map[*edge]string) {
	at := endpoints[role.edge]
	if at == "" {
		at = "in process"
	}
	r.options.Log.Info(what, "role", role.name, "edge", role.edge.name, "endpoint", at)
}

// bind returns the options of the actor that serves e. Where values are handed over, callers wait for room in its mailbox
// as they wait for its replies, until their contexts end.
func (r *run) bind(e *edge) []actor.Option {
	at := r.plan.at[e]
	if at == "" {
		return []actor.Option{actor.Wait(math.MaxInt64)}
	}
	return []actor.Option{actor.Bind(mailbox.Rep, at, e.codec)}
}
