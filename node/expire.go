package node

import (
	"math"
	"time"

	"github.com/troupe-go/troupe/actor"
)

const sweepPause = 10 * time.Millisecond // at least, between two looks for what has expired

// sweepAt sees to it that expired items are looked for at a time, by ticks, or before.
func (o *outbox) sweepAt(at time.Duration) {
	if o.next != 0 && at >= o.next {
		return
	}
	o.next = at
	wait := max(at-ticks(), sweepPause)
	if o.timer == nil {
		o.timer = time.AfterFunc(wait, o.sweep)
	} else {
		o.timer.Reset(wait)
	}
}

// sweep gives up what has expired, and what is in flight to a peer that has been away for too long.
func (o *outbox) sweep() {
	o.mu.Lock()
	o.next = 0
	now := ticks()
	if o.count == 0 {
		o.rest()
	}
	var next time.Duration
	sooner := func(at time.Duration) {
		if next == 0 || at < next {
			next = at
		}
	}
	away := false
	if until := o.since + o.patience; o.conn == nil {
		if away = until <= now; !away && o.count > 0 {
			sooner(until)
		}
	}
	var unconfirmed []item
	if away {
		unconfirmed = o.abandon()
		o.forgot = o.forgot || len(unconfirmed) > 0
	}
	expired := o.remove(func(it *item) bool { return it.expires <= now || away && it.stays() })
	for i := range expired {
		o.forgot = o.forgot || expired[i].stays()
	}
	o.each(func(it *item) {
		if !it.stays() {
			sooner(it.expires)
		}
	})
	if next != 0 && o.closed == nil {
		o.sweepAt(next)
	}
	of := o.incarnation
	o.mu.Unlock()
	o.dropped(expired, of, actor.Expired)
	o.dropped(unconfirmed, of, actor.Unconfirmed)
}

// each calls f with what has not begun to go.
func (o *outbox) each(f func(*item)) {
	lists := [][]item{o.queue.all()}
	for _, l := range o.larges {
		if lists = append(lists, l.held.all()); l.at == 0 {
			f(&l.item)
		}
	}
	for _, list := range lists {
		for i := range list {
			f(&list[i])
		}
	}
}

// ticks is the time since some moment, in which expiry is measured: one that is read at less cost than time.Now, and takes
// less room.
func ticks() time.Duration { return time.Since(epoch) }

var epoch = time.Now()

// never is when what must not expire does.
const never = math.MaxInt64 / 2
