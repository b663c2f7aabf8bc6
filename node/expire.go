package node

import (
	"math"
	"time"

	"github.com/troupe-go/troupe/actor"
)

const sweepPause = 10 * time.Millisecond // at least, between two looks for what has expired

// sweepAt sees to it that expired items are looked for at t, or before.
func (o *outbox) sweepAt(t time.Time) {
	if !o.next.IsZero() && !t.Before(o.next) {
		return
	}
	o.next = t
	wait := max(time.Until(t), sweepPause)
	if o.timer == nil {
		o.timer = time.AfterFunc(wait, o.sweep)
	} else {
		o.timer.Reset(wait)
	}
}

// sweepIn is sweepAt after some time.
func (o *outbox) sweepIn(wait time.Duration) { o.sweepAt(time.Now().Add(wait)) }

// sweep gives up what has expired, and what is in flight to a peer that has been away for too long.
func (o *outbox) sweep() {
	o.mu.Lock()
	o.next = time.Time{}
	now, at := time.Now(), ticks()
	if o.count == 0 {
		o.rest()
	}
	var next time.Time
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	away := false
	if until := o.since.Add(o.patience); o.conn == nil {
		if away = !until.After(now); !away && o.count > 0 {
			sooner(until)
		}
	}
	var unconfirmed []item
	if away {
		unconfirmed = o.abandon()
		o.forgot = o.forgot || len(unconfirmed) > 0
	}
	expired := o.remove(func(it *item) bool { return it.expires <= at || away && it.stays() })
	for i := range expired {
		o.forgot = o.forgot || expired[i].stays()
	}
	o.each(func(it *item) {
		if !it.stays() {
			sooner(now.Add(it.expires - at))
		}
	})
	if !next.IsZero() && o.closed == nil {
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
