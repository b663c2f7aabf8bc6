package topology

import (
	"context"
	"fmt"
	"iter"
	"reflect"
)

// FrontOf lets a service share the front of another that was declared before, and so its endpoint, which is to be given to
// [Service] too: -at moves both. It is for many small services.
func FrontOf(other Edge) EdgeOption {
	return only(service, "FrontOf", func(e *edge) {
		e.via = other.declared()
		if e.via == nil {
			e.wrong = append(e.wrong, fmt.Errorf("service %s: topology.FrontOf got a nil edge", e.name))
		}
	})
}

// ServiceEdge is a service: clients send requests of type Q, and a server answers each with an R, or several. It is made
// by [Service] and given to [Server] and [Client].
type ServiceEdge[Q, R any] struct{ edge *edge }

// Service declares a service. Over sockets, its servers and clients meet at its front, which binds endpoint unless options
// of the run put it elsewhere (see the package's "Where it runs"). The front is a role of its own, named after the service
// and not declared: -run name runs it, and -processes gives it a process. It gives each call to the server that was used
// least recently, of those that are free. Programs in other languages take part by the protocol in SERVICE.md.
//
// If a server role says [Binds] of the service there is no front: that role, of one instance, binds, and clients connect
// to it. With [ZMQ] that is always so.
func Service[Q, R any](t *Topology, name, endpoint string, opts ...EdgeOption) *ServiceEdge[Q, R] {
	q, r := reflect.TypeFor[Q](), reflect.TypeFor[R]()
	e := t.declare(&edge{name: name, kind: service, endpoint: endpoint, carries: q.String() + " -> " + r.String()}, opts, q, r)
	if r.Implements(reflect.TypeFor[error]()) {
		t.mistake("service %s: its replies, of type %s, are errors; return those as errors", name, r)
	}
	switch {
	case e.via != nil:
		t.shareFront(e)
	case !e.zmq:
		t.addFront(e)
	}
	e.use = func(in *instance) (any, func(), error) {
		c, err := newCaller[Q, R](context.Background(), in, e)
		if err != nil {
			return nil, nil, err
		}
		return c, c.close, nil
	}
	return &ServiceEdge[Q, R]{e}
}

// Call calls the service from a role that [Uses] it, as [Caller.Call] does for a client. The context must be the one
// that the role's function was given, or be made of it; else it fails with [ErrDeclared].
func (s *ServiceEdge[Q, R]) Call(ctx context.Context, request Q) (reply R, err error) {
	c, err := s.caller(ctx)
	if err != nil {
		return reply, err
	}
	return c.Call(ctx, request)
}

// Stream is Call for a service that replies in parts, as [Caller.Stream] is for a client.
func (s *ServiceEdge[Q, R]) Stream(ctx context.Context, request Q) iter.Seq2[R, error] {
	c, err := s.caller(ctx)
	if err != nil {
		return failed[R](err)
	}
	return c.Stream(ctx, request)
}

func (s *ServiceEdge[Q, R]) caller(ctx context.Context) (*Caller[Q, R], error) {
	c, ok := ctx.Value(used{s.declared()}).(*Caller[Q, R])
	if !ok {
		return nil, fmt.Errorf("%w: a call of a service with a context that isn't a role's with topology.Uses(it)", ErrDeclared)
	}
	return c, nil
}

// declared returns the edge, or nil if Service didn't make s.
func (s *ServiceEdge[Q, R]) declared() *edge {
	if s == nil {
		return nil
	}
	return s.edge
}
