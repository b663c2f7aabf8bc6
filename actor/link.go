package actor

import "fmt"

// Link ties this actor and another together: if one is gone for good because it failed, the other fails too, once, with an
// error that wraps ErrLinked, and its supervisor decides. An actor that was stopped, or restarts, does no harm to the other. A
// restart of the actor that made the link ends it; the start hook makes it anew. A second Link to the same actor changes
// nothing.
//
// The other may be on another node. Then both also fail when their nodes lose sight of one another, and this one fails when
// it turns out that there is no such actor, or that its node keeps no more links (see Watch).
//
// Link fails with ErrNoActor if there is no such actor on this node, with ErrNoNode or ErrUnreachable if its node is not
// known or is gone, and else as Watch does.
func (c *Context) Link(pid PID) error {
	me := c.life.cell
	other, far, err := me.acquaint(pid)
	switch {
	case err != nil:
		return err
	case far:
		return c.linkFar(pid)
	case other == nil:
		return me.sys.noActor(pid)
	}
	l := &link{
		there: &watch{by: me, life: c.life, target: other, pid: other.self, link: true},
		here:  &watch{by: other, target: me, pid: me.self, link: true},
	}
	l.there.heard = func(why Reason) error {
		l.here.callOff()
		l.forget()
		return l.there.fail(why)
	}
	l.here.heard = l.here.fail
	if noted, err := l.note(); !noted {
		return err
	}
	l.here.begin()
	if !other.addWatch(l.there) {
		l.here.callOff()
		l.forget()
		return me.sys.noActor(pid)
	}
	if l.here.over.Load() { // this instance has ended at the same moment
		l.there.callOff()
		other.dropWatch(l.there)
	}
	return nil
}

// linkFar is Link to an actor of another node, which has there what corresponds to here.
func (c *Context) linkFar(pid PID) error {
	me := c.life.cell
	s := me.sys
	l := &link{
		there: &watch{by: me, life: c.life, pid: pid, link: true},
		here:  &watch{target: me, pid: me.self, link: true},
	}
	s.number(l.there)
	unlink := func(why Reason) {
		e := &Envelope{Kind: KindUnlink, Target: pid, Sender: me.self, Correlation: l.there.number}
		if why == Failed || why == NodeDown {
			e.Type = string(why)
		}
		_ = s.send(e)
	}
	l.here.away, l.here.off = unlink, func() { unlink("") }
	l.there.heard = func(why Reason) error {
		if why == NodeDown { // the other fails too, though its node may not have noticed
			l.here.tell(NodeDown)
			me.dropWatch(l.here)
		}
		l.here.callOff()
		l.forget()
		if why == Stopped {
			return nil
		}
		return fmt.Errorf("%w: %v: %s", ErrLinked, pid, why)
	}
	if noted, err := l.note(); !noted {
		return err
	}
	if err := s.announce(l.there, KindLink); err != nil {
		l.forget()
		return err
	}
	if l.here.over.Load() { // this instance has ended at the same moment: what it sent then came too early
		unlink("")
		return nil
	}
	l.here.begin()
	return nil
}

// Unlink ends the link that this instance has made to the actor of pid.
func (c *Context) Unlink(pid PID) {
	key := pid
	if other, _, _ := c.life.cell.acquaint(pid); other != nil {
		key = other.self
	}
	var l *link
	_ = c.life.want(func(w *wants) { // an instance that has ended has no links
		if l = w.links[key]; l == nil {
			for _, gone := range w.links {
				if gone.there.of(pid) {
					l = gone
				}
			}
		}
		if l != nil {
			delete(w.links, l.there.key())
		}
	})
	if l != nil {
		l.there.callOff()
		l.here.callOff()
	}
}

// link is two watches: of the other by who made the link, and the opposite.
type link struct{ there, here *watch }

// note has the instance that made l know it, unless it has such a link.
func (l *link) note() (noted bool, err error) {
	key := l.there.key()
	err = l.there.life.want(func(w *wants) {
		if _, already := w.links[key]; !already {
			w.links[key], noted = l, true
		}
	})
	return noted, err
}

func (l *link) forget() {
	_ = l.there.life.want(func(w *wants) {
		if w.links[l.there.key()] == l {
			delete(w.links, l.there.key())
		}
	})
}

// fail is what half of a link comes to.
func (w *watch) fail(why Reason) error {
	if why != Failed || w.failed.Swap(true) {
		return nil
	}
	return fmt.Errorf("%w: %s is gone", ErrLinked, w.target.label())
}
