package queue

import (
	"math"
	"slices"
)

// consumer is what the one consumer does.
type consumer uint8

const (
	working consumer = iota
	looking          // found nothing, and looks at Ready now and then
	parked           // found nothing, and waits to be woken
)

// TakeFirst hands a consumer that is at work what PushFirst has put before the rest.
func (q *Queue[T]) TakeFirst() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := slices.Clone(q.items[:q.first])
	q.items = slices.Delete(q.items, 0, int(q.first))
	q.took += int64(q.first)
	q.held += q.first
	q.first = 0
	return batch
}

// Take hands the consumer everything queued, oldest first. In exchange buf (an earlier Take's result, all of it Done and
// zeroed, or nil) becomes the queue's, whatever the result is. An empty result parks the consumer: the next Push says wake.
func (q *Queue[T]) Take(buf []T) []T { return q.take(buf, parked) }

// Poll is a Take whose empty result does not park the consumer: it may look at Ready for a while, and no Push says wake.
func (q *Queue[T]) Poll(buf []T) []T { return q.take(buf, looking) }

func (q *Queue[T]) take(buf []T, otherwise consumer) []T {
	q.mu.Lock()
	if len(q.items) == 0 {
		q.consumer = otherwise
		q.spare(buf)
		if otherwise == looking {
			q.called.Store(false)
		}
		q.mu.Unlock()
		return nil
	}
	q.consumer = working
	q.first = 0
	batch := q.items
	q.items = q.other
	if q.other = nil; cap(buf) > 0 {
		q.items = buf[:0]
	}
	q.took += int64(len(batch))
	q.held = int32(q.took - q.done.Load())
	q.mu.Unlock()
	return batch
}

// spare keeps the memory of an empty queue, in two parts: for the items to come, and for those that will then be in hand.
// A consumer that is parked may be so for long: it keeps little.
func (q *Queue[T]) spare(buf []T) {
	most := math.MaxInt
	if q.consumer == parked {
		most = keep
	}
	if cap(q.items) > most {
		q.items = nil
	}
	if cap(q.other) > most {
		q.other = nil
	}
	switch {
	case cap(buf) == 0 || cap(buf) > most:
	case cap(q.items) == 0:
		q.items = buf[:0]
	default:
		q.other = buf[:0]
	}
}

// Wake claims a parked consumer without an item, as a Push would: if it returns true, the caller must get the consumer to
// Take. It works on a closed queue too.
func (q *Queue[T]) Wake() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.consumer != working && q.call()
}

// Ready reports, after a Poll that found nothing, whether there was a Push or a Wake since.
func (q *Queue[T]) Ready() bool { return q.called.Load() }

// Done reports that the consumer is through with n of the items it took, which makes room for as many.
func (q *Queue[T]) Done(n int) {
	q.done.Store(q.done.Load() + int64(n))
	if q.waiting.Load() > 0 {
		q.mu.Lock()
		for range n {
			q.admit()
		}
		calls := q.lowered()
		q.mu.Unlock()
		for call := range calls {
			(*call)()
		}
	}
}

// Idle reports whether the consumer found nothing to do.
func (q *Queue[T]) Idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.consumer != working
}
