package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// TooLarge is why a message became a dead letter that was queued before its peer told which size it accepts.
const TooLarge actor.Reason = "too large"

// maxOwn is how many of the runtime's own messages, which are not refused, may wait when the outbox is full.
const maxOwn = 1 << 16

// burst is how soon after a message the next one is a flood.
const burst = 50 * time.Microsecond

// restAfter is how long an outbox that has become empty keeps the memory that it needed.
const restAfter = 200 * time.Millisecond

// item is a message in an outbox: as it goes over the wire, but for its numbers, which it gets when it is written.
type item struct {
	frame   []byte
	slab    *slab         // where it lies; nil: in memory of its own
	exact   uuid.UUID     // incarnation of the target; zero for one that is named
	expires time.Duration // by ticks
	turn    uint64        // of a large message: in its parts, the same for no other to the peer; of the end of something: that of the last before it
}

// own reports whether it is the runtime's own. If one of these is dropped, all that the two nodes know of each other is.
func (it *item) own() bool { return it.frame[kindAt] >= kindWatch && it.frame[kindAt] <= kindStop }

// stays reports whether it does not expire, but goes with the incarnation, or if that is away for too long.
func (it *item) stays() bool { return it.own() && it.frame[kindAt] != kindSpawn }

// outbox holds the messages to one peer, in order, whether or not there is a connection, until the peer has acknowledged
// them. When nothing waits to be written and the connection takes it, a message is written by its sender; else the link's
// writer does it. Both happen only under mu or with writing set, so that nothing overtakes.
//
// A message is first in queue. When its turn comes it gets its number and moves to flight, where it stays until it is
// acknowledged, and from where it is written again to the next connection. A large one goes by parts, see large.
type outbox struct {
	limit    int           // messages
	most     int64         // bytes: with as many it is full, too
	patience time.Duration // with a peer that has some of what is in flight, perhaps, and does not come back
	dropped  dropped

	seen atomic.Uint64 // highest seq received from the incarnation
	told atomic.Uint64 // of these, the highest that was acknowledged to it
	asks asks

	mu      sync.Mutex
	queue   line[item]
	larges  []*large // those that have left the queue and are not in flight as a whole, oldest first
	flight  line[sent]
	count   int      // messages in all three
	bytes   int64    // in their frames
	slabs   slabs    // where small frames lie
	control [][]byte // to be written first
	last    []byte   // a BYE, to be written next; nothing follows it
	brakes  brakes

	seq         uint64        // number of the last in flight; never goes back, whatever the incarnation
	large       uint64        // turn of the last large message
	written     int           // how many of flight were written to conn, or are in the writer's hand
	ack         bool          // an ACK is to be written
	conn        *zmtp.Conn    // nil: no link
	since       time.Duration // by ticks, when conn was lost
	wake        chan struct{} // the writer of conn waits for it
	writing     bool          // the writer is at work, or has been woken to be
	flush       bool          // conn has the rest of a message
	incarnation uuid.UUID     // of the peer, as known last
	largest     uint64        // message that it accepts, in bytes; 0: any
	gone        bool          // it said that it ends
	forgot      bool          // the next HELLO to it is as if it was not known; it has lost something that it may wait for
	unsaid      bool          // nor was the last, which need not have been read
	unheard     bool          // in this node's life nothing has come from any incarnation of it
	calmSeen    uint64        // seen when a sender wrote itself, and
	calmSince   time.Time     // when that was
	closed      error         // why nothing is accepted any more
	next        time.Duration // by ticks, when timer fires; zero: it does not
	timer       *time.Timer
	room        chan struct{} // closed when there is room again; nil: nobody waits
	empty       chan struct{} // closed when all is acknowledged; nil: nobody waits
}

// dropped is told, without mu, what is given up, and which incarnation the peer had then.
type dropped func(items []item, of uuid.UUID, reason actor.Reason)

// push accepts a message to an actor, of which it keeps frame if that is large, or says why not. If the outbox or the
// actor's mailbox is full it waits for room for as long as wait; what must is accepted all the same.
func (o *outbox) push(it item, to actor.PID, must bool, wait time.Duration) error {
	var late <-chan time.Time
	for {
		o.mu.Lock()
		err := o.refuses(&it, to, must)
		if err == nil {
			o.accept(it)
			o.mu.Unlock()
			return nil
		}
		if wait <= 0 || !errors.Is(err, actor.ErrFull) {
			o.mu.Unlock()
			return err
		}
		if o.room == nil {
			o.room = make(chan struct{})
		}
		room := o.room
		o.mu.Unlock()
		if late == nil {
			t := time.NewTimer(wait)
			defer t.Stop()
			late = t.C
		}
		select {
		case <-room:
		case <-late:
			wait = 0
		}
	}
}

