package actors

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

type proto struct {
	b *testing.B
	s *actor.ActorSystem
}

func openProto(b *testing.B) system {
	quiet := actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) })
	return proto{b, actor.NewActorSystem(quiet)}
}

func (p proto) close() { p.s.Shutdown() }

func (p proto) spawn(receive func(turn, any)) address {
	return protoAddress{p, p.s.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.Started, *actor.Stopping, *actor.Stopped:
		default:
			receive(protoContext{c}, m)
		}
	}))}
}

type protoContext struct{ c actor.Context }

func (c protoContext) tell(to address, m any) { c.c.Send(to.(protoAddress).pid, m) }
func (c protoContext) reply(m any)            { c.c.Respond(m) }

type protoAddress struct {
	proto
	pid *actor.PID
}

func (a protoAddress) tell(m any) { a.s.Root.Send(a.pid, m) }

func (a protoAddress) stop() {
	if err := a.s.Root.StopFuture(a.pid).Wait(); err != nil {
		a.b.Error(err)
	}
}

func (a protoAddress) ask(ctx context.Context, m any) (any, error) {
	deadline, _ := ctx.Deadline()
	return a.s.Root.RequestFuture(a.pid, m, time.Until(deadline)).Result()
}
