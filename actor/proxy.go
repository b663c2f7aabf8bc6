package actor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Proxy says what an actor is that stands for one on another node.
type Proxy struct {
	Node   func() string // where the other is to be, called at each start; those of a pool's members at the same time
	Kind   string        // what it is, see RegisterKind
	Name   string        // its name there; "" = none
	Arg    any           // what its kind's function is given
	Within time.Duration // how long a start may take; 0 = 5 s
}

// NewProxy returns an actor that stands for one on another node. It is spawned by SpawnNew, or as the members of a pool:
//
//	worker, err := actor.SpawnNew(in, "worker", func() actor.Receiver[Job] { return actor.NewProxy[Job](p) })
//
// Its start hook starts the other (SpawnOn). What it is told it passes on in order, and an Ask is answered by the other (see
// Forward). When the other stops, it stops too. When the other fails for good, or its node is down, or it could not be
// started, the proxy fails, with an error that wraps ErrFailed, ErrUnreachable or SpawnOn's; so its supervisor's rules hold
// as for any child, and a restart starts another one, where Node says then. What was on its way to the old one is lost with
// it; what is queued at the proxy is not. When the proxy stops, the other does before it, if its node can be reached.
//
// What fails over there is restarted there first, as that node's Config.Supervision says; a kind whose function spawns with
// Restart(Temporary) leaves it to the proxy's supervisor.
//
// A message that the network does not take is a dead letter; a Tell waits for room as long as one from outside does. A
// proxy's own mailbox says nothing of how busy the other is: LeastLoaded is of no use among proxies.
func NewProxy[M any](p Proxy) Receiver[M] { return &proxy[M]{Proxy: p} }

type proxy[M any] struct {
	Proxy
	other remoteActor
	ended bool // other is gone, or its node is down
}

func (p *proxy[M]) Start(c *Context) error {
	if p.Node == nil || p.Within < 0 {
		return fmt.Errorf("%w: a Proxy of kind %q without Node, or with a negative Within", ErrUsage, p.Kind)
	}
	if p.Within == 0 {
		p.Within = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(c, p.Within)
	defer cancel()
	var err error
	if p.other, err = c.scope().spawnOn(ctx, p.Node(), p.Kind, p.Name, p.Arg); err != nil {
		return err
	}
	err = c.Watch(p.other.pid, func(end Terminated) error { return p.left(c, end) })
	if err != nil { // this instance is over already
		p.abandon(c)
	}
	return err
}

// abandon has the other stop some time.
func (p *proxy[M]) abandon(c *Context) {
	s := c.life.cell.sys
	if p.other.number != 0 {
		_ = s.halt(p.other, "")
	} else if other, err := s.local(p.other.pid); err == nil {
		other.shutdown()
	}
}

// left is the end of the other.
func (p *proxy[M]) left(c *Context, end Terminated) error {
	p.ended = true
	sentinel := ErrFailed
	switch end.Reason {
	case Stopped:
		c.Stop()
		return nil
	case NodeDown, Full: // it may be alive
		sentinel = ErrUnreachable
		p.abandon(c)
	case NoActor:
		sentinel = ErrNoActor
	}
	return fmt.Errorf("%w: %v: %s", sentinel, end.PID, end.Reason)
}

// Stop has the other stop within the time that the proxy has.
func (p *proxy[M]) Stop(c *Context) error {
	if p.ended {
		return nil
	}
	me := c.life.cell
	ctx, cancel := context.WithTimeout(context.Background(), me.set.shutdown*3/4)
	defer cancel()
	if me.killed() {
		cancel()
	}
	err := Stop(ctx, c, p.other.pid)
	if errors.Is(err, ErrNoActor) {
		return nil
	}
	return err
}

func (p *proxy[M]) Receive(c *Context, m M) error {
	if err := p.pass(c, m); err != nil {
		lose(c, m, err)
	}
	return nil
}

func (p *proxy[M]) pass(c *Context, m M) error {
	if p.other.number == 0 || c.turn.asker != nil {
		return RefTo[M](p.other.pid).Forward(c, m)
	}
	return c.scope().send(&Envelope{Kind: Tell, Target: p.other.pid, Value: m, Wait: c.life.cell.sys.defaults.wait})
}
