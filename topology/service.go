package topology

import (
	"context"
	"math"
	"reflect"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/mailbox"
)

// ServiceEdge is a service: clients send requests of type Q, and its server answers each with an R. It is made by
// [Service] and given to [Server] and [Client].
type ServiceEdge[Q, R any] struct{ edge *edge }

// Service declares a service. Its server binds endpoint and its clients connect to it, unless options of the run put it
// elsewhere (see the package's "Where it runs").
//
// The option [ZMQ] is needed: without it Run refuses the topology, until Troupe has its own protocol for services.
func Service[Q, R any](t *Topology, name, endpoint string, opts ...EdgeOption) *ServiceEdge[Q, R] {
	q, r := reflect.TypeFor[Q](), reflect.TypeFor[R]()
	e := t.declare(&edge{name: name, kind: service, endpoint: endpoint, carries: q.String() + " -> " + r.String()}, opts, q, r)
	if !e.zmq {
		t.mistake("service %s needs the option topology.ZMQ(codec): services have no protocol of Troupe's own yet", name)
	}
	if r.Implements(reflect.TypeFor[error]()) {
		t.mistake("service %s: its replies, of type %s, are errors; return those as errors", name, r)
	}
	e.use = func(in *instance) (any, func(), error) {
		c := newCaller[Q, R](context.Background(), in, e)
		return c, c.close, nil
	}
	return &ServiceEdge[Q, R]{e}
}

// Server declares the role that answers a service's requests by handle, one at a time. The handler's context ends when
// the server is stopped.
//
// An error (or a panic) of handle concerns its request alone: it is logged, and the server goes on. Inside one process
// the caller gets it. Over a socket the request gets no reply, as plain ZeroMQ has no form for errors.
func Server[Q, R any](t *Topology, name string, service *ServiceEdge[Q, R],
	handle func(ctx context.Context, request Q) (R, error), opts ...RoleOption) {
	r := &role{name: name, class: serving, restarts: true, does: "serving"}
	if !t.wire(r, "Server", handle != nil, end{service.declared(), gives}) {
		return
	}
	e := service.edge
	r.open = func(in *instance) (work func(context.Context) error, err error) {
		ref, err := actor.Spawn(in.run.system, name, func(c *actor.Context, request Q) error {
			reply, err := handle(in.with(c), request)
			if err != nil {
				in.tally.Failed.Add(1)
				in.log.Warn("request failed", "err", err)
				return c.Reply(err)
			}
			in.tally.Done.Add(1)
			return c.Reply(reply)
		}, in.serve(e)...)
		if err != nil {
			return nil, err
		}
		in.run.hub(e, func() any { return ref })
		return func(ctx context.Context) error {
			return in.stopped(ctx, func(ctx context.Context) error { return actor.Stop(ctx, in.run.system, ref.PID()) })
		}, nil
	}
	t.addRole(r, opts)
}

// serve returns the options of the actor that serves e. Where values are handed over, callers wait for room in its
// mailbox as they wait for its replies, until their contexts end.
func (in *instance) serve(e *edge) []actor.Option {
	c := in.carrier(e)
	if c.local {
		return []actor.Option{actor.Wait(math.MaxInt64)}
	}
	return []actor.Option{actor.Bind(mailbox.Rep, c.endpoint, e.codec), actor.Socket(in.socket(e))}
}

// stopped waits for the end of ctx and then stops a server. It has half of the grace to handle what it has; then its
// handler's context ends.
func (in *instance) stopped(ctx context.Context, stop func(context.Context) error) error {
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.Background(), in.run.options.Grace/2)
	defer cancel()
	if err := stop(grace); err != nil && grace.Err() == nil {
		return err
	}
	return nil
}
