package actor

import "fmt"

// Link ties this actor and another together: if one is gone for good because it failed, the other fails too, once, with an
// error that wraps ErrLinked, and its supervisor decides. An actor that was stopped, or restarts, does no harm to the other. A
// restart of the actor that made the link ends it; the start hook makes it anew. A second Link to the same actor changes
// nothing.
//
// Link fails with ErrNoActor if there is no such actor, and else as Watch does.
func (c *Context) Link(pid PID) error {
	me := c.life.cell
	other, err := me.acquaint(pid)
	switch {
	case err != nil:
		return err
	case other == nil:
		return me.sys.noActor(pid)
	}
	l := &link{
		there: &watch{by: me, life: c.life, target: other, pid: other.self, link: true},
		here:  &watch{by: other, target: me, pid: me.self, link: true},
	}
	l.there.heard = func(why Reason) error {
		l.here.callOff()
		_ = l.there.life.want(func(w *wants) { delete(w.links, other) })
		return l.there.fail(why)
	}
	l.here.heard = l.here.fail
	already := false
	err = c.life.want(func(w *wants) {
		if _, already = w.links[other]; !already {
			w.links[other] = l
		}
	})
	if err != nil || already {
		return err
	}
	l.here.begin()
	if !other.addWatch(l.there) {
		l.here.callOff()
		_ = c.life.want(func(w *wants) { delete(w.links, other) })
		return me.sys.noActor(pid)
	}
	if l.here.over.Load() { // this instance has ended at the same moment
		l.there.callOff()
		other.dropWatch(l.there)
	}
	return nil
}

// Unlink ends the link that this instance has made to the actor of pid.
func (c *Context) Unlink(pid PID) {
	other, _ := c.life.cell.acquaint(pid)
	var l *link
	_ = c.life.want(func(w *wants) { // an instance that has ended has no links
		if l = w.links[other]; l == nil {
			for _, gone := range w.links {
				if gone.there.of(pid) {
					l = gone
				}
			}
		}
		if l != nil {
			delete(w.links, l.there.target)
		}
	})
	if l != nil {
		l.there.callOff()
		l.here.callOff()
	}
}

// link is two watches: of the other by who made the link, and the opposite.
type link struct{ there, here *watch }

// fail is what half of a link comes to.
func (w *watch) fail(why Reason) error {
	if why != Failed || w.failed.Swap(true) {
		return nil
	}
	return fmt.Errorf("%w: %s is gone", ErrLinked, w.target.label())
}
