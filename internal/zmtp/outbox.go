package zmtp

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/internal/queue"
)

// lull is how long nothing was sent before a message is written by its sender. Those that come faster are left to the
// writer, which writes many at once.
const lull = 5 * time.Microsecond

// Outbox is a bounded queue of messages to one peer. It outlives connections: each is served for as long as it lasts,
// and what it did not take whole is the first that the next one gets. What was written to a connection that then broke
// may be lost. Messages of one sender are never reordered.
//
// If the peer is in this process, the outbox can be lent to it: then the peer takes the messages itself.
type Outbox struct {
	q     queue.Queue[[][]byte] // without a limit of its own
	room  func()
	most  int64 // of bytes
	weigh bool  // bytes is kept, and most heeded

	limit    atomic.Int64
	count    atomic.Int64 // messages queued, in hand, and half written
	bytes    atomic.Int64 // memory that those in count take, but for one that is just being written through
	full     atomic.Bool  // a Send was refused, or told that it would be, since room was last called
	conflate atomic.Bool  // only the newest message is kept

	conn   atomic.Pointer[Conn]   // served now
	ready  atomic.Pointer[func()] // lent now
	armed  atomic.Bool            // the next message is to be announced with ready
	wake   chan struct{}          // something for Serve to do
	closed chan struct{}
	once   sync.Once

	// writing is held by whoever takes from q and until what was taken is written: a sender that finds the outbox empty
	// and gets this lock can't overtake anything.
	writing    sync.Mutex
	held       [][][]byte // taken and not written
	batch      [][][]byte // what held is a part of, to be used again
	half       [][]byte   // half written to halfOn
	halfOn     *Conn
	last       time.Duration // when a Send last held writing, since start
	lent       int           // messages that the borrower has in hand
	extra      int           // the borrower's addition to limit
	conflating bool          // conflate, but for the borrower's wish

	sent, sentBytes atomic.Uint64 // changed by who holds writing
	replaced        atomic.Uint64

	waiting sync.Mutex
	waiters []chan struct{} // to be closed when all is written
}

// start is what times are counted from: comparing durations costs less than comparing times.
var start = time.Now()

// NewOutbox returns an empty outbox for at most limit messages, and, if it is weighed, as many as take less than most
// bytes of memory and one more: so a single message is never too large. Zero or less means any number. room may be nil;
// it is called when a message could be sent again after one was refused. It must be quick, and of the outbox it may call
// nothing but Send, HasRoom, Heavy and Len.
func NewOutbox(limit int, most int64, room func()) *Outbox {
	o := &Outbox{room: room, most: most, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	o.limit.Store(int64(limit))
	o.q.Init(0)
	return o
}

// Weigh bounds the memory of what is queued, and makes Heavy work. It is called before anything else, for an outbox that
// is never lent.
func (o *Outbox) Weigh() { o.weigh = true }

// Conflate lets Send replace what no connection and no borrower took yet, instead of queueing behind it. It is called
// before anything else.
func (o *Outbox) Conflate() {
	o.conflating = true
	o.conflate.Store(true)
}

// Send queues msg, or writes it at once if that is possible without waiting and nothing is before it. It never waits.
// The outbox owns msg from then on. It returns false, and msg stays the caller's, if the outbox is full or closed.
func (o *Outbox) Send(msg [][]byte) bool { return o.accept(msg, true) }

// Queue is a Send that leaves the writing to Serve: for who sends to many.
func (o *Outbox) Queue(msg [][]byte) bool { return o.accept(msg, false) }

func (o *Outbox) accept(msg [][]byte, through bool) bool {
	if !o.reserve() {
		o.full.Store(true)
		if !o.reserve() { // there was no room after the Store, so whoever makes some will call room
			return false
		}
	}
	if through && o.count.Load() == 1 && o.through(msg) {
		return true
	}
	wake, ok := o.put(msg)
	if !ok {
		o.release(1)
		return false
	}
	if ready := o.ready.Load(); ready != nil && o.armed.Load() && o.armed.CompareAndSwap(true, false) {
		(*ready)()
	}
	if wake {
		o.signal()
	}
	return true
}

// put queues msg, unless the outbox is closed.
func (o *Outbox) put(msg [][]byte) (wake, ok bool) {
	if o.conflate.Load() {
		return o.replace(msg)
	}
	if o.weigh {
		o.bytes.Add(int64(Footprint(msg)))
	}
	wake, err := o.q.Force(msg)
	if err != nil && o.weigh {
		o.bytes.Add(-int64(Footprint(msg)))
	}
	return wake, err == nil
}

// through writes msg, the only message in the outbox, if that is possible without waiting.
func (o *Outbox) through(msg [][]byte) bool {
	c := o.conn.Load()
	if c == nil || !o.writing.TryLock() {
		return false
	}
	defer o.writing.Unlock()
	now := time.Since(start)
	busy := now-o.last < lull
	o.last = now
	// The writer may have been between a Take and this lock's release when the message was counted, or another sender
	// may have queued one meanwhile: only now is it sure that nothing is before this one.
	if busy || o.count.Load() != 1 || o.conn.Load() != c || o.isClosed() {
		return false
	}
	taken, rest := c.TryWrite(msg)
	o.last = time.Since(start)
	switch {
	case rest:
		if o.weigh {
			o.bytes.Add(int64(Footprint(msg)))
		}
		o.half, o.halfOn = msg, c
		o.signal()
	case taken:
		o.sent.Add(1)
		o.sentBytes.Add(uint64(Payload(msg)))
		o.release(1)
	}
	return taken
}

// release counts n messages less, and tells those who wait for that.
func (o *Outbox) release(n int) {
	left := o.count.Add(int64(-n))
	o.hasRoom()
	if left == 0 {
		o.tellEmpty()
	}
}

func (o *Outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Len returns how many messages are not yet written, or not yet taken and done by a borrower.
func (o *Outbox) Len() int { return int(o.count.Load()) }

// Purge drops what no connection took, and returns how many messages that were. None may be served, and the outbox not
// lent, meanwhile.
func (o *Outbox) Purge() (dropped int) {
	o.writing.Lock()
	rest := append(o.held, o.q.Take(nil)...)
	if o.half != nil {
		rest = append(rest, o.half)
	}
	o.half, o.halfOn, o.held, o.batch = nil, nil, nil, nil
	o.lighten(rest)
	o.writing.Unlock()
	if len(rest) > 0 {
		o.release(len(rest))
	}
	return len(rest)
}

// Close refuses further messages and returns those that were not written, oldest first. It does not wait for a peer: a
// connection that is just being written to is closed. (Wait before, to let it finish.)
func (o *Outbox) Close() (rest [][][]byte) { return o.close(false) }

// Yield is Close for a borrower that takes what was not written, too: it counts as sent.
func (o *Outbox) Yield() (rest [][][]byte) { return o.close(true) }

func (o *Outbox) close(sent bool) (rest [][][]byte) {
	o.once.Do(func() { close(o.closed) })
	queued := o.q.Close()
	if !o.writing.TryLock() {
		if c := o.conn.Load(); c != nil && o.Len() > 0 { // with nothing to write, the lock is not held for long
			c.Close()
		}
		o.writing.Lock()
	}
	defer o.writing.Unlock()
	if o.half != nil {
		rest = append(rest, o.half)
	}
	rest = append(append(rest, o.held...), queued...)
	o.half, o.halfOn, o.held, o.batch = nil, nil, nil, nil
	o.lighten(rest)
	if sent {
		o.tally(rest)
	}
	o.count.Add(int64(-len(rest)))
	return rest
}
