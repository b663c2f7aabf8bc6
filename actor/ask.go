package actor

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Answer is what an Ask got. As makes it a value of its type.
type Answer struct {
	value any // the value itself, or a *body
}

// Value returns the answer as what it was sent as. What came encoded must be of a type that codec.Register made known,
// or a basic one; ErrType otherwise.
func (a Answer) Value() (any, error) { return answer[any](a, "") }

// As makes the answer of an Ask an R, and hands on the error of the Ask. An answer of another type is ErrType.
func As[R any](a Answer, err error) (R, error) {
	if err != nil {
		var none R
		return none, err
	}
	typeName := ""
	if _, encoded := a.value.(*body); encoded {
		typeName = typeNameOf[R]()
	}
	return answer[R](a, typeName)
}

// answer is open for what is no message: a handler that returns its error has failed, and is not one that was given
// what it doesn't take.
func answer[R any](a Answer, typeName string) (R, error) {
	r, err := open[R](a.value, typeName)
	if bad, ok := err.(*misfit); ok {
		err = bad.err
	}
	return r, err
}

// ask is an Ask that waits in this process. It is part of its message.
type ask struct {
	more
	sys    *System
	target PID
	from   PID
	remote atomic.Uint64 // its number in pending, if it waits for another node
	state  atomic.Uint32
	extra  bool        // others are asked the same, and the first reply is enough
	done   chan result // room for one; nil of a Begin
	begun  *begun      // nil of an Ask
}

type result struct {
	answer Answer
	err    error
}

const (
	askOpen uint32 = iota
	askDone
	askLeft // the asker has gone away
)

func (sc scope) newAsk(target PID) *ask {
	a := &ask{sys: sc.sys, target: target, from: sc.pid()}
	a.hand.turn.asker = a
	return a
}

// blocking makes a one that is waited for.
func (a *ask) blocking() {
	var ok bool
	if a.done, ok = a.sys.channels.Get().(chan result); !ok {
		a.done = make(chan result, 1)
	}
}

// finish ends the wait. It returns false if it had ended before.
func (a *ask) finish(r result) bool {
	if !a.state.CompareAndSwap(askOpen, askDone) {
		return false
	}
	if a.begun != nil {
		a.begun.finish(a, r)
	} else {
		a.done <- r
	}
	return true
}

func (a *ask) reply(v any) error {
	if _, copied := v.(*body); a.sys.copying && !copied {
		b, err := encode(v, a.target)
		if err != nil {
			return err
		}
		v = b
	}
	if !a.finish(result{answer: Answer{v}}) && !a.extra {
		m := message{value: v}
		a.sys.dead.add(LateReply, a.from, a.target, m.typeName)
	}
	return nil
}

func (a *ask) refuse(err error) { a.fail(err) }

func (a *ask) fail(err error) { a.finish(result{err: err}) }

// wait returns what the ask got, or an error when ctx, or the actor that asks, ends.
func (a *ask) wait(ctx context.Context, in *cell) (Answer, error) {
	var stopped <-chan struct{}
	if in != nil {
		if life := in.life.Load(); life.err() == nil { // a stop hook may ask
			stopped = life.context().Done()
		}
	}
	if stopped == nil && ctx.Done() == nil {
		return a.take(<-a.done) // nothing else to wait for, and less to do
	}
	var err error
	select {
	case r := <-a.done:
		return a.take(r)
	case <-ctx.Done():
		err = timeout(ctx, a.target)
	case <-stopped:
		err = fmt.Errorf("%w: %s stopped while it asked %v", ErrClosed, in.label(), a.target)
	}
	if !a.leave() {
		return a.take(<-a.done) // it came at the same moment
	}
	return Answer{}, err
}

// leave gives up. It returns false if the answer is there.
func (a *ask) leave() bool {
	left := a.state.CompareAndSwap(askOpen, askLeft)
	if left {
		a.abandon()
		if a.done != nil {
			a.sys.channels.Put(a.done) // nothing will be sent to it
		}
	}
	return left
}

// forget lets nobody find a by its number.
func (a *ask) forget() {
	if id := a.remote.Load(); id != 0 {
		a.sys.pending.take(id)
	}
}

// abandon is forget while the answer may still come, to nobody: the Remote need not remember it either.
func (a *ask) abandon() {
	id := a.remote.Load()
	if id == 0 {
		return
	}
	if to, waited := a.sys.pending.leave(id); waited && a.sys.abandon != nil {
		a.sys.abandon.Abandon(to, id)
	}
}

func (a *ask) take(r result) (Answer, error) {
	a.forget()
	a.sys.channels.Put(a.done)
	return r.answer, r.err
}
