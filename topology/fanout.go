package topology

import (
	"context"
	"errors"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// Fanout declares a role that passes on to the subscribers of one topic what publishers publish on another: one on each
// machine, for instance, or one between many publishers and many subscribers, where it binds both edges. What nobody behind
// it has subscribed to, the publishers don't send it. It serves.
//
// It passes messages on as they are, so it needs no key and decodes nothing, and both topics are of one form. Subscribers
// behind it find out what they missed, get last values, and are counted by [Outlet.WaitSubscribers], as if it was not
// there. Only a Subscribe returns when the Fanout knows, perhaps before the publishers do.
func Fanout[T any](t *Topology, name string, from, to *TopicEdge[T], opts ...RoleOption) {
	r := &role{name: name, class: serving, restarts: true, does: "passing on"}
	if !t.wire(r, "Fanout", true, end{from.declared(), takes}, end{to.declared(), gives}) {
		return
	}
	switch in, out := from.edge, to.edge; {
	case in.form() != out.form():
		t.mistake("role %s: the topics %s and %s of a Fanout need the same ZMQ option, as it passes messages on as they are",
			name, in.name, out.name)
	case from.source() == to:
		t.mistake("role %s: the topics %s and %s pass their updates on to each other in a circle", name, in.name, out.name)
	default:
		to.origin = from
	}
	r.open = func(in *instance) (func(context.Context) error, error) {
		a, b := in.carrier(from.edge), in.carrier(to.edge)
		switch {
		case a.local && b.local: // it is one hub
			return func(ctx context.Context) error {
				<-ctx.Done()
				return nil
			}, nil
		case a.local || b.local:
			return nil, fmt.Errorf("one of the topics %s and %s is in this process alone; move it to an endpoint, with -at, "+
				"or neither", from.edge.name, to.edge.name)
		}
		front, err := in.device(mailbox.XPub, to.edge)
		if err != nil {
			return nil, err
		}
		back, err := in.device(mailbox.XSub, from.edge)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			if err := mailbox.Proxy(ctx, front, back, nil); !errors.Is(err, ctx.Err()) {
				return err
			}
			return nil
		}, nil
	}
	t.addRole(r, opts)
}

// form returns what edges have in common whose messages are alike.
func (e *edge) form() any {
	plain := ""
	if e.plain != nil {
		plain = e.plain.Name()
	}
	return [...]any{e.zmq, e.codec.Name(), e.when, plain}
}

// source returns the topic that publishers publish on what comes on p.
func (p *TopicEdge[T]) source() *TopicEdge[T] {
	for p.origin != nil {
		p = p.origin
	}
	return p
}

// device opens a socket of a topic whose messages the instance passes on.
func (in *instance) device(typ mailbox.SocketType, e *edge) (*mailbox.Socket, error) {
	cfg := in.socket(e)
	cfg.SendHWM, cfg.RecvHWM = e.topic.queue, e.topic.queue
	cfg.NoDrop = typ == mailbox.XPub && e.topic.noDrop
	s, err := mailbox.New(typ, cfg)
	if err != nil {
		return nil, err
	}
	end, err := in.join(in.carrier(e), s)
	if err != nil {
		return nil, err
	}
	in.atEnd(end)
	return s, nil
}
