package node

import (
	"sync"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// asks are those that were written to the present incarnation of a peer and are not answered: with it they are lost, while
// an ask that is still queued is not. Those whose deadline has passed are dropped now and then.
type asks struct {
	mu    sync.Mutex
	open  map[uint64]asked // by correlation
	purge int              // at how many it is time to look for those whose deadline has passed
}

type asked struct {
	by       actor.PID
	deadline time.Time
}

const minPurge = 1024

func (a *asks) add(e *actor.Envelope) {
	if e.Kind != actor.Ask {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil {
		a.open, a.purge = make(map[uint64]asked), minPurge
	}
	if len(a.open) >= a.purge {
		now := time.Now()
		for id, ask := range a.open {
			if !ask.deadline.IsZero() && ask.deadline.Before(now) {
				delete(a.open, id)
			}
		}
		a.purge = max(minPurge, 2*len(a.open))
	}
	a.open[e.Correlation] = asked{e.Sender, e.Deadline}
}

// unwritten forgets an ask that was not written after all.
func (a *asks) unwritten(e *actor.Envelope) {
	if e.Kind == actor.Ask {
		a.done(e.Correlation)
	}
}

// done forgets an ask that was answered.
func (a *asks) done(correlation uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.open, correlation)
}

// take returns them all and forgets them.
func (a *asks) take() map[uint64]asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	open := a.open
	a.open = nil
	return open
}
