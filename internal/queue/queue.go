// Package queue is the bounded queue of an actor: many producers, one consumer at a time that takes everything queued in
// one go.
//
// A Push costs one uncontended lock. The consumer is told to wake only when a Push finds it parked: it parks itself by
// a Take that finds nothing. What a Take handed out still counts against the limit until the consumer reports it with
// Done, so the limit bounds what is queued and in hand together.
package queue

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrFull is returned by Push when the queue holds its limit.
var ErrFull = errors.New("queue: full")

// ErrClosed is returned by Push after Close.
var ErrClosed = errors.New("queue: closed")

// keep is the capacity up to which an empty queue holds on to its memory.
const keep = 64

// Queue is a bounded FIFO queue. Its zero value is unusable: make one with New or call Init. All methods may be called
// from any goroutine, except Take, Poll, Ready and Done, which belong to the one consumer.
//
// What producers need for every item comes first, and what the consumer needs for every item last, a line of a
// processor's cache away: else each would slow the other down.
type Queue[T any] struct {
	mu       sync.Mutex
	items    []T
	limit    int32
	held     int32 // not less than what was taken and is not Done
	first    int32 // how many of items PushFirst has put there
	consumer consumer
	closed   bool
	called   atomic.Bool // a consumer that looks around has something to look at
	line     *line       // nil until somebody waits

	other []T // empty, and nil while the consumer has a buffer
	took  int64

	waiting atomic.Int32 // how many wait, so that Done need not lock
	done    atomic.Int64 // of those it took; written by the consumer alone
}

// line are the producers that wait, each at a channel that is closed when it may look again, and what is to be called
// when little is left.
type line struct {
	waiters []chan struct{}
	low     map[*func()]struct{}
}

// New returns an empty queue of at most limit items, parked: the first Push says wake.
func New[T any](limit int) *Queue[T] {
	q := new(Queue[T])
	q.Init(limit)
	return q
}

// Init makes the zero Queue usable, for one that lives inside another struct. A limit of zero or less means none.
func (q *Queue[T]) Init(limit int) {
	q.limit = int32(min(limit, math.MaxInt32))
	q.consumer = parked
}

// Push appends v without waiting, or fails with ErrFull or ErrClosed. If wake is true the consumer was parked, and the
// caller must get it to Take; no other Push will say so.
func (q *Queue[T]) Push(v T) (wake bool, err error) {
	q.mu.Lock()
	switch {
	case q.closed:
		err = ErrClosed
	case q.full():
		err = ErrFull
	default:
		wake = q.push(v)
	}
	q.mu.Unlock()
	return wake, err
}

// Force appends v whatever the limit says. It fails only with ErrClosed.
func (q *Queue[T]) Force(v T) (wake bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, ErrClosed
	}
	return q.push(v), nil
}

// Exceed is a Push that takes up to twice the limit.
func (q *Queue[T]) Exceed(v T) (wake bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return false, ErrClosed
	case q.full() && len(q.items)+int(q.held) >= 2*int(q.limit):
		return false, ErrFull
	}
	return q.push(v), nil
}

// Low has f called once, when the queue and the consumer's hand hold no more than half of the limit, or the queue is
// closed: at once, or by a Done or the Close. It must not call the queue. Nothing is kept of f after cancel, which f may
// have come before.
func (q *Queue[T]) Low(f func()) (cancel func()) {
	q.mu.Lock()
	if q.closed || q.limit <= 0 {
		q.mu.Unlock()
		f()
		return func() {}
	}
	if q.line == nil {
		q.line = new(line)
	}
	if q.line.low == nil {
		q.line.low = make(map[*func()]struct{})
	}
	q.line.low[&f] = struct{}{}
	q.note()
	calls := q.lowered() // a Done before the note did not see f
	q.mu.Unlock()
	for call := range calls {
		(*call)()
	}
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.line.low, &f)
		q.note()
	}
}

// note lets Done know whether anybody waits.
func (q *Queue[T]) note() { q.waiting.Store(int32(len(q.line.waiters) + len(q.line.low))) }

// lowered returns what is to be called as there is little left.
func (q *Queue[T]) lowered() (calls map[*func()]struct{}) {
	if q.line == nil || len(q.line.low) == 0 || !q.closed && len(q.items)+int(q.took-q.done.Load()) > int(q.limit)/2 {
		return nil
	}
	calls, q.line.low = q.line.low, nil
	q.note()
	return calls
}

