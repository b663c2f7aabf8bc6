package actor

import (
	"slices"
	"sync/atomic"
	"time"
)

// regroup is a restart of several siblings. The worker of the one that failed leads it: the members stop, the last spawned
// first, and when all have, they start, the first spawned first.
type regroup struct {
	family  *family
	leader  *cell
	cells   []*cell   // all siblings
	members []*member // who starts again
	verdict verdict
	over    chan struct{} // closed when another verdict takes the place of this one, or all is over
}

// member is what the leader and another worker tell one another.
type member struct {
	cell  *cell
	taken atomic.Bool   // the member takes part
	down  chan struct{} // closed by the member: its instance has ended
	up    chan struct{} // closed by the leader: start
	begun chan error    // what came of it; room for one
	next  chan struct{} // closed by the leader: see cell.held for what comes next, or stop
	stop  bool          // the leader's decision about a failed start, before next is closed

	// The leader's alone.
	late   bool // it did not stop in time, and starts when it can
	called bool // up is closed
}

// newRegroup takes a verdict about cells. The caller holds the family's mu.
func newRegroup(f *family, leader *cell, cells []*cell, v verdict) *regroup {
	g := &regroup{family: f, leader: leader}
	g.take(cells, v)
	return g
}

// take makes v the verdict that is carried out. The caller holds the family's mu.
func (g *regroup) take(cells []*cell, v verdict) {
	before, over := g.members, g.over
	g.over = make(chan struct{})
	g.cells, g.verdict, g.members = cells, v, nil
	for _, i := range v.again {
		m := &member{cell: cells[i], down: make(chan struct{}), up: make(chan struct{}), begun: make(chan error, 1),
			next: make(chan struct{})}
		g.members = append(g.members, m)
		if m.cell != g.leader {
			m.cell.held.Store(m)
		}
	}
	g.release(before)
	if over != nil {
		close(over)
	}
}

// release lets members look for what comes next.
func (g *regroup) release(members []*member) {
	for _, m := range members {
		if !m.late {
			m.cell.held.CompareAndSwap(m, nil)
		}
		if !m.stop {
			close(m.next)
		}
	}
}

func (g *regroup) mine(c *cell) bool { return g.leader == c }

// part says whether c is a member that has yet to start again (nil: it is not, or has started), or stops with the members
// for good, and until when that holds.
func (g *regroup) part(c *cell) (m *member, gone bool, over <-chan struct{}) {
	g.family.mu.Lock()
	defer g.family.mu.Unlock()
	i := slices.Index(g.cells, c)
	if slices.Contains(g.verdict.again, i) {
		if m = c.held.Load(); m != nil && m.taken.Load() {
			m = nil
		}
	}
	return m, slices.Contains(g.verdict.gone, i), g.over
}

// await waits for the end of what does not concern c.
func (c *cell) await(over <-chan struct{}) {
	life := c.life.Load()
	select {
	case <-over:
	case <-life.context().Done():
	}
	if life.err() != nil && !c.killed() { // ended by a leader that did not wait any longer: this instance can't go on
		c.retire(false)
		c.rest(0)
	}
}

// lead carries out the verdict, for the leader's worker. False: the leader is gone.
func (g *regroup) lead() (alive bool) {
	c := g.leader
	g.down()
	for {
		failed, err := g.up()
		if failed == nil {
			g.finish()
			return true
		}
		if c.killed() {
			g.finish()
			c.end(Stopped)
			return false
		}
		switch what := g.judge(failed, err); {
		case what == DecideRestart:
			g.down()
		case what == DecideStop && failed != c:
			g.dismiss(failed) // the others go on to start
		default:
			if what == DecideEscalate {
				g.abandon()
			}
			g.finish()
			c.giveUp(what, err)
			return false
		}
	}
}

// judge decides about a member that did not start.
func (g *regroup) judge(failed *cell, err error) Decision {
	what := failure{err: err, wish: g.family.rules.decide(err)}
	g.family.mu.Lock()
	defer g.family.mu.Unlock()
	cells := g.family.list()
	if !slices.Contains(cells, failed) {
		return DecideStop
	}
	v := g.family.verdict(cells, failed, what)
	if v.what == DecideRestart {
		g.take(cells, v)
	}
	return v.what
}

