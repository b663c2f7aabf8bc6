package actors

import (
	"context"
	"testing"

	"github.com/troupe-go/troupe/actor"
)

type troupe struct {
	b *testing.B
	s *actor.System
}

func openTroupe(b *testing.B) system {
	s, err := actor.NewSystem(actor.Config{})
	if err != nil {
		b.Fatal(err)
	}
	return troupe{b, s}
}

func (t troupe) close() {
	if err := t.s.Close(context.Background()); err != nil {
		t.b.Error(err)
	}
}

func (t troupe) spawn(receive func(turn, any)) address {
	ref, err := actor.Spawn(t.s, "", func(c *actor.Context, m any) error {
		receive(troupeContext{t, c}, m)
		return nil
	})
	if err != nil {
		t.b.Fatal(err)
	}
	return troupeAddress{t, ref}
}

type troupeContext struct {
	troupe
	c *actor.Context
}

func (c troupeContext) tell(to address, m any) { c.check(to.(troupeAddress).ref.Tell(c.c, m)) }
func (c troupeContext) reply(m any)            { c.check(c.c.Reply(m)) }

type troupeAddress struct {
	troupe
	ref actor.Ref[any]
}

func (a troupeAddress) tell(m any) { a.check(a.ref.Tell(a.s, m)) }
func (a troupeAddress) stop()      { a.check(actor.Stop(context.Background(), a.s, a.ref.PID())) }

func (a troupeAddress) ask(ctx context.Context, m any) (any, error) {
	return actor.As[any](a.ref.Ask(ctx, a.s, m))
}

func (t troupe) check(err error) {
	if err != nil {
		t.b.Error(err)
	}
}
