package topology

import (
	"context"
	"reflect"
	"slices"

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
	e := &edge{name: name, endpoint: endpoint, carries: q.String() + " -> " + r.String()}
	for _, opt := range opts {
		opt(e)
	}
	t.addEdge(e)
	if _, err := mailbox.ParseEndpoint(endpoint); err != nil {
		t.mistake("service %s: %w", name, err)
	}
	if e.codec == nil {
		t.mistake("service %s needs the option topology.ZMQ(codec): services have no protocol of Troupe's own yet", name)
		return &ServiceEdge[Q, R]{e}
	}
	for _, typ := range []reflect.Type{q, r} {
		if err := e.codec.Check(typ); err != nil {
			t.mistake("service %s: %s can't be sent: %w", name, typ, err)
		}
	}
	if r.Implements(reflect.TypeFor[error]()) {
		t.mistake("service %s: its replies, of type %s, are errors; return those as errors", name, r)
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
	r := &role{name: name}
	if !t.wire(r, "Server", service.declared(), handle != nil) {
		return
	}
	r.serve = func(run *run) (stop func(context.Context) error, err error) {
		ref, err := actor.Spawn(run.system, name, func(c *actor.Context, request Q) error {
			reply, err := handle(c, request)
			if err != nil {
				c.Log().Warn("request failed", "role", name, "err", err)
				return c.Reply(err)
			}
			return c.Reply(reply)
		}, run.bind(r.edge)...)
		run.handed[r.edge] = ref
		return func(ctx context.Context) error { return actor.Stop(ctx, run.system, ref.PID()) }, err
	}
	t.addRole(r, opts)
}

// Client declares a role that calls a service. It is done when work returns, and when all such roles of a run are done
// the run ends. Each instance has a [Caller] of its own, which is of no use once work has returned: calls that
// goroutines of work still wait for end then. So does the context, or earlier, when the run is to end.
func Client[Q, R any](t *Topology, name string, service *ServiceEdge[Q, R],
	work func(ctx context.Context, c *Caller[Q, R]) error, opts ...RoleOption) {
	r := &role{name: name}
	if !t.wire(r, "Client", service.declared(), work != nil) {
		return
	}
	r.work = func(ctx context.Context, run *run) error {
		ctx, cancel := context.WithCancel(ctx)
		c := newCaller[Q, R](ctx, run, r)
		defer c.close()
		defer cancel() // ends calls of goroutines that work has left behind
		return work(ctx, c)
	}
	t.addRole(r, opts)
}

// declared returns the edge, or nil if Service didn't make s.
func (s *ServiceEdge[Q, R]) declared() *edge {
	if s == nil {
		return nil
	}
	return s.edge
}

// wire wires a role to its edge. It reports whether the role's declaration has an edge of this topology and a function.
func (t *Topology) wire(r *role, kind string, e *edge, function bool) bool {
	r.edge = e
	known := slices.Contains(t.edges, e)
	switch {
	case e == nil:
		t.mistake("role %s: topology.%s got a nil edge", r.name, kind)
	case !known:
		t.mistake("role %s: topology.%s got the edge %s, which is declared in another topology", r.name, kind, e.name)
	}
	if !function {
		t.mistake("role %s: topology.%s got a nil function", r.name, kind)
	}
	return known && function
}
