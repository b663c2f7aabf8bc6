package topology

import "context"

// Publisher declares a role that publishes on a topic. It serves: when work has returned, what it published last is still
// there for those who subscribe later (see [LastValueCache]), until the run ends. Each instance has an [Outlet] of its own.
func Publisher[T any](t *Topology, name string, topic *TopicEdge[T],
	work func(ctx context.Context, out *Outlet[T]) error, opts ...RoleOption) {
	r := &role{name: name, class: serving, restarts: true, does: "publishing"}
	if !t.wire(r, "Publisher", work != nil, end{topic.declared(), gives}) {
		return
	}
	r.open = func(in *instance) (func(context.Context) error, error) {
		out, err := openOutlet(in, topic)
		if err != nil {
			return nil, err
		}
		in.atEnd(out.close)
		return func(ctx context.Context) error {
			defer out.begin(ctx)()
			if err := work(ctx, out); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}, nil
	}
	t.addRole(r, opts)
}
