package topology

import (
	"context"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/mailbox"
)

// bind spawns the actor that serves a plain ZeroMQ service, and returns the instance's work.
func (a *attendant[Q, R]) bind() (func(context.Context) error, error) {
	in, e := a.in, a.edge
	at := in.carrier(e)
	ref, err := actor.Spawn(in.run.system, in.role.name, func(c *actor.Context, request Q) error {
		if !a.prepare(c) {
			return c.Err()
		}
		reply, err := a.answer(in.with(c), request, nil)
		if err != nil {
			return c.Reply(err)
		}
		return c.Reply(reply)
	}, actor.Bind(mailbox.Rep, at.endpoint, e.codec), actor.Socket(in.socket(e)))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return in.stopped(ctx, func(ctx context.Context) error { return actor.Stop(ctx, in.run.system, ref.PID()) })
	}, nil
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