// Wait is a Push that waits for room until ctx ends; then it fails with ErrFull. With a context that has ended it is
// Push. Waiting producers are woken in the order in which they came.
func (q *Queue[T]) Wait(ctx context.Context, v T) (wake bool, err error) {
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return false, ErrClosed
		}
		if !q.full() {
			wake = q.push(v)
			q.mu.Unlock()
			return wake, nil
		}
		if ctx.Err() != nil {
			q.mu.Unlock()
			return false, ErrFull
		}
		room := make(chan struct{})
		if q.line == nil {
			q.line = new(line)
		}
		q.line.waiters = append(q.line.waiters, room)
		q.note()
		if !q.full() { // a Done between the look above and the Store did not see this waiter
			q.admit()
		}
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			q.leave(room)
		}
	}
}

// Displace is a Push that makes room where there is none: by removing the oldest item, of those that are queued and not
// taken, that is not spared and was not pushed by PushFirst. It returns that item as old. If there is none it fails with
// ErrFull.
func (q *Queue[T]) Displace(v T, spared func(*T) bool) (old T, displaced, wake bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return old, false, false, ErrClosed
	case !q.full():
		return old, false, q.push(v), nil
	}
	for i := int(q.first); i < len(q.items); i++ {
		if !spared(&q.items[i]) {
			if old = q.items[i]; i == 0 {
				clear(q.items[:1])
				q.items = q.items[1:] // costs nothing, unlike a Delete
			} else {
				q.items = slices.Delete(q.items, i, i+1)
			}
			return old, true, q.push(v), nil
		}
	}
	return old, false, false, ErrFull
}

// PushFirst is a Push to a place before all that is queued, but behind what earlier calls of PushFirst put there.
func (q *Queue[T]) PushFirst(v T) (wake bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return false, ErrClosed
	case q.full():
		return false, ErrFull
	}
	wake = q.push(v)
	copy(q.items[q.first+1:], q.items[q.first:])
	q.items[q.first] = v
	q.first++
	return wake, nil
}

// Limit returns how many items the queue holds at most; math.MaxInt if there is no limit.
func (q *Queue[T]) Limit() int {
	if q.limit <= 0 {
		return math.MaxInt
	}
	return int(q.limit)
}

// Handled returns how many items the consumer is through with, since the beginning.
func (q *Queue[T]) Handled() int64 { return q.done.Load() }

// Len returns how many items are queued or in the consumer's hand.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) + int(q.took-q.done.Load())
}

// Queued returns how many items are there to be taken.
func (q *Queue[T]) Queued() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Room returns how many more items the queue takes now.
func (q *Queue[T]) Room() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.limit <= 0:
		return math.MaxInt
	case q.full():
		return 0
	}
	q.held = int32(q.took - q.done.Load())
	return int(q.limit) - len(q.items) - int(q.held)
}

// Close refuses further items, lets waiting producers fail with ErrClosed, and returns what was queued and not taken.
func (q *Queue[T]) Close() []T {
	q.mu.Lock()
	q.closed = true
	rest := q.items
	q.items, q.first = nil, 0
	calls := q.lowered()
	for q.waiting.Load() > 0 {
		q.admit()
	}
	q.mu.Unlock()
	for call := range calls {
		(*call)()
	}
	return rest
}

func (q *Queue[T]) full() bool {
	if q.limit <= 0 || len(q.items)+int(q.held) < int(q.limit) {
		return false
	}
	q.held = int32(q.took - q.done.Load()) // looked at only when it matters: the consumer writes it all the time
	return len(q.items)+int(q.held) >= int(q.limit)
}

func (q *Queue[T]) push(v T) (wake bool) {
	q.items = append(q.items, v)
	return q.consumer != working && q.call()
}

// call ends a consumer's rest. It returns true if it must be woken.
func (q *Queue[T]) call() (wake bool) {
	wake = q.consumer == parked
	q.consumer = working
	if !wake {
		q.called.Store(true)
	}
	return wake
}

// admit wakes the producer that has waited longest, if any.
func (q *Queue[T]) admit() {
	if q.waiting.Load() == 0 || len(q.line.waiters) == 0 {
		return
	}
	close(q.line.waiters[0])
	q.line.waiters = q.line.waiters[1:]
	q.note()
}

// leave ends a wait whose context ended. A wake-up that came at the same time is passed on to the next in line.
func (q *Queue[T]) leave(room chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.line.waiters, room); i >= 0 {
		q.line.waiters = slices.Delete(q.line.waiters, i, i+1)
		q.note()
		return
	}
	q.admit()
}
