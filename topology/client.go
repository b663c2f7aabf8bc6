package topology

import "context"

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
			defer cancel()
			c, err := newCaller[Q, R](ctx, in, service.edge)
			if err != nil {
				return err
			}
			defer c.close()
			defer cancel() // before that: it ends calls of goroutines that work has left behind
			return work(ctx, c)
		}, nil
	}
	t.addRole(r, opts)
}