func (o *outbox) refuses(it *item, to actor.PID, must bool) error {
	switch exact := it.exact != uuid.Nil; {
	case o.closed != nil:
		return o.closed
	case exact && it.exact != o.incarnation && o.conn != nil, exact && it.exact == o.incarnation && o.gone:
		return fmt.Errorf("%w: incarnation %v is gone", actor.ErrUnreachable, it.exact)
	case o.tooLarge(it):
		return fmt.Errorf("%w: a message of %d bytes, the peer accepts %d", errTooLarge, len(it.frame), o.largest)
	case must && o.count < o.limit+maxOwn:
		return nil
	case must: // the peer makes us say more than it takes: it is left, and met anew
		o.forgot = true
		if o.conn != nil {
			o.conn.Close()
		}
		return fmt.Errorf("%w: %d messages wait for the link", actor.ErrFull, o.count)
	case o.full():
		return fmt.Errorf("%w: %d messages of %d bytes wait for the link or its acknowledgement", actor.ErrFull, o.count, o.bytes)
	}
	return o.brakes.stops(to)
}

func (o *outbox) full() bool { return o.count >= o.limit || o.bytes >= o.most }

func (o *outbox) tooLarge(it *item) bool { return o.largest > 0 && uint64(len(it.frame)) > o.largest }

func (o *outbox) accept(it item) {
	it.frame, it.slab = o.slabs.keep(it.frame)
	o.count++
	o.bytes += int64(len(it.frame))
	if o.direct(&it) {
		o.launch(sent{item: it})
		o.asks.begun(it.frame)
		number(it.frame, o.seq, o.acknowledge())
		if taken, rest := o.conn.TryWrite([][]byte{it.frame}); taken {
			o.written++
			o.flush = rest
			if !rest {
				return
			}
		}
		o.rouse()
		return
	}
	o.queue.push(it)
	o.rouse()
	if it.stays() {
		o.sweepAt(o.since + o.patience)
	} else {
		o.sweepAt(it.expires)
	}
}

// direct reports whether a message had better be written by its sender: nothing is before it, and some time has passed
// since that was done last, or the peer has sent something since, as when one asks and answers. In a flood the writer does
// it in batches.
func (o *outbox) direct(it *item) bool {
	if o.conn == nil || o.writing || o.queue.len()+len(o.larges) > 0 || o.written < o.flight.len() || len(it.frame) > maxFrame {
		return false
	}
	now, seen := time.Now(), o.seen.Load()
	if seen == o.calmSeen && now.Sub(o.calmSince) < burst {
		return false
	}
	o.calmSeen, o.calmSince = seen, now
	return true
}

// remove takes out of the outbox the items for which gone says so, of those that have not begun to go.
func (o *outbox) remove(gone func(*item) bool) (removed []item) {
	removed = o.queue.remove(gone, nil)
	removed = o.removeHeld(gone, removed)
	o.giveUp(removed)
	return removed
}

// giveUp forgets messages, of which somebody will be told.
func (o *outbox) giveUp(items []item) {
	for i := range items {
		if l := items[i].slab; l != nil {
			l.given = true
		}
		o.forget(&items[i])
	}
	o.shrunk()
}

// forget counts a message less.
func (o *outbox) forget(it *item) {
	o.count--
	o.bytes -= int64(len(it.frame))
	o.slabs.forget(it.slab)
}

// shrunk wakes those who wait for fewer messages, and sees to it that memory is given back when there are none.
func (o *outbox) shrunk() {
	if o.closed != nil || !o.full() {
		o.roomy()
	}
	if o.count > 0 {
		return
	}
	if o.empty != nil {
		close(o.empty)
		o.empty = nil
	}
	switch {
	case o.closed != nil:
		o.rest()
	case len(o.slabs.free) > 0, o.queue.roomy(), o.flight.roomy():
		o.sweepAt(ticks() + restAfter)
	}
}

// rest gives memory back that an outbox without messages does not need.
func (o *outbox) rest() {
	o.queue.idle()
	o.flight.idle()
	o.slabs.idle()
}

// roomy lets those look again who wait for room.
func (o *outbox) roomy() {
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// retire closes the outbox if there is no connection and nothing to send.
func (o *outbox) retire() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil || o.count > 0 {
		return false
	}
	o.closed = actor.ErrNoNode
	o.brakes.release()
	return true
}

// known returns the peer's incarnation as far as it is known.
func (o *outbox) known() uuid.UUID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.incarnation
}

// wait returns when everything is acknowledged, or ctx ends.
func (o *outbox) wait(ctx context.Context) {
	o.mu.Lock()
	if o.count == 0 {
		o.mu.Unlock()
		return
	}
	if o.empty == nil {
		o.empty = make(chan struct{})
	}
	empty := o.empty
	o.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

// close accepts no more. What is still queued is given up; of what is not acknowledged nobody knows.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = fmt.Errorf("%w: this node has been closed", actor.ErrClosed)
	o.brakes.release()
	unconfirmed := o.abandon()
	rest := o.remove(func(*item) bool { return true })
	o.shrunk()
	if o.timer != nil {
		o.timer.Stop()
	}
	of := o.incarnation
	o.mu.Unlock()
	o.dropped(unconfirmed, of, actor.Unconfirmed)
	o.dropped(rest, of, actor.Unreachable)
}
