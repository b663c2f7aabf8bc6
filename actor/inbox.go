package actor

import (
	"context"
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
	far     bool        // a message of the batch came from another node
	vain    uint32      // batches before which it is in vain to wait for more messages
	aside   *aside[M]   // nil until first needed
	inst    Receiver[M] // nil before it is started and after it is stopped

	typeName string
	create   func() Receiver[M] // nil: there is one instance, without hooks or state
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
	exceed(m message) error
	low(f func()) (cancel func())
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
			b.gather(len(empty))
			alone := b.far && len(empty) == 1
			batch, empty = b.queue.Poll(empty), nil
			if batch == nil && !alone { // what comes next from another node takes its time
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

// A batch of a few messages, not of one, may be part of a stream: the next is let grow for a pause, of so many turns of an
// empty loop, two or three microseconds. To take every message as it comes, from a sender that runs on another processor,
// halves the rate of both. If not even a few come meanwhile it is no stream, but messages that wait for one another
// perhaps, and the next batches are taken at once.
const (
	few    = 24
	lot    = 64
	pause  = 6000
	vainly = 64 // batches
)

// gather waits a little for more messages, after a batch of n.
func (b *inbox[M]) gather(n int) {
	switch {
	case n < 2, n >= lot, b.sys.workers.procs == 1:
		return
	case b.vain > 0:
		b.vain--
		return
	}
	for range pause {
	}
	if b.queue.Queued() < few {
		b.vain = vainly
	}
}

// drain handles the batch up to the first failure, or until something else is to be done. One deferred call guards all.
func (b *inbox[M]) drain() (err error) {
	defer b.caught(&err)
	told := &b.life.Load().told
	b.handling, b.far = true, false
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
		x := l.more
		*l = letter[M]{}
		b.queue.Done(1)
		if x != nil && x.post != nil {
			x.post.free()
		}
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
