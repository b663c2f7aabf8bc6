package zmtp

import (
	"slices"
	"sync"
	"time"
)

// lull is how long nothing was sent before a message is written by its sender. Those that come faster are left to the
// writer, which writes many at once.
const lull = 5 * time.Microsecond

// start is what times are counted from: comparing durations costs less than comparing times.
var start = time.Now()

// Outbox is a bounded queue of messages to one peer. It outlives connections: each is served for as long as it lasts,
// and what it did not take whole is the first that the next one gets. What was written to a connection that then broke
// may be lost. Messages of one sender are never reordered.
//
// Messages are put into their form on the wire when they are sent, one behind the other: however many they are, they
// take a few pieces of memory, which are used again.
type Outbox struct {
	limit     int
	most      int64 // of bytes
	room      func()
	conflates bool

	wake   chan struct{} // something for Serve to do
	closed chan struct{}

	mu      sync.Mutex      // held for moments
	hand    []*parcel       // taken by Serve, oldest first
	queue   []*parcel       // behind them; the last one is added to
	count   int             // messages in both
	bytes   int64           // in both, as on the wire
	conn    *Conn           // served now
	writing bool            // somebody writes, without the lock, what is first in hand
	blocked bool            // it is Serve, which may take long
	knocked bool            // Serve found somebody writing
	idle    bool            // Serve waits for wake
	refused bool            // a Send was, or was told that it would be, since room was last called
	over    bool            // closed
	settled sync.Cond       // writing became false
	waiters []chan struct{} // to be closed when all is written
	last    time.Duration   // when a Send last wrote, since start

	sent, sentBytes, replaced uint64
}

// NewOutbox returns an empty outbox for at most limit messages, and for as many as take less than most bytes and one
// more: so a single message is never too large. Zero or less means any number. room may be nil; it is called when a
// message could be sent again after one was refused. It must be quick, and of the outbox it may call nothing but Send,
// HasRoom, Heavy and Len.
func NewOutbox(limit int, most int64, room func()) *Outbox {
	o := &Outbox{limit: limit, most: most, room: room, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	o.last = time.Since(start) - lull
	o.settled.L = &o.mu
	return o
}

// Conflate lets Send replace what no connection took yet, instead of queueing behind it. It is called before anything
// else.
func (o *Outbox) Conflate() { o.conflates = true }

// Send queues a message of the frames of head and those of frames, or writes it at once if that is possible without
// waiting and nothing is before it. It never waits, and it keeps nothing of the frames. It returns false if the outbox
// is full or closed.
func (o *Outbox) Send(head, frames [][]byte) bool { return o.accept(head, frames, true) }

// Queue is a Send that leaves the writing to Serve: for who sends to many.
func (o *Outbox) Queue(head, frames [][]byte) bool { return o.accept(head, frames, false) }

func (o *Outbox) accept(head, frames [][]byte, through bool) bool {
	o.mu.Lock()
	if o.over || !o.fits() {
		o.refused = true
		o.mu.Unlock()
		return false
	}
	o.put(head, frames)
	switch {
	case through && o.direct():
		o.through()
		return true
	case o.idle && !o.writing:
		o.idle = false
		o.mu.Unlock()
		o.signal()
		return true
	}
	o.mu.Unlock()
	return true
}

// put adds a message to the last batch of the queue.
func (o *Outbox) put(head, frames [][]byte) {
	size := WireSize(head, frames)
	if o.conflates {
		o.replace()
	}
	n := len(o.queue)
	if n == 0 || !o.queue[n-1].Fits(size) {
		o.queue = append(o.queue, newParcel(size, n == 0 && !o.writing))
		n++
	}
	o.queue[n-1].Add(head, frames)
	o.count++
	o.bytes += int64(size)
}

// direct says whether the sender of the last message writes what there is: one message after a lull, or so much that
// another goroutine would not do so any better.
func (o *Outbox) direct() bool {
	if o.writing || o.conn == nil || len(o.hand) > 0 || len(o.queue) > 1 {
		return false
	}
	if o.count > 1 {
		return len(o.queue[0].buf) >= largeParcel/2 || o.limit > 0 && o.count >= o.limit/2
	}
	now := time.Since(start)
	busy := now-o.last < lull
	o.last = now
	return !busy
}

// through writes what there is, as far as that is possible without waiting. It is called with the lock, and releases it.
func (o *Outbox) through() {
	c, b := o.conn, o.queue[0]
	o.hand, o.queue = append(o.hand, b), o.queue[:0]
	o.writing = true
	o.mu.Unlock()
	n, rest := c.tryEncoded(b.buf, true)
	o.mu.Lock()
	o.last = time.Since(start)
	messages := o.written(b, n)
	if rest {
		b.halfOn = c
	}
	o.settle()
	wake := o.knocked || o.idle && o.count > 0
	if wake {
		o.idle, o.knocked = false, false
	}
	done := b.messages == 0
	o.tell(messages > 0)
	if done {
		b.free()
	}
	if wake {
		o.signal()
	}
}

// settle notes that nobody writes any more. The lock is held.
func (o *Outbox) settle() {
	o.writing, o.blocked = false, false
	o.settled.Broadcast()
}

// written notes that n bytes of b, the first in hand, were written, and returns how many messages these hold as a whole.
func (o *Outbox) written(b *parcel, n int) (messages int) {
	before := len(b.buf)
	messages, payload := b.drop(n)
	if b.messages == 0 {
		o.hand = slices.Delete(o.hand, 0, 1)
	}
	o.sent += uint64(messages)
	o.sentBytes += uint64(payload)
	o.remove(messages, before-len(b.buf))
	return messages
}

// remove counts messages less.
func (o *Outbox) remove(messages, bytes int) {
	o.count -= messages
	o.bytes -= int64(bytes)
}

// tell releases the lock, and tells those who wait for it that there is room, or that nothing is left.
func (o *Outbox) tell(less bool) {
	refused := less && o.refused
	if refused {
		o.refused = false
	}
	if o.count == 0 {
		for _, w := range o.waiters {
			close(w)
		}
		o.waiters = nil
	}
	o.mu.Unlock()
	if refused && o.room != nil {
		o.room()
	}
}

func (o *Outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Purge drops what no connection took, and returns how many messages that were. None may be served meanwhile.
func (o *Outbox) Purge() (dropped int) {
	o.mu.Lock()
	dropped = o.clear()
	o.tell(dropped > 0)
	return dropped
}

// Close refuses further messages and returns how many were not written. It does not wait for a peer: a connection that
// is just being written to is closed. (Wait before, to let it finish.)
func (o *Outbox) Close() (unsent int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over {
		o.over = true
		close(o.closed)
	}
	for o.writing { // by a Send perhaps, and then, as Serve was quicker to see its end than we were, by that
		if c := o.conn; o.blocked && c.Err() == nil {
			o.mu.Unlock()
			c.Close()
			o.mu.Lock()
			continue
		}
		o.settled.Wait()
	}
	return o.clear()
}

// clear drops all there is.
func (o *Outbox) clear() (dropped int) {
	for o.writing {
		o.settled.Wait()
	}
	for _, b := range append(o.hand, o.queue...) {
		dropped += b.messages
		if b.halfOn == nil {
			b.free()
		}
	}
	o.hand, o.queue, o.count, o.bytes = nil, nil, 0, 0
	return dropped
}
