package actor

import (
	"context"
	"runtime"
	"time"

	"github.com/troupe-go/troupe/internal/queue"
)

// haste says how a sender deals with a full mailbox.
type haste uint8

const (
	never   haste = iota // never waits; the mailbox's policy holds
	trial                // never waits, and is refused whatever the policy: there are other mailboxes
	patient              // waits if the policy is to, as long as the mailbox says
	steady               // waits until its ctx ends, whatever the policy
)

// haste is that of a program's Tell or Ask.
func (sc scope) haste() haste {
	if sc.cell == nil {
		return patient
	}
	return never
}

func (b *inbox[M]) put(ctx context.Context, may haste, m message) error {
	return b.push(ctx, may, b.letter(m))
}

// push gives l to b by the rules of its mailbox.
func (b *inbox[M]) push(ctx context.Context, may haste, l letter[M]) error {
	wake, err := b.queue.Push(l)
	if err != nil {
		return b.pushFull(ctx, may, l, err)
	}
	if wake {
		b.sys.workers.run(&b.cell)
	}
	return nil
}

// pushFull is push when the queue did not take l at once.
func (b *inbox[M]) pushFull(ctx context.Context, may haste, l letter[M], err error) error {
	var wake bool
	switch {
	case err != queue.ErrFull:
	case may == trial:
		return b.fullError()
	case may == steady:
		wake, err = b.queue.Wait(ctx, l)
	case b.set.policy == WaitForRoom && may == patient && b.set.wait > 0:
		wake, err = b.pushWhenRoom(ctx, l)
	case b.set.policy == DropOldest:
		wake, err = b.displace(l)
	}
	switch {
	case err == nil:
		if wake {
			b.sys.workers.run(&b.cell)
		}
		return nil
	case err == queue.ErrClosed:
		return b.stoppedError()
	case may > trial && ctx.Err() != nil:
		return timeout(ctx, b.self)
	}
	b.overflow()
	if err = b.fullError(); b.set.policy == DropNewest {
		b.drop(&l, Full, err)
		return nil
	}
	return err
}

func (b *inbox[M]) overflow() {
	if b.sys.events.wanted() {
		b.sys.events.publish(MailboxOverflow{b.self, b.path})
	}
}

func (b *inbox[M]) fullError() error { return &about{ErrFull, &b.cell, ""} }

// spins is how often a sender lets others run and looks again before it waits: being woken costs more. It hopes for room
// for many messages, spinRoom, but takes what there is in the end.
const (
	spins    = 16
	spinRoom = 64
)

// pushWhenRoom waits for room until ctx or the mailbox's own wait ends, with one of the queue's errors.
func (b *inbox[M]) pushWhenRoom(ctx context.Context, l letter[M]) (wake bool, err error) {
	deadline := time.Now().Add(b.set.wait)
	for range spins {
		runtime.Gosched()
		if b.queue.Room() >= spinRoom {
			break
		}
	}
	if wake, err = b.queue.Push(l); err != queue.ErrFull {
		return wake, err
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return b.queue.Wait(ctx, l)
}

// displace makes a dead letter of the oldest message that waits. What the runtime has put into the queue stays.
func (b *inbox[M]) displace(l letter[M]) (wake bool, err error) {
	old, displaced, wake, err := b.queue.Displace(l, func(l *letter[M]) bool { return l.more != nil && l.more.control() })
	if displaced {
		b.overflow()
		b.drop(&old, Full, b.fullError())
	}
	return wake, err
}

func (b *inbox[M]) putUrgent(m message) error { return b.pushUrgent(b.letter(m)) }

// pushUrgent gives l to b before all that is not urgent. It never waits.
func (b *inbox[M]) pushUrgent(l letter[M]) error {
	if l.more == nil {
		l.more = new(more)
	}
	l.more.urgent = true
	wake, err := b.queue.PushFirst(l)
	switch {
	case err == queue.ErrFull:
		b.overflow()
		return b.fullError()
	case err != nil:
		return b.stoppedError()
	}
	b.flags.Or(flagUrgent)
	if wake {
		b.sys.workers.run(&b.cell)
	}
	return nil
}

// exceed is push for what comes from another node and finds the mailbox full: its sender could not know.
func (b *inbox[M]) exceed(m message) error {
	wake, err := b.queue.Exceed(b.letter(m))
	switch {
	case err == queue.ErrFull:
		b.overflow()
		return b.fullError()
	case err != nil:
		return b.stoppedError()
	case wake:
		b.sys.workers.run(&b.cell)
	}
	return nil
}

func (b *inbox[M]) low(f func()) (cancel func()) { return b.queue.Low(f) }

// force is push for what is never refused while the actor lives.
func (b *inbox[M]) force(m message) error {
	wake, err := b.queue.Force(b.letter(m))
	switch {
	case err != nil:
		return b.stoppedError()
	case wake:
		b.sys.workers.run(&b.cell)
	}
	return nil
}
