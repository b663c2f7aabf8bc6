package actor

import (
	"fmt"
	"sync/atomic"
)

// Terminated says that an actor that was watched is gone for good, and why: Stopped, Failed, NoActor if it was not there
// when the watch began, NodeDown if its node is unreachable, or Full if its node keeps no more watches for this one.
type Terminated struct {
	PID    PID // as it was given to Watch
	Reason Reason
}

// NodeDown is why a watch of an actor of another node is over when that node can't be reached any more. The actor may be
// alive; the watch is over even if the node is reached again.
const NodeDown Reason = "node down"

// Watch has f called, as one of this actor's turns, once the actor of pid is gone: not when it restarts. There is exactly
// one call per watch, if this instance of the watcher lives to see it, behind everything that the target sent to it, and
// from then on the target's name is free. If there is no such actor the call comes at once. A second Watch of the same
// target changes nothing. A restart of the watcher ends its watches; the start hook makes them anew. An error from f is a
// failure of the watcher.
//
// The actor may be one of another node, and pid exact or named; a name is resolved there, once. If the node is not known or
// not reachable, now or later, the call comes with NodeDown. A node keeps up to 65,536 watches, links and spawned actors for
// each other node: a watch beyond ends with Full. A Watch of the same actor by two PIDs is one watch here, two elsewhere.
//
// Watch fails with ErrClosed if this instance has ended, ErrUsage for a nil f or the actor itself, and ErrName for what is
// no PID.
func (c *Context) Watch(pid PID, f func(Terminated) error) error {
	me := c.life.cell
	target, far, err := me.acquaint(pid)
	switch {
	case err != nil:
		return err
	case f == nil:
		return fmt.Errorf("%w: nil function to Watch", ErrUsage)
	}
	w := &watch{by: me, life: c.life, target: target, pid: pid}
	w.heard = func(why Reason) error { return f(Terminated{pid, why}) }
	if far {
		me.sys.number(w)
	}
	already := false
	err = c.life.want(func(wants *wants) {
		if _, already = wants.watches[w.key()]; !already {
			wants.watches[w.key()] = w
		}
	})
	switch {
	case err != nil || already:
	case !far:
		w.begin()
	case me.sys.announce(w, KindWatch) != nil:
		w.tell(NodeDown)
	}
	return err
}

// Unwatch ends a watch: f is not called any more. It does nothing if there is none.
func (c *Context) Unwatch(pid PID) {
	key := pid
	if target, _, err := c.life.cell.acquaint(pid); err == nil && target != nil {
		key = target.self
	}
	var w *watch
	_ = c.life.want(func(wants *wants) { // an instance that has ended has no watches
		if w = wants.watches[key]; w == nil {
			for _, other := range wants.watches {
				if other.of(pid) {
					w = other
				}
			}
		}
		if w != nil {
			delete(wants.watches, w.key())
		}
	})
	if w != nil {
		w.callOff()
	}
}

// acquaint finds an actor to watch or to link to; nil if it is gone, or far: of another node.
func (c *cell) acquaint(pid PID) (target *cell, far bool, err error) {
	target, err = c.sys.find(pid)
	switch {
	case target == c:
		return nil, false, fmt.Errorf("%w: %s watches itself", ErrUsage, c.label())
	case target != nil:
		return target, false, nil
	case err == nil:
		return nil, true, nil
	case pid.Node() == c.sys.node || pid.IsZero():
		return nil, false, nil
	}
	return nil, false, err
}

// watch tells one actor of the end of another. One of the two may be on another node.
type watch struct {
	by     *cell // nil: on another node, or no actor
	life   *life // nil: whichever instance there is
	target *cell // nil: it was not there, or is on another node
	pid    PID
	heard  func(Reason) error // a turn of by
	away   func(Reason)       // instead, if there is no by
	off    func()             // what else is to be done when it is called off; may be nil
	number uint64             // by which the other node knows it; 0 = both are here
	over   atomic.Bool
	link   bool         // is half of one
	failed *atomic.Bool // the other half too: if both actors made a link, its end is one failure
}

// key is under what it is known in the watcher's wants.
func (w *watch) key() PID {
	if w.target != nil {
		return w.target.self
	}
	return w.pid
}

// of reports whether w is a watch of the actor of pid, which may be gone.
func (w *watch) of(pid PID) bool {
	t := w.target
	return w.pid == pid || t != nil && (t.self == pid || t.path != "" && t.path == pid.Name() && t.sys.node == pid.Node())
}

func (w *watch) begin() {
	if w.target == nil || !w.target.addWatch(w) {
		w.tell(NoActor)
		return
	}
	if w.over.Load() { // called off at the same moment, when there was nothing to drop
		w.target.dropWatch(w)
	}
}

func (w *watch) tell(why Reason) {
	if w.by == nil {
		if !w.over.Swap(true) {
			w.away(why)
		}
		return
	}
	w.by.call(w.life, func() error {
		if w.over.Swap(true) {
			return nil
		}
		if w.life != nil {
			_ = w.life.want(func(wants *wants) {
				if wants.watches[w.key()] == w {
					delete(wants.watches, w.key())
				}
			})
		}
		return w.heard(why)
	})
}

// callOff ends the watch, even if the news is on its way.
func (w *watch) callOff() {
	if w.over.Swap(true) {
		return
	}
	if w.target != nil {
		w.target.dropWatch(w)
	}
	if w.off != nil {
		w.off()
	}
}

// addWatch returns false if c is gone.
func (c *cell) addWatch(w *watch) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return false
	}
	if c.watches == nil {
		c.watches = map[*watch]struct{}{}
	}
	c.watches[w] = struct{}{}
	return true
}

func (c *cell) dropWatch(w *watch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.watches, w)
}
