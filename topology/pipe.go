package topology

import (
	"context"
	"fmt"
	"reflect"

	engine "github.com/troupe-go/troupe/internal/pipe"
)

// PipeEdge is a pipe: what is sent into it goes to one of those who receive from it. It is made by [Pipe] and given to
// [Source], [Stage] and [Sink].
type PipeEdge[T any] struct {
	edge *edge
	key  func(T) string // set by Ordered
}

// pipeOptions are what options of a pipe set.
type pipeOptions struct {
	retries int
	workers int
	key     any          // a func(T) string
	dead    *edge        // that dead tasks go to, as a Failed[T]
	tasks   reflect.Type // that T
	store   func(instance int) (Store, error)
}

// defaultRetries is how often a task is given out again.
const defaultRetries = 5

// Pipe declares a pipe for values of type T, its tasks. Its [Source] binds endpoint, else its [Sink], and the others
// connect to it, unless options of the run put it elsewhere; see the package's "Who binds" and "Where it runs". What is
// promised of pipes is said there too, under "Pipes".
func Pipe[T any](t *Topology, name, endpoint string, opts ...EdgeOption) *PipeEdge[T] {
	typ := reflect.TypeFor[T]()
	e := &edge{name: name, kind: pipe, endpoint: endpoint, carries: typ.String(), pipe: pipeOptions{retries: defaultRetries}}
	t.declare(e, opts, typ)
	p := &PipeEdge[T]{edge: e}
	if key := e.pipe.key; key != nil {
		var ok bool
		if p.key, ok = key.(func(T) string); !ok {
			t.mistake("pipe %s: the option Ordered got a %T; the pipe carries %s", name, key, typ)
		}
	}
	if dead := e.pipe.tasks; dead != nil && dead != typ {
		t.mistake("pipe %s: the option DeadLetters got a pipe for failed tasks of type %s; this one carries %s", name, dead, typ)
	}
	if o := e.pipe; e.zmq && (o.key != nil || o.dead != nil || o.workers > 0 || o.store != nil || o.retries != defaultRetries) {
		t.mistake("pipe %s: ZMQ goes with no other option: plain ZeroMQ acknowledges nothing", name)
	}
	e.use = func(in *instance) (any, func(), error) {
		g, err := p.giving(in)
		if err != nil {
			return nil, nil, err
		}
		return g, g.close, nil
	}
	return p
}

// Retries sets how many times a pipe gives a task out again that a handler failed at, or whose worker died with it: 5 by
// default. Then the task is dead, see [DeadLetters].
func Retries(n int) EdgeOption {
	return only(pipe, "Retries", func(e *edge) {
		if n < 0 {
			e.wrong = append(e.wrong, fmt.Errorf("pipe %s: %d retries; at least 0 are needed", e.name, n))
		}
		e.pipe.retries = n
	})
}

// Started is for [MinWorkers]: as many instances as this run starts itself to receive from the pipe, in this process or as
// its children; one if they are started elsewhere.
const Started = -1

// MinWorkers lets a pipe give out nothing before n instances are there to receive from it: so a batch starts on all of
// them at once. Those that come later get their share too.
func MinWorkers(n int) EdgeOption {
	return only(pipe, "MinWorkers", func(e *edge) { e.pipe.workers = n })
}

// Ordered keeps tasks of the same key in order: each is given out when the one before is done, and so are the results of
// stages. Tasks of different keys don't wait for each other. A key that is always the same orders the whole pipe.
func Ordered[T any](key func(task T) string) EdgeOption {
	return only(pipe, "Ordered", func(e *edge) {
		if key == nil {
			e.wrong = append(e.wrong, fmt.Errorf("pipe %s: the option Ordered got a nil function", e.name))
			return
		}
		e.pipe.key = key
	})
}

// Failed is a dead task: one that failed as often as its pipe allows.
type Failed[T any] struct {
	Task     T
	Err      string // why it failed the last time
	Attempts int    // how many times it was given out
}

// DeadLetters sends a pipe's dead tasks into another pipe, whose sink may keep them for somebody to look at. Without it
// they are logged and counted. Either way the stream goes on without them, and ends.
func DeadLetters[T any](dead *PipeEdge[Failed[T]]) EdgeOption {
	return only(pipe, "DeadLetters", func(e *edge) {
		e.pipe.dead, e.pipe.tasks = dead.declared(), reflect.TypeFor[T]()
		if e.pipe.dead == nil {
			e.wrong = append(e.wrong, fmt.Errorf("pipe %s: the option DeadLetters got a nil edge", e.name))
		}
	})
}

// sends makes a role that sends into a pipe use what that needs.
func (e *edge) sends(r *role) {
	if e.pipe.dead != nil {
		r.uses = append(r.uses, e.pipe.dead)
		r.ends = append(r.ends, end{e.pipe.dead, gives})
	}
}

// declared returns the edge, or nil if Pipe didn't make p.
func (p *PipeEdge[T]) declared() *edge {
	if p == nil {
		return nil
	}
	return p.edge
}

// Send sends a value into the pipe from a role that [Uses] it, as a source's emit does. The context must be the one that
// the role's function was given, or be made of it; else it fails with [ErrDeclared].
//
// What the handler of a [Stage] sends while it is at a task is done before the task is. It is sent again if the task is
// given out again.
func (p *PipeEdge[T]) Send(ctx context.Context, value T) error {
	g, ok := ctx.Value(used{p.declared()}).(*giving[T])
	if !ok {
		return fmt.Errorf("%w: sending into a pipe with a context that isn't a role's with topology.Uses(it)", ErrDeclared)
	}
	s := g.in.ownStream()
	var origin engine.Origin = s
	if task, ok := ctx.Value(taskKey{}).(*shared); ok && task.add() {
		origin = task
	} else if err := s.add(); err != nil {
		return err
	}
	err := g.give(ctx, s.nextID(), value, origin)
	if err != nil {
		origin.Done()
		origin.Flush()
	}
	return err
}
