package actor

import (
	"context"
	"fmt"
	"time"
)

// Forward is a Tell of m in which the Ask in hand, if it is one, goes along: the reply to m answers it, and c's handler
// has nothing more to reply. If Forward fails, the Ask is still in hand. It never waits.
//
// To an actor of another node, an Ask that came from another node itself, or from a socket, is asked anew, within the time
// that its sender waits, or a minute if that is not known; it fails when this instance of c's actor ends. At most as many
// of these as the mailbox holds are under way at one time, then it is ErrFull.
func (r Ref[M]) Forward(c *Context, m M) error {
	sc, target, m, err := r.begin(c, m)
	switch {
	case err != nil:
		return err
	case target == nil && c.turn.asker == nil:
		return sc.sendTell(r.pid, m)
	case target == nil:
		return r.forwardFar(c, m)
	}
	return give(c, target, m, sc.haste())
}

// give hands m, and the Ask in hand with it, to an actor of this System.
func give[M any](c *Context, to *cell, m M, may haste) error {
	if c.turn.asker == nil {
		return tell(c, c.scope(), may, to, m, nil)
	}
	return c.turn.answer(func(a asker) error {
		x := new(more)
		x.hand.turn.asker = a
		return tell(c, c.scope(), may, to, m, x)
	})
}

func (r Ref[M]) forwardFar(c *Context, m M) error {
	waits, here := c.turn.asker.(*ask)
	if !here {
		return r.relay(c, m)
	}
	return c.turn.answer(func(asker) error { return c.scope().pass(waits, r.pid, m) })
}

// pass sends m to an actor of another node, whose reply answers a.
func (sc scope) pass(a *ask, to PID, m any) error {
	id := sc.sys.pending.add(a, to, false)
	err := sc.send(&Envelope{Kind: Ask, Target: to, Correlation: id, Value: m})
	if err != nil && sc.sys.pending.take(id) != nil {
		a.remote.Store(0)
		return err
	}
	if a.state.Load() != askOpen { // the asker left before it could know where a went
		a.forget()
	}
	return nil
}

// patience is how long an asker is taken to wait who does not say.
const patience = time.Minute

// relay asks for an asker who waits elsewhere, to whom the reply comes back through this actor.
func (r Ref[M]) relay(c *Context, m M) error {
	me, many := c.life.cell, false
	err := c.life.want(func(w *wants) { many = len(w.asks) >= me.set.hwm })
	switch {
	case err != nil:
		return err
	case many:
		return fmt.Errorf("%w: %s has passed on %d Asks that are not answered", ErrFull, me.label(), me.set.hwm)
	case c.turn.state.Load() != turnOpen:
		return ErrNotAsked
	}
	deadline := time.Now().Add(patience)
	from, far := c.turn.asker.(*farAsker)
	if far && !from.deadline.IsZero() {
		deadline = from.deadline
	}
	ctx, cancel := context.WithDeadline(c, deadline)
	later := c.ReplyLater()
	ask := r.launch(ctx, c, nil, m, true, nil).ask
	ask.begun.then(ask, func(reply result) error {
		cancel()
		if reply.err == nil {
			reply.err = later.answer(reply.answer)
		}
		if reply.err != nil {
			later.fail(reply.err)
		}
		return nil
	})
	return nil
}

// answer replies with what another Ask got.
func (l *Later) answer(a Answer) error {
	switch l.turn.asker.(type) {
	case *ask, *farAsker: // as it came
		return l.Reply(a.value)
	}
	v, err := a.Value()
	if err != nil {
		return err
	}
	return l.Reply(v)
}
