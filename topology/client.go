package topology

import (
	"context"
	"fmt"
)

// Client declares a role that calls a service. It is done when work returns, and when all such roles of a run are done
// the run ends. Each instance has a [Caller] of its own, which is of no use once work has returned: calls that
// goroutines of work still wait for end then. So does the context, or earlier, when the run is to end.
func Client[Q, R any](t *Topology, name string, service *ServiceEdge[Q, R],
	work func(ctx context.Context, c *Caller[Q, R]) error, opts ...RoleOption) {
	r := &role{name: name, class: finishing, does: "calling"}
	if !t.wire(r, "Client", work != nil, end{service.declared(), takes}) {
		return
	}
	r.open = func(in *instance) (func(context.Context) error, error) {
		return func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			c := newCaller[Q, R](ctx, in, service.edge)
			defer c.close()
			defer cancel() // ends calls of goroutines that work has left behind
			return work(ctx, c)
		}, nil
	}
	t.addRole(r, opts)
}

// Call calls the service from a role that [Uses] it, as [Caller.Call] does for a client. The context must be the one
// that the role's function was given, or be made of it; else it fails with [ErrDeclared].
func (s *ServiceEdge[Q, R]) Call(ctx context.Context, request Q) (reply R, err error) {
	c, ok := ctx.Value(used{s.declared()}).(*Caller[Q, R])
	if !ok {
		return reply, fmt.Errorf("%w: a call of a service with a context that isn't a role's with topology.Uses(it)", ErrDeclared)
	}
	return c.Call(ctx, request)
}

// declared returns the edge, or nil if Service didn't make s.
func (s *ServiceEdge[Q, R]) declared() *edge {
	if s == nil {
		return nil
	}
	return s.edge
}
