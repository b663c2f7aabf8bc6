package actor

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/troupe-go/troupe/internal/queue"
)

// inbox is an actor with its mailbox, which holds messages of its type as they are: to send one costs no allocation. One
// worker at a time runs it: the one that claimed it by a wake of its queue.
type inbox[M any] struct {
	cell
	queue queue.Queue[letter[M]]

	// The worker's alone.
	receive func(*Context, M) error
	batch   []letter[M]
	next    int // index in batch
	turns   uint32
	aside   *aside[M]   // nil until first needed
	inst    Receiver[M] // nil before it is started and after it is stopped

	typeName string
	create   func() Receiver[M] // nil: there is one instance, without hooks or state
}

// letter is a message in the queue of an actor that takes an M.
type letter[M any] struct {
	value M
	from  *cell // nil: from outside, or from elsewhere (see body)
	more  *more // nil: a Tell of an M
}

// box is an inbox whose type of messages is not known.
type box interface {
	run() (searching bool)
	ready() bool
	wake() bool
	park() bool
	put(ctx context.Context, may haste, m message) error
	putUrgent(m message) error
	force(m message) error
	stash() error
	unstash()
	takeUrgent()
	measure() (depth int, done int64, idle bool)
	messages() string
	resized() error
	noteTime()
	lastTime() time.Time
	construct(c *Context) error
	destruct(c *Context, started bool) error
	settle(err error) (alive bool)
	dropBatch()
	dropQueue()
}

// run handles messages until there are none. Then another worker may have it: nothing of b is the caller's any more, who
// searches for another actor.
func (b *inbox[M]) run() (searching bool) {
	if !b.resume() {
		return false
	}
	for {
		for b.next < len(b.batch) {
			if b.flags.Load() != 0 && !b.obey() {
				return false
			}
			if err := b.drain(); err != nil && !b.settle(err) {
				return false
			}
		}
		empty := b.batch
		b.batch, b.next = nil, 0
		var batch []letter[M]
		if busy := b.sys.workers.queued.Load() > 0; !busy {
			b.sys.workers.pause(len(empty))
			batch, empty = b.queue.Poll(empty), nil
			if batch == nil {
				searching = b.sys.workers.stay(b)
			}
		}
		if batch == nil {
			if batch = b.queue.Take(empty); batch == nil && (b.flags.Load() == 0 || !b.queue.Wake()) {
				return searching // the queue is parked, and b no longer this worker's
			}
		}
		b.batch = batch
		if searching {
			searching = false
			b.sys.workers.leave()
		}
		if b.flags.Load() != 0 && !b.obey() {
			return false
		}
	}
}

// drain handles the batch up to the first failure, or until something else is to be done. One deferred call guards all.
func (b *inbox[M]) drain() (err error) {
	defer b.caught(&err)
	told := &b.life.Load().told
	b.handling = true
	if b.turns++; b.turns%64 == 1 {
		defer b.measured(time.Now(), b.next)
	}
	for b.next < len(b.batch) && b.flags.Load() == 0 {
		l := &b.batch[b.next]
		b.next++
		if l.more != nil {
			err = b.open(l)
		} else {
			err = b.receive(told, l.value)
		}
		if err != nil {
			break
		}
		if b.aside != nil && b.setAside(l) {
			continue
		}
		*l = letter[M]{}
		b.queue.Done(1)
	}
	b.handling = false
	return err
}

// measured notes how long one message took, on the average of the turns that began with the one at first.
func (b *inbox[M]) measured(began time.Time, first int) {
	if n := b.next - first; n > 0 {
		b.counts.took.Store(int64(time.Since(began)) / int64(n))
	}
}

func (b *inbox[M]) caught(err *error) {
	if r := recover(); r != nil {
		*err = panicked(r)
		b.handling = false
	}
}

// open handles what is more than the Tell of an M.
func (b *inbox[M]) open(l *letter[M]) error {
	x := l.more
	switch alien := x.alien.(type) {
	case nil:
	case stopMark:
		return errStopMark
	case *callback:
		err := alien.turn(b.life.Load())
		if err == nil {
			b.counts.other.Add(1)
		}
		return err
	default:
		m, err := open[M](alien, b.typeName)
		if err != nil {
			return err
		}
		l.value = m
	}
	x.hand.life = b.life.Load()
	err := b.receive(&x.hand, l.value)
	if err == nil && (b.aside == nil || !b.aside.keep) {
		if waits := x.hand.turn.end(); waits != nil {
			waits.fail(ErrNoReply)
		}
	}
	return err
}

// settle is what comes of the message in hand when its handler failed with err. False: the actor is gone.
func (b *inbox[M]) settle(err error) (alive bool) {
	l := &b.batch[b.next-1]
	if err == errStopMark {
		b.end(Stopped)
		return false
	}
	err = sane(err)
	if (l.more == nil || l.more.hand.turn.asker == nil) && onlyTold(err) {
		b.handled(l)
		return true
	}
	if b.aside != nil {
		b.aside.keep = false
	}
	if bad, ok := err.(*misfit); ok {
		b.drop(l, bad.reason, bad.err)
		b.done()
		return true
	}
	b.drop(l, Failed, &failedError{err})
	b.done()
	return b.failed(err)
}