// down stops the members and those that go with them, the last spawned first, and waits for as long as the verdict says.
func (g *regroup) down() {
	for i, c := range slices.Backward(g.cells) {
		at := slices.Index(g.verdict.again, i)
		switch {
		case slices.Contains(g.verdict.gone, i):
			c.stopInTime(false)
		case at < 0:
		case c == g.leader:
			c.retire(false)
			c.rest(0)
		default:
			g.members[at].late = !g.hold(g.members[at])
		}
	}
	within(g.verdict.pause, g.leader.life.Load().context().Done())
}

// hold waits for a member to stop. False: it takes too long.
func (g *regroup) hold(m *member) bool {
	life := m.cell.life.Load()
	if m.taken.Load() {
		life = nil // it is on its way, and this may be the life of the instance to come
	}
	m.cell.flags.Or(flagHold)
	m.cell.wake()
	if g.wait(m, m.cell.set.shutdown) {
		return true
	}
	if life != nil {
		life.end()
	}
	return g.wait(m, grace)
}

// wait returns false if m does not stop for d.
func (g *regroup) wait(m *member, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-m.down:
	case <-m.cell.goneChan():
	case <-g.leader.life.Load().context().Done(): // the leader is stopped at once
	case <-timer.C:
		return false
	}
	return true
}

// up starts the members in order, up to the first that fails to.
func (g *regroup) up() (failed *cell, err error) {
	for _, m := range g.members {
		if m.called {
			continue
		}
		m.called = true
		close(m.up)
		switch {
		case m.cell == g.leader:
			err = m.cell.begin()
			m.cell.noteFailure(err)
		case !m.late:
			err = m.outcome(g.leader)
		}
		if err != nil {
			return m.cell, err
		}
	}
	return nil, nil
}

// outcome waits for m to have started. That it was stopped is no failure.
func (m *member) outcome(leader *cell) error {
	select {
	case err := <-m.begun:
		if err == errKilled {
			return nil
		}
		return err
	case <-m.cell.goneChan():
	case <-leader.life.Load().context().Done():
	}
	return nil
}

// dismiss lets a member that did not start stop for good.
func (g *regroup) dismiss(c *cell) {
	for _, m := range g.members {
		if m.cell == c {
			m.stop = true
			close(m.next)
		}
	}
}

// abandon stops the members: there is no going on without the one that failed.
func (g *regroup) abandon() {
	for _, m := range slices.Backward(g.members) {
		if m.cell != g.leader {
			m.cell.stopInTime(true)
		}
	}
}

// finish ends the restart; members that have not started do it now, each for itself.
func (g *regroup) finish() {
	g.family.mu.Lock()
	g.family.group = nil
	members := g.members
	g.family.mu.Unlock()
	for _, m := range members {
		if !m.called {
			close(m.up)
		}
	}
	g.release(members)
	close(g.over)
}

// hold is the part of a member in the restart of its siblings. False: the actor is gone.
func (c *cell) hold() (alive bool) {
	c.flags.And(^flagHold)
	m := c.held.Load()
	return m == nil || !m.taken.CompareAndSwap(false, true) || c.join(m)
}

// join is hold for a member that now takes part as m.
func (c *cell) join(m *member) (alive bool) {
	for {
		c.retire(false)
		c.rest(0)
		life := c.life.Load()
		close(m.down)
		var err error
		begun := false
		select {
		case <-m.up:
			err, begun = c.begin(), true
			c.noteFailure(err)
			m.begun <- err
		case <-m.next:
		case <-life.context().Done():
		}
		if begun && err == nil {
			return true
		}
		select {
		case <-m.next:
		case <-life.context().Done():
		}
		next := c.held.Load()
		switch {
		case c.killed():
			c.end(Stopped)
			return false
		case m.stop:
			c.end(Failed)
			return false
		case next != nil && next.taken.CompareAndSwap(false, true):
			m = next
		case begun:
			return c.judged(err)
		default:
			return c.failedStart(c.begin())
		}
	}
}
