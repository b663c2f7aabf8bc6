package actor

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// grace is how long Stop and Close wait, after their ctx ended, for a handler or hook that is running.
const grace = time.Second

// Stop ends an actor and returns when it is gone and its name is free. What was told before is handled,
// what was accepted after it becomes dead letters. When ctx ends, or if it has ended, only the message in hand is
// finished, the actor's Context ends, and the rest becomes dead letters. The actor's children stop before it, the last
// spawned first.
//
// Stop fails with ErrNoActor if there is no such actor (any more), with ErrDeadlock if an actor stops itself or one of
// its parents (use Context.Stop), and with ctx's error if the message in hand is not finished within a second after ctx
// ended: the actor is then gone as soon as it is.
//
// The actor may be on another node. Then Stop also fails with ErrNoNode or ErrUnreachable, ErrFull if that node keeps no
// more watches (see Watch), and does not notice that an actor stops itself.
func Stop(ctx context.Context, in Scope, pid PID) error {
	sc, err := scopeOf(in)
	if err != nil {
		return err
	}
	if ctx == nil {
		return fmt.Errorf("%w: nil context", ErrUsage)
	}
	c, err := sc.sys.find(pid)
	switch {
	case err != nil:
		return err
	case c == nil:
		return sc.sys.stopFar(ctx, pid)
	}
	for p := sc.cell; p != nil; p = p.parent {
		if p == c {
			return fmt.Errorf("%w: %v stops itself or its parent", ErrDeadlock, sc.cell.label())
		}
	}
	return stopAll(ctx, []*cell{c})
}

// stopAll stops actors one after the other, from the last to the first; when ctx ends, all at once.
func stopAll(ctx context.Context, cells []*cell) error {
	left := len(cells)
	for ; left > 0 && ctx.Err() == nil; left-- {
		c := cells[left-1]
		if c.endIdle() {
			continue
		}
		c.shutdown()
		select {
		case <-c.goneChan():
			continue
		case <-ctx.Done():
		}
		break
	}
	if left == 0 {
		return nil
	}
	for i := left - 1; i >= 0; i-- {
		cells[i].kill()
	}
	late, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for i := left - 1; i >= 0; i-- {
		select {
		case <-cells[i].goneChan():
		case <-late.Done():
			if cells[i].lives() {
				return fmt.Errorf("actor: %s does not return: %w", cells[i].label(), context.Cause(ctx))
			}
		}
	}
	return nil
}

// endIdle ends an actor that has nothing to do, nor anything to run at its end, right here: no worker is needed.
func (c *cell) endIdle() bool {
	if c.hooked || c.newest() != nil || !c.box.wake() {
		return false
	}
	c.end(Stopped)
	return true
}

// shutdown asks for an end behind what is queued.
func (c *cell) shutdown() {
	_ = c.box.force(message{more: &more{alien: stopMark{}}}) // if it is refused, the end is near
}

// quit asks for an end after the message in hand, but not of a later instance.
func (l *life) quit() {
	l.mu.Lock()
	ended := l.ended
	if !ended {
		l.cell.flags.Or(flagQuit)
	}
	l.mu.Unlock()
	if !ended {
		l.cell.wake()
	}
}

// wake gets the worker to look at the flags.
func (c *cell) wake() {
	if c.box.wake() {
		c.sys.workers.run(c)
	}
}

// kill ends what a handler can wait for, of c and its children, and asks for an end after the message in hand.
func (c *cell) kill() {
	c.flags.Or(flagKill)
	if life := c.life.Load(); life != nil {
		life.end()
	}
	for _, s := range c.set.sources {
		s.abort()
	}
	c.box.dropQueue()
	for _, child := range c.children() {
		child.kill()
	}
	c.wake()
}

// end is the last thing that a worker does with c.
func (c *cell) end(why Reason) {
	c.counts.state.Store(uint32(Stopping))
	c.family.close()
	c.box.dropBatch()
	c.box.dropQueue()
	for _, s := range c.set.sources {
		s.close()
	}
	c.retire(true)
	c.leave(why)
}

// stoppedError is why c takes no messages.
func (c *cell) stoppedError() error {
	if c.sys.closing.Load() {
		return &about{ErrClosed, c, " has stopped"}
	}
	return &about{ErrNoActor, c, " has stopped"}
}

// leave frees the name and the PID, and tells those who watch.
func (c *cell) leave(why Reason) {
	if c.path != "" {
		c.sys.names.CompareAndDelete(c.path, c)
	}
	c.sys.table.remove(c)
	c.home.remove(c)
	if c.sys.events.wanted() {
		c.sys.events.publish(ActorStopped{c.self, c.path, why})
	}
	c.mu.Lock()
	c.left = true
	watches := c.watches
	c.watches = nil
	if c.gone != nil {
		close(c.gone)
	}
	c.mu.Unlock()
	for w := range watches {
		if w.link && w.off != nil { // to another node, made here: its end goes before that of one made there
			w.tell(why)
		}
	}
	var both map[*cell]*atomic.Bool
	for w := range watches {
		if w.link && w.by != nil {
			if both == nil {
				both = map[*cell]*atomic.Bool{}
			}
			if both[w.by] == nil {
				both[w.by] = new(atomic.Bool)
			}
			w.failed = both[w.by]
		}
		w.tell(why)
	}
}

// goneChan is closed when the actor is gone.
func (c *cell) goneChan() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone == nil {
		c.gone = make(chan struct{})
		if c.left {
			close(c.gone)
		}
	}
	return c.gone
}

func (c *cell) lives() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.left
}

// stopChildren stops them one after the other, the last spawned first, each within its time.
func (c *cell) stopChildren() {
	for child := c.newest(); child != nil; child = c.newest() {
		if child.endIdle() {
			continue
		}
		if !child.stopInTime(c.killed()) {
			c.sys.log.Warn("actor does not stop; its parent goes on without it", "actor", child.label())
			c.family.remove(child)
		}
	}
}

// stopInTime stops c within its time, or at once. False: it doesn't return.
func (c *cell) stopInTime(now bool) bool {
	if !now {
		if c.shutdown(); within(c.set.shutdown, c.goneChan()) {
			return true
		}
	}
	c.kill()
	return within(grace, c.goneChan())
}

// within waits for done. It returns false if that takes longer than d.
func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
