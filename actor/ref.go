package actor

import (
	"context"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// Ref is a PID that knows which messages its actor takes. It is comparable, costs nothing over a PID, and travels in
// messages as its PID. Its zero value names no actor.
type Ref[M any] struct{ pid PID }

// RefTo types a PID. Nothing is checked here: a message that the actor does not take is one dead letter there, and an
// Ask gets ErrType.
func RefTo[M any](pid PID) Ref[M] { return Ref[M]{pid} }

// PID returns where r's messages go.
func (r Ref[M]) PID() PID { return r.pid }

// Tell hands m to the actor and does not wait for it to be handled. Nil means accepted: m will be handled or become a
// dead letter. An error means not accepted: ErrNoActor, ErrFull, ErrClosed, or what the way to another node says.
//
// If the mailbox is full, a Tell from outside waits for room, up to the mailbox's Wait (one second unless configured);
// a Tell from a *Context never waits. Messages of one sender to one actor arrive in order, each at most once.
//
// Inside a process m is handed over, not copied (unless Config.CopyMessages): don't touch what it points to afterwards.
func (r Ref[M]) Tell(in Scope, m M) error {
	sc, c, m, err := r.begin(in, m)
	switch {
	case err != nil:
		return err
	case c == nil:
		return sc.sendTell(r.pid, m)
	}
	return tell(context.Background(), sc, sc.haste(), c, m, nil)
}

// Urgent is a Tell that overtakes all that is queued and is not urgent itself. It never waits, and fails with ErrFull
// whatever the mailbox's policy. To an actor of another node it fails with ErrUnreachable.
func (r Ref[M]) Urgent(in Scope, m M) error {
	sc, c, m, err := r.begin(in, m)
	switch {
	case err != nil:
		return err
	case c == nil:
		return fmt.Errorf("%w: %v: urgent messages don't travel", ErrUnreachable, r.pid)
	}
	return tellUrgent(sc, c, m)
}

// Ask hands m to the actor and waits for its reply until ctx ends; if the actor's node can't be reached, only as long as
// the network keeps messages for it (node.Config.Expire), then it is ErrUnreachable. As makes the answer a value of its type:
//
//	s, err := actor.As[string](greeter.Ask(ctx, in, Hello{"World"}))
//
// The error is the actor's refusal (what it gave to Reply), or one that matches ErrFailed if its handler failed,
// ErrNoReply if it returned without a reply, ErrType if it doesn't take m, ErrDeadlock if an actor asks itself, one of
// Tell's errors, or ctx's own. A reply that comes later is a dead letter.
//
// In a handler Ask keeps the handler, and so its actor, until it returns; actors that ask one another in a circle wait
// until a ctx ends. Begin does not keep it.
func (r Ref[M]) Ask(ctx context.Context, in Scope, m M) (Answer, error) {
	sc, c, m, err := r.begin(in, m)
	switch {
	case ctx == nil:
		return Answer{}, fmt.Errorf("%w: nil context", ErrUsage)
	case ctx.Err() != nil:
		return Answer{}, timeout(ctx, r.pid)
	case err != nil:
		return Answer{}, err
	case c != nil && c == sc.cell:
		return Answer{}, fmt.Errorf("%w: %s asks itself", ErrDeadlock, c.label())
	}
	a := sc.newAsk(r.pid)
	a.blocking()
	if err := r.ask(ctx, sc, c, a, m); err != nil {
		return Answer{}, err
	}
	return a.wait(ctx, sc.cell)
}

// begin finds the target, nil if it is on another node, and the message that is sent.
func (r Ref[M]) begin(in Scope, m M) (scope, *cell, M, error) {
	sc, err := scopeOf(in)
	if err != nil {
		return sc, nil, m, err
	}
	if sc.sys.sending != nil {
		if m, err = outgoing(in, sc, r.pid, m); err != nil {
			return sc, nil, m, err
		}
	}
	c, err := sc.sys.find(r.pid)
	return sc, c, m, err
}

// ask sends a on its way to c, or to another node. If it fails, a is over.
func (r Ref[M]) ask(ctx context.Context, sc scope, c *cell, a *ask, m M) (err error) {
	if c == nil {
		id := sc.sys.pending.add(a, r.pid, false)
		deadline, _ := ctx.Deadline()
		err = sc.sendOne(Envelope{Kind: Ask, Target: r.pid, Correlation: id, Deadline: deadline, Value: m})
	} else {
		err = tell(ctx, sc, sc.haste(), c, m, &a.more)
	}
	if err != nil && a.leave() {
		return err
	}
	return nil
}

// String returns the text form of r's PID.
func (r Ref[M]) String() string { return r.pid.String() }

// MarshalText returns the text form of r's PID.
func (r Ref[M]) MarshalText() ([]byte, error) { return r.pid.MarshalText() }

// UnmarshalText reads the text form of a PID.
func (r *Ref[M]) UnmarshalText(text []byte) error { return r.pid.UnmarshalText(text) }

// EncodeMsgpack writes r as its PID.
func (r Ref[M]) EncodeMsgpack(e *msgpack.Encoder) error { return r.pid.EncodeMsgpack(e) }

// DecodeMsgpack reads a PID.
func (r *Ref[M]) DecodeMsgpack(d *msgpack.Decoder) error { return r.pid.DecodeMsgpack(d) }
