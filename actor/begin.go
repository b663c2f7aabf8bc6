package actor

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Pending is an Ask under way, which does not keep its actor. Give it to Then.
type Pending struct{ ask *ask }

// Begin is an Ask that returns at once. What comes of it, also an error because the message was not accepted, or ctx's own
// when it ends, comes to the function given to Then. A restart of c's actor ends it. To ask oneself is allowed.
func (r Ref[M]) Begin(ctx context.Context, c *Context, m M) Pending {
	return r.beginAsk(ctx, c, m, false)
}

func (r Ref[M]) beginAsk(ctx context.Context, c *Context, m M, extra bool) Pending {
	sc, target, m, err := r.begin(c, m)
	if sc.cell == nil { // no Context: nobody to come back to
		return Pending{}
	}
	return r.launch(ctx, c, target, m, extra, err)
}

// launch is beginAsk for what has been begun, perhaps with an error.
func (r Ref[M]) launch(ctx context.Context, c *Context, target *cell, m M, extra bool, err error) Pending {
	sc := c.scope()
	a := sc.newAsk(r.pid)
	a.begun, a.extra = &begun{life: c.life}, extra
	switch {
	case err != nil:
	case ctx == nil:
		err = fmt.Errorf("%w: nil context", ErrUsage)
	case ctx.Err() != nil:
		err = timeout(ctx, r.pid)
	default:
		if err = a.life().want(func(w *wants) { w.asks[a] = struct{}{} }); err != nil {
			return Pending{a} // of an instance that has ended
		}
		if err = r.ask(ctx, sc, target, a, m); err == nil {
			stop := context.AfterFunc(ctx, func() {
				a.abandon()
				a.fail(timeout(ctx, a.target))
			})
			if a.begun.stop.Store(&stop); a.state.Load() != askOpen { // over before it could be stopped
				stop()
				a.forget()
			}
			return Pending{a}
		}
	}
	a.state.Store(askDone)
	a.begun.finish(a, result{err: err})
	return Pending{a}
}

// Then has f called, as one of the turns of the actor that began p, with what came of it: a reply of type R, or an error as
// Ask returns it. An error from f is a failure of the actor. Give f to p once; before that its reply waits. Of a Pending
// that no Begin in a Context made, f is never called.
func Then[R any](p Pending, f func(R, error) error) {
	if p.ask != nil {
		p.ask.begun.then(p.ask, func(r result) error { return f(As[R](r.answer, r.err)) })
	}
}

// begun is what an ask has that comes back as a callback: when there are a result and a function for it.
type begun struct {
	life   *life
	stop   atomic.Pointer[func() bool] // ends the wait for ctx
	met    atomic.Int32                // result and f
	result result
	f      func(result) error
}

func (a *ask) life() *life { return a.begun.life }

func (b *begun) finish(a *ask, r result) {
	a.forget()
	if stop := b.stop.Load(); stop != nil {
		(*stop)()
	}
	_ = b.life.want(func(w *wants) { delete(w.asks, a) })
	b.result = r
	b.meet()
}

// leave is the end of the instance: a reply that comes is late.
func (b *begun) leave(a *ask) {
	if stop := b.stop.Load(); stop != nil {
		(*stop)()
	}
	a.leave()
}

func (b *begun) then(a *ask, f func(result) error) {
	if b.f == nil {
		b.f = f
		b.meet()
	}
}

func (b *begun) meet() {
	if b.met.Add(1) == 2 {
		b.life.cell.call(b.life, func() error { return b.f(b.result) })
	}
}
