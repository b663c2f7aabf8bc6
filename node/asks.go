package node

import (
	"sync"
	"time"
)

// asks are those that were written to the present incarnation of a peer and are not answered: with it they are lost, while
// an ask that is still queued is not. Those whose deadline has passed are dropped now and then.
type asks struct {
	mu    sync.Mutex
	open  map[uint64]asked // by correlation
	purge int              // at how many it is time to look for those whose deadline has passed
}

type asked struct {
	by       address // at this node
	deadline time.Time
}

const minPurge = 1024

// begun notes the ask, if it is one, that frame has.
func (a *asks) begun(frame []byte) {
	if frame[kindAt] != kindAsk {
		return
	}
	var ask asked
	u := unpacker{b: frame[targetAt:]}
	u.skip(maxExtraDepth) // the target
	u.address(&ask.by)
	correlation, deadline := u.uint(), u.uint()
	if deadline > 0 {
		ask.deadline = time.Now().Add(time.Duration(min(deadline, maxDeadline)) * time.Millisecond)
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
	a.open[correlation] = ask
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
