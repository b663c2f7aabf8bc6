package actor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// failedStart is failed for the result of begin.
func (c *cell) failedStart(err error) (alive bool) {
	if err == nil {
		return true
	}
	return c.failed(err)
}

// failed is what comes of a failure, or of the wish to stop if err is nil. False: the actor is gone.
func (c *cell) failed(err error) (alive bool) {
	c.noteFailure(err)
	return c.judged(err)
}

// judged is failed for what has been counted.
func (c *cell) judged(err error) (alive bool) {
	for {
		if err == errKilled || c.killed() {
			c.end(Stopped)
			return false
		}
		v, g := c.home.judge(c, err)
		switch {
		case g != nil && !g.mine(c):
			switch m, gone, over := g.part(c); {
			case m != nil && m.taken.CompareAndSwap(false, true):
				return c.join(m)
			case gone:
				c.giveUp(DecideStop, err)
				return false
			default:
				c.await(over)
			}
		case v.what == DecideResume:
			return true
		case v.what == DecideRestart && g != nil:
			return g.lead()
		case v.what == DecideRestart:
			c.retire(false)
			c.rest(v.pause)
			if err = c.begin(); err == nil {
				return true
			}
			c.noteFailure(err)
		default:
			c.giveUp(v.what, err)
			return false
		}
	}
}

// noteFailure counts a failure; no error is none, and a kill neither.
func (c *cell) noteFailure(err error) {
	if err == nil || err == errKilled || c.killed() {
		return
	}
	c.counts.failed.Add(1)
	c.complain("actor failed", err)
	if c.sys.events.wanted() {
		c.sys.events.publish(ActorFailed{c.self, c.path, err})
	}
}

// giveUp ends c, and tells its parent if it has to know.
func (c *cell) giveUp(what Decision, err error) {
	if err == nil && what == DecideStop {
		c.end(Stopped)
		return
	}
	if c.end(Failed); what == DecideEscalate {
		c.escalate(err)
	}
}

// escalate makes the failure of c, which is gone, its parent's.
func (c *cell) escalate(err error) {
	if err == nil {
		err = errors.New("it stops again and again")
	}
	if c.parent == nil {
		c.sys.log.Error("actor stopped for good after a failure", "actor", c.label(), "error", err)
		return
	}
	err = fmt.Errorf("%w: %s: %w", ErrEscalated, c.label(), err)
	c.parent.failure.Store(&err)
	c.parent.flags.Or(flagFail)
	c.parent.wake()
}

// rest waits before a restart, in the life of the instance to come, which a kill ends.
func (c *cell) rest(pause time.Duration) {
	life := newLife(c)
	c.life.Store(life)
	c.counts.state.Store(uint32(Resting))
	if c.killed() { // perhaps when the old life was there
		life.end()
	}
	if pause <= 0 {
		return
	}
	within(pause, life.context().Done())
}

// judge decides about a failure of c. If the restart concerns several children, or one that does is under way, it is g.
func (f *family) judge(c *cell, err error) (v verdict, g *regroup) {
	if g = f.busy(c); g != nil {
		return verdict{}, g
	}
	what := failure{err: err, wish: f.rules.decide(err), running: c.started}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.group != nil && !f.group.mine(c) {
		return verdict{}, f.group
	}
	cells := []*cell{c}
	if f.rules.Strategy != OneForOne {
		cells = f.list()
	}
	v = f.verdict(cells, c, what)
	if v.what == DecideRestart && f.rules.Strategy != OneForOne {
		g = newRegroup(f, c, cells, v)
		f.group = g
	}
	return v, g
}

// busy is the restart that is under way and that c does not lead, if any.
func (f *family) busy(c *cell) *regroup {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.group != nil && f.group.mine(c) {
		return nil
	}
	return f.group
}

// verdict is what becomes of the failure of c, one of cells. The caller holds mu.
func (f *family) verdict(cells []*cell, c *cell, what failure) verdict {
	for i, sibling := range cells {
		if sibling == c {
			what.child = i
		}
		what.among = append(what.among, sibling.set.restart)
	}
	if f.ledger == nil {
		f.ledger = new(ledger)
	}
	return f.rules.judge(f.ledger, time.Now(), what, rand.Float64())
}
