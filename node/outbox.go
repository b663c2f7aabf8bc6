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

// burst is how soon after a message the next one is a flood.
const burst = 50 * time.Microsecond

// item is a message in an outbox. The frame lacks its numbers, which it gets when it is written.
type item struct {
	frame   []byte
	env     actor.Envelope // for the dead letter; without Value
	exact   uuid.UUID      // incarnation of the target; zero for one that is named
	since   time.Time      // when it was accepted
	expires time.Time
}

// outbox holds the messages to one peer, in order, whether or not there is a connection. When nothing is queued and the
// connection takes it, a message is written by its sender; else the link's writer does it. Both happen only under mu or
// with writing set, so that nothing overtakes.
type outbox struct {
	limit   int                        // messages
	most    int64                      // bytes: with as many it is full, too
	dropped func([]item, actor.Reason) // told, without mu, what is given up

	seen atomic.Uint64 // highest seq received from the incarnation
	asks asks

	mu          sync.Mutex
	items       []item
	bytes       int64         // in the frames of items
	hand        int           // the first so many items are in the writer's hand
	control     [][]byte      // to be written first
	last        []byte        // a BYE, to be written next; nothing follows it
	conn        *zmtp.Conn    // nil: no link
	wake        chan struct{} // the writer of conn waits for it
	writing     bool          // the writer is at work, or has been woken to be
	flush       bool          // conn has the rest of a message
	incarnation uuid.UUID     // of the peer, as known last
	largest     uint64        // frame that it accepts, in bytes; 0: any
	gone        bool          // it said that it ends
	seq         uint64        // number of the last message written; never goes back, whatever the incarnation
	calmSeen    uint64        // seen when a sender wrote itself, and
	calmSince   time.Time     // when that was
	closed      error         // why nothing is accepted any more
	next        time.Time     // when timer fires; zero: it does not
	timer       *time.Timer
	room        chan struct{} // closed when there is room again; nil: nobody waits
	empty       chan struct{} // closed when all is written; nil: nobody waits
}

// push accepts a message, or says why not. If the outbox is full it waits for room for as long as wait.
func (o *outbox) push(it item, wait time.Duration) error {
	var late <-chan time.Time
	for {
		o.mu.Lock()
		err := o.refuses(&it)
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

func (o *outbox) refuses(it *item) error {
	switch exact := it.exact != uuid.Nil; {
	case o.closed != nil:
		return o.closed
	case exact && it.exact != o.incarnation && o.conn != nil, exact && it.exact == o.incarnation && o.gone:
		return fmt.Errorf("%w: incarnation %v is gone", actor.ErrUnreachable, it.exact)
	case o.tooLarge(it):
		return fmt.Errorf("%w: a message of %d bytes, the peer accepts %d", errTooLarge, len(it.frame), o.largest)
	case o.full():
		return fmt.Errorf("%w: %d messages of %d bytes wait for the link", actor.ErrFull, len(o.items), o.bytes)
	}
	return nil
}

func (o *outbox) full() bool { return len(o.items) >= o.limit || o.bytes >= o.most }

func (o *outbox) accept(it item) {
	if o.conn != nil && !o.writing && len(o.items) == 0 && o.calm(it.since) {
		number(it.frame, o.seq+1, o.seen.Load())
		o.asks.add(&it.env)
		if taken, rest := o.conn.TryWrite([][]byte{it.frame}); taken {
			o.seq++
			if rest {
				o.flush = true
				o.rouse()
			}
			return
		}
		o.asks.unwritten(&it.env)
	}
	o.items = append(o.items, it)
	o.bytes += int64(len(it.frame))
	o.rouse()
	o.sweepAt(it.expires)
}

// calm reports whether a message had better be written by its sender: some time has passed since that was done last, or
// the peer has sent something since, as when one asks and answers. In a flood the writer does it in batches.
func (o *outbox) calm(now time.Time) bool {
	seen := o.seen.Load()
	if seen == o.calmSeen && now.Sub(o.calmSince) < burst {
		return false
	}
	o.calmSeen, o.calmSince = seen, now
	return true
}

// cut removes the first n items.
func (o *outbox) cut(n int) {
	for i := range o.items[:n] {
		o.bytes -= int64(len(o.items[i].frame))
	}
	clear(o.items[:n])
	if o.items = o.items[n:]; len(o.items) == 0 {
		o.items = nil
	}
	o.shrunk()
}

// remove takes out the items for which gone says so, but for those in the writer's hand.
func (o *outbox) remove(gone func(*item) bool) (removed []item) {
	kept := o.items[:o.hand:o.hand]
	for i := range o.items[o.hand:] {
		if it := o.items[o.hand+i]; gone(&it) {
			removed = append(removed, it)
			o.bytes -= int64(len(it.frame))
		} else {
			kept = append(kept, it)
		}
	}
	if removed != nil {
		o.items = kept
		o.shrunk()
	}
	return removed
}

// shrunk wakes those who wait for fewer items.
func (o *outbox) shrunk() {
	if o.room != nil && (o.closed != nil || !o.full()) {
		close(o.room)
		o.room = nil
	}
	if o.empty != nil && len(o.items) == 0 && !o.flush {
		close(o.empty)
		o.empty = nil
	}
}

// retire closes the outbox if there is no connection and nothing to send. It returns the number of the last message.
func (o *outbox) retire() (seq uint64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil || len(o.items) > 0 {
		return 0, false
	}
	o.closed = actor.ErrNoNode
	return o.seq, true
}

// known returns the peer's incarnation as far as it is known.
func (o *outbox) known() uuid.UUID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.incarnation
}

// wait returns when everything is written, or ctx ends.
func (o *outbox) wait(ctx context.Context) {
	o.mu.Lock()
	if len(o.items) == 0 && !o.flush {
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

// close accepts no more. What is still queued is given up; of what the writer has in hand nobody knows.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = fmt.Errorf("%w: this node has been closed", actor.ErrClosed)
	hand := append([]item(nil), o.items[:o.hand]...)
	rest := append([]item(nil), o.items[o.hand:]...)
	o.items, o.bytes, o.hand = nil, 0, 0
	o.shrunk()
	if o.timer != nil {
		o.timer.Stop()
	}
	o.mu.Unlock()
	o.dropped(hand, actor.Unconfirmed)
	o.dropped(rest, actor.Unreachable)
}
