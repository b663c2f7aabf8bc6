// Package queue is the bounded queue that actors and sockets share: many producers, one consumer at a time that takes
// everything queued in one go.
//
// A Push costs one uncontended lock. The consumer is told to wake only when a Push finds it parked: it parks itself by
// a Take that finds nothing. What a Take handed out still counts against the limit until the consumer reports it with
// Done, so the limit bounds what is queued and in hand together.
package queue

import (
	"context"
	"errors"
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
// from any goroutine, except Take and Done, which belong to the one consumer.
type Queue[T any] struct {
	mu      sync.Mutex
	items   []T
	limit   int
	parked  bool // the consumer found nothing and waits to be woken
	closed  bool
	taken   atomic.Int64 // taken and not yet Done; written by the consumer alone
	waiting atomic.Int64 // len(waiters), so that Done need not lock
	waiters []chan struct{}
}

// New returns an empty queue of at most limit items, parked: the first Push says wake.
func New[T any](limit int) *Queue[T] {
	q := new(Queue[T])
	q.Init(limit)
	return q
}

// Init makes the zero Queue usable, for one that lives inside another struct. A limit of zero or less means none.
func (q *Queue[T]) Init(limit int) {
	q.limit = limit
	q.parked = true
}

// Push appends v without waiting, or fails with ErrFull or ErrClosed. If wake is true the consumer was parked, and the
// caller must get it to Take; no other Push will say so.
func (q *Queue[T]) Push(v T) (wake bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, ErrClosed
	}
	if q.full() {
		return false, ErrFull
	}
	return q.push(v), nil
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

// Replace is a Force that first removes what is queued and not taken, which it returns.
func (q *Queue[T]) Replace(v T) (old []T, wake bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, false, ErrClosed
	}
	if len(q.items) > 0 {
		old, q.items = q.items, nil
	}
	return old, q.push(v), nil
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
		q.waiters = append(q.waiters, room)
		q.waiting.Store(int64(len(q.waiters)))
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

// Take hands the consumer everything queued, oldest first. In exchange buf (an earlier Take's result, all of it Done, or
// nil) becomes the queue's, whatever the result is. An empty result parks the consumer: the next Push says wake.
func (q *Queue[T]) Take(buf []T) []T {
	clear(buf)
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		q.parked = true
		if cap(q.items) > keep {
			q.items = nil
		}
		if cap(q.items) == 0 && cap(buf) <= keep {
			q.items = buf[:0]
		}
		return nil
	}
	batch := q.items
	q.items = buf[:0]
	q.taken.Store(int64(len(batch)))
	return batch
}

// Wake claims a parked consumer without an item, as a Push would: if it returns true, the caller must get the consumer to
// Take. It works on a closed queue too.
func (q *Queue[T]) Wake() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	wake := q.parked
	q.parked = false
	return wake
}

// Ready reports whether a Take would find something.
func (q *Queue[T]) Ready() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) > 0
}

// Done reports that the consumer is through with n of the items it took, which makes room for as many.
func (q *Queue[T]) Done(n int) {
	q.taken.Add(int64(-n))
	if q.waiting.Load() > 0 {
		q.mu.Lock()
		for range n {
			q.admit()
		}
		q.mu.Unlock()
	}
}

// Len returns how many items are queued or in the consumer's hand.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) + int(q.taken.Load())
}

// Close refuses further items, lets waiting producers fail with ErrClosed, and returns what was queued and not taken.
func (q *Queue[T]) Close() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	rest := q.items
	q.items = nil
	for len(q.waiters) > 0 {
		q.admit()
	}
	return rest
}

func (q *Queue[T]) full() bool {
	return q.limit > 0 && len(q.items)+int(q.taken.Load()) >= q.limit
}

func (q *Queue[T]) push(v T) (wake bool) {
	q.items = append(q.items, v)
	wake, q.parked = q.parked, false
	return wake
}

// admit wakes the producer that has waited longest, if any.
func (q *Queue[T]) admit() {
	if len(q.waiters) == 0 {
		return
	}
	close(q.waiters[0])
	q.waiters = q.waiters[1:]
	q.waiting.Store(int64(len(q.waiters)))
}

// leave ends a wait whose context ended. A wake-up that came at the same time is passed on to the next in line.
func (q *Queue[T]) leave(room chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiters {
		if w == room {
			q.waiters = append(q.waiters[:i], q.waiters[i+1:]...)
			q.waiting.Store(int64(len(q.waiters)))
			return
		}
	}
	q.admit()
}
