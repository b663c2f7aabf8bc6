package actor

import (
	"fmt"
	"time"
)

// Stash keeps the message in hand for later, when Unstash is called or the actor restarts; it counts as queued until
// then. An Ask stays unanswered meanwhile. Stash must be called by the handler, which should then return nil: a message
// whose handler fails is a dead letter in any case.
//
// It fails with ErrFull if the mailbox would hold nothing else, and with ErrUsage in a hook or callback.
func (c *Context) Stash() error { return c.life.cell.box.stash() }

// Unstash has all stashed messages handled again, in the order in which they were stashed, before all others. It must be
// called by a handler, hook or callback of the actor.
func (c *Context) Unstash() { c.life.cell.box.unstash() }

// aside is what few actors need.
type aside[M any] struct {
	stashed []letter[M]
	keep    bool // the message in hand is to be stashed
	back    bool // what is stashed is to be handled
	timed   bool
	last    time.Time // when a message was last handled, if timed
}

func (b *inbox[M]) stash() error {
	if !b.handling || b.next == 0 || b.batch[b.next-1].more != nil && b.batch[b.next-1].more.control() {
		return fmt.Errorf("%w: there is no message to stash", ErrUsage)
	}
	a := b.needAside()
	if len(a.stashed)+1 >= b.queue.Limit() {
		return fmt.Errorf("%w: it would hold nothing but stashed messages", b.fullError())
	}
	a.keep = true
	return nil
}

func (b *inbox[M]) unstash() {
	if b.aside != nil {
		b.aside.back = true
		if !b.handling { // in a hook
			b.putBack()
		}
	}
}

func (b *inbox[M]) needAside() *aside[M] {
	if b.aside == nil {
		b.aside = new(aside[M])
	}
	return b.aside
}

// setAside is the end of a handler that may have called Stash or Unstash. It returns true if l is done with.
func (b *inbox[M]) setAside(l *letter[M]) (kept bool) {
	a := b.aside
	if a.timed && (l.more == nil || !l.more.control()) {
		a.last = time.Now()
	}
	if kept = a.keep; kept {
		a.keep = false
		l.more = l.more.anew()
		a.stashed = append(a.stashed, *l)
		*l = letter[M]{}
	}
	if a.back {
		if !kept {
			*l = letter[M]{}
			b.queue.Done(1)
		}
		b.putBack()
		return true
	}
	return kept
}

// putBack puts what is stashed before the rest of the batch.
func (b *inbox[M]) putBack() {
	if b.aside == nil {
		return
	}
	a := b.aside
	a.keep, a.back = false, false
	if len(a.stashed) > 0 {
		b.batch, b.next = append(a.stashed, b.batch[b.next:]...), 0
		a.stashed = nil
	}
}

func (b *inbox[M]) noteTime() {
	a := b.needAside()
	a.timed, a.last = true, time.Now()
}

func (b *inbox[M]) lastTime() time.Time { return b.aside.last }
