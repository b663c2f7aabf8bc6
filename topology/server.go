package topology

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/broker"
)

// Server declares the role that answers a service's requests by handle: each instance one at a time. The handler's context
// ends when the caller gives up or its own would end, and when the server is stopped.
//
// An error (or a panic) of handle concerns its request alone: it is logged, the caller gets it, and the server goes on.
// Over a socket the caller gets its text, and its identity if it is registered with [codec.RegisterError]; with [ZMQ] the
// request gets no reply, as plain ZeroMQ has no form for errors.
func Server[Q, R any](t *Topology, name string, service *ServiceEdge[Q, R],
	handle func(ctx context.Context, request Q) (R, error), opts ...RoleOption) {
	var create func(context.Context) (handler[Q, R], error)
	if handle != nil {
		create = func(context.Context) (handler[Q, R], error) { return replies(handle), nil }
	}
	serverRole(t, &role{name: name}, "Server", service, create, opts)
}

// ServerNew is a [Server] whose instances have state: create makes it, and returns the handler that uses it. It is called
// before an instance takes its first request, and again after a panic, which may have left the state in disorder. While
// it fails it is called again, after a pause of up to 100 ms.
func ServerNew[Q, R any](t *Topology, name string, service *ServiceEdge[Q, R],
	create func(ctx context.Context) (handle func(ctx context.Context, request Q) (R, error), err error), opts ...RoleOption) {
	var made func(context.Context) (handler[Q, R], error)
	if create != nil {
		made = func(ctx context.Context) (handler[Q, R], error) {
			handle, err := create(ctx)
			if err == nil && handle == nil {
				err = errors.New("the constructor returned a nil function")
			}
			return replies(handle), err
		}
	}
	serverRole(t, &role{name: name}, "ServerNew", service, made, opts)
}

// StreamServer is a [Server] that replies in parts, each given to send, for [Caller.Stream]. send waits while the caller
// doesn't take them: a few parts are under way over a socket, none inside a process. It fails when the handler's context
// has ended; the handler then returns.
func StreamServer[Q, R any](t *Topology, name string, service *ServiceEdge[Q, R],
	handle func(ctx context.Context, request Q, send func(R) error) error, opts ...RoleOption) {
	var create func(context.Context) (handler[Q, R], error)
	if handle != nil {
		create = func(context.Context) (handler[Q, R], error) {
			return func(ctx context.Context, request Q, send func(R) error) (reply R, err error) {
				return reply, handle(ctx, request, send)
			}, nil
		}
	}
	serverRole(t, &role{name: name, streams: true}, "StreamServer", service, create, opts)
}

// handler answers a request, by a reply or, if the role streams, by what it sends.
type handler[Q, R any] func(ctx context.Context, request Q, send func(R) error) (R, error)

func replies[Q, R any](handle func(context.Context, Q) (R, error)) handler[Q, R] {
	return func(ctx context.Context, request Q, _ func(R) error) (R, error) { return handle(ctx, request) }
}

var errStreams = errors.New("topology: the service replies in parts; use Stream")

func serverRole[Q, R any](t *Topology, r *role, declaration string, service *ServiceEdge[Q, R],
	create func(context.Context) (handler[Q, R], error), opts []RoleOption) {
	r.class, r.restarts, r.does = serving, true, "serving"
	if !t.wire(r, declaration, create != nil, end{service.declared(), gives}) {
		return
	}
	e := service.edge
	r.open = func(in *instance) (func(context.Context) error, error) {
		a := &attendant[Q, R]{in: in, edge: e, create: create}
		switch at := in.carrier(e); {
		case at.local:
			return a.meet(in.run.hub(e, func() any { return newCounter[Q, R]() }).(*counter[Q, R])), nil
		case e.zmq:
			return a.bind()
		}
		line, err := in.lines(e).serve(in, e)
		if err != nil {
			return nil, err
		}
		in.atEnd(func() { line.leave(noWait) })
		return a.serve(line), nil
	}
	t.addRole(r, opts)
}

// noWait is the context of what is to be done without waiting.
var noWait = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// attendant is one instance of a server.
type attendant[Q, R any] struct {
	in     *instance
	edge   *edge
	create func(context.Context) (handler[Q, R], error)
	handle handler[Q, R] // nil: it is to be made
}

// prepare makes the handler if there is none. It reports false if ctx ends before it could.
func (a *attendant[Q, R]) prepare(ctx context.Context) bool {
	const pause = 100 * time.Millisecond
	for a.handle == nil {
		handle, err := a.made(a.in.with(ctx))
		if err == nil {
			a.handle = handle
			break
		}
		a.in.log.Error("no handler; it is made again", "err", err, "in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// made is create, a panic being an error.
func (a *attendant[Q, R]) made(ctx context.Context) (handle handler[Q, R], err error) {
	defer func() {
		if v := recover(); v != nil {
			err = a.panicked(v)
		}
	}()
	return a.create(ctx)
}

// answer calls the handler. After a panic, which is an error, there is none.
func (a *attendant[Q, R]) answer(ctx context.Context, request Q, send func(R) error) (reply R, err error) {
	defer func() {
		if v := recover(); v != nil {
			a.handle = nil
			err = a.panicked(v)
		}
		if err != nil {
			a.in.tally.Failed.Add(1)
			a.in.log.Warn("request failed", "err", err)
			return
		}
		a.in.tally.Done.Add(1)
	}()
	return a.handle(ctx, request, send)
}

func (a *attendant[Q, R]) panicked(v any) error {
	a.in.log.Error("panic", "value", v, "stack", string(debug.Stack()))
	return fmt.Errorf("panic: %v", v)
}

// serve returns the work of an instance with a connection to the service's front.
func (a *attendant[Q, R]) serve(line *serverLine) func(context.Context) error {
	return func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() {
			grace, cancel := context.WithTimeout(context.Background(), a.in.run.options.Grace/2)
			defer cancel()
			line.leave(grace)
		})()
		for a.prepare(ctx) {
			r, err := line.Next(context.Background())
			if err != nil { // the line is closed
				return nil
			}
			a.reply(r)
		}
		return nil
	}
}

// reply answers a request that came over a socket.
func (a *attendant[Q, R]) reply(r *broker.Request) {
	body, err := a.respond(r)
	switch {
	case err != nil:
		err = r.Fail(codec.ErrorName(err), err.Error())
	case a.in.role.streams:
		err = r.End()
	default:
		err = r.Reply(body)
	}
	if err != nil {
		a.in.tally.Dropped.Add(1)
		a.in.log.Info("an answer was not sent", "err", err)
	}
}

func (a *attendant[Q, R]) respond(r *broker.Request) (body []byte, err error) {
	if a.in.role.streams && !r.Streams() {
		return nil, errStreams
	}
	var request Q
	if err := a.edge.codec.Decode(r.Body, &request); err != nil {
		a.in.tally.Failed.Add(1)
		return nil, err
	}
	reply, err := a.answer(a.in.with(r.Context), request, a.parts(r))
	if err != nil || a.in.role.streams {
		return nil, err
	}
	return a.edge.codec.Append(nil, reply)
}

// parts returns how a handler sends parts of its reply.
func (a *attendant[Q, R]) parts(r *broker.Request) func(R) error {
	if !a.in.role.streams {
		return nil
	}
	return func(part R) error {
		body, err := a.edge.codec.Append(nil, part)
		if err != nil {
			return err
		}
		return r.Part(body)
	}
}