// handled is the end of a turn whose handler returned no more than that nobody waits for its reply.
func (b *inbox[M]) handled(l *letter[M]) {
	if l.more != nil && l.more.control() {
		b.counts.other.Add(1)
	}
	if b.aside != nil && b.setAside(l) {
		return
	}
	*l = letter[M]{}
	b.queue.Done(1)
}

// done makes room for another message, and keeps nothing of the one in hand, which was not handled.
func (b *inbox[M]) done() {
	b.counts.other.Add(1)
	b.batch[b.next-1] = letter[M]{}
	b.queue.Done(1)
	if b.aside != nil && b.aside.back {
		b.putBack()
	}
}

// drop makes a dead letter of l, and tells its asker why.
func (b *inbox[M]) drop(l *letter[M], reason Reason, err error) {
	b.cell.drop(b.message(l), reason, err)
}

// message is l as it looks to those who don't know M.
func (b *inbox[M]) message(l *letter[M]) message {
	m := message{value: l.value, from: l.from, more: l.more}
	if l.more != nil && l.more.alien != nil {
		m.value = nil
	}
	return m
}

// letter is the opposite.
func (b *inbox[M]) letter(m message) letter[M] {
	l := letter[M]{from: m.from, more: m.more}
	if m.more != nil && m.more.alien != nil {
		return l
	}
	var ok bool
	if l.value, ok = m.value.(M); !ok && (m.value != nil || !nillable(reflect.TypeFor[M]())) {
		if l.more == nil {
			l.more = new(more)
		}
		l.more.alien = foreign{m.value}
	}
	return l
}

func (b *inbox[M]) dropBatch() {
	b.putBack()
	for ; b.next < len(b.batch); b.next++ {
		b.drop(&b.batch[b.next], Stopped, b.stoppedError())
	}
	b.batch, b.next = nil, 0
}

func (b *inbox[M]) dropQueue() {
	rest := b.queue.Close()
	for i := range rest {
		b.drop(&rest[i], Stopped, b.stoppedError())
	}
}

func (b *inbox[M]) ready() bool { return b.queue.Ready() }
func (b *inbox[M]) wake() bool  { return b.queue.Wake() }

// park gives up a claim before the first turn. False: there is something to do.
func (b *inbox[M]) park() bool {
	batch := b.queue.Take(nil)
	if batch == nil {
		return b.flags.Load() == 0 || !b.queue.Wake() // the queue is parked, and b a worker's perhaps
	}
	b.batch = batch
	return false
}

func (b *inbox[M]) measure() (depth int, done int64, idle bool) {
	return b.queue.Len(), b.queue.Handled(), b.queue.Idle()
}

func (b *inbox[M]) messages() string { return reflect.TypeFor[M]().String() }

// takeUrgent puts what is urgent before the rest of the batch, but behind what of that is urgent too.
func (b *inbox[M]) takeUrgent() {
	rest, last := b.batch[b.next:], 0
	for i := range rest {
		if rest[i].more != nil && rest[i].more.urgent {
			last = i + 1
		}
	}
	b.batch, b.next = slices.Concat(rest[:last], b.queue.TakeFirst(), rest[last:]), 0
}

// construct makes an instance and runs its start hook.
func (b *inbox[M]) construct(c *Context) error {
	b.putBack()
	if b.create == nil && len(b.set.around) == 0 {
		b.become(nil)
		return nil
	}
	return apart(func() error {
		if b.create == nil {
			b.become(nil)
			return nil
		}
		b.inst = b.create()
		if v := reflect.ValueOf(b.inst); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return fmt.Errorf("%w: create returned nil", ErrUsage)
		}
		b.become(nil)
		if hook, ok := b.inst.(interface{ Start(*Context) error }); ok {
			return hook.Start(c)
		}
		return nil
	})
}

// become makes f what handles messages; nil is what handles them by itself.
func (b *inbox[M]) become(f func(*Context, M) error) {
	plain, ok := b.inst.(function[M])
	switch {
	case f != nil:
	case ok:
		f = plain
	default:
		f = b.inst.Receive
	}
	b.receive = wrap(b.set.around, f)
}

// destruct runs the stop hook, if the instance has started.
func (b *inbox[M]) destruct(c *Context, started bool) error {
	inst := b.inst
	if b.receive = nil; b.create != nil {
		b.inst = nil
	}
	if hook, ok := inst.(interface{ Stop(*Context) error }); ok && started {
		return apart(func() error { return hook.Stop(c) })
	}
	return nil
}

// apart runs a hook in a goroutine of its own, which it may end (runtime.Goexit, as by t.FailNow), and makes a panic an
// error.
func apart(hook func() error) (err error) {
	done := make(chan struct{})
	err = errGoexit
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = sane(panicked(r))
			}
		}()
		err = sane(hook())
	}()
	<-done
	return err
}
