package node

import (
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

// sweep gives up what has expired, and what is in flight to a peer that has been away for too long.
func (o *outbox) sweep() {
	o.mu.Lock()
	o.next = time.Time{}
	now := time.Now()
	expired := o.remove(func(it *item) bool { return !it.expires.After(now) })
	for i := range expired {
		if frame := expired[i].frame; frame[kindAt] >= kindWatch { // what each side knows of the other's watches has come apart
			o.forgot = true
		}
	}
	var next time.Time
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	o.each(func(it *item) { sooner(it.expires) })
	var unconfirmed []item
	if o.conn == nil && o.flight.len() > 0 {
		if until := o.since.Add(o.patience); until.After(now) {
			sooner(until)
		} else {
			unconfirmed = o.abandon(true)
		}
	}
	if !next.IsZero() && o.closed == nil {
		o.sweepAt(next)
	}
	o.mu.Unlock()
	o.dropped(expired, actor.Expired)
	o.dropped(unconfirmed, actor.Unconfirmed)
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

// never is when what must not expire does.
var never = time.Unix(1<<40, 0)
