package topology

import "context"

// Subscriber declares a role that subscribes to a topic. It is done when work returns, and when all such roles of a run are
// done the run ends. Each instance has an [Inlet] of its own, which gets nothing before it subscribes to something.
func Subscriber[T any](t *Topology, name string, topic *TopicEdge[T],
	work func(ctx context.Context, in *Inlet[T]) error, opts ...RoleOption) {
	r := &role{name: name, class: finishing, does: "subscribing"}
	if !t.wire(r, "Subscriber", work != nil, end{topic.declared(), takes}) {
		return
	}
	r.open = func(in *instance) (func(context.Context) error, error) {
		inlet, err := openInlet(in, topic)
		if err != nil {
			return nil, err
		}
		in.atEnd(inlet.close)
		return func(ctx context.Context) error {
			defer inlet.begin(ctx)()
			return work(ctx, inlet)
		}, nil
	}
	t.addRole(r, opts)
}
