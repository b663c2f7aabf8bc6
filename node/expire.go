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

// sweep gives up what has expired.
func (o *outbox) sweep() {
	o.mu.Lock()
	o.next = time.Time{}
	now := time.Now()
	expired := o.remove(func(it *item) bool { return !it.expires.After(now) })
	var next time.Time
	for i := range o.items {
		if at := o.items[i].expires; next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if !next.IsZero() && o.closed == nil {
		o.sweepAt(next)
	}
	o.mu.Unlock()
	o.dropped(expired, actor.Expired)
}
