package actor

import "fmt"

// Later is an Ask that is answered after its handler has returned, in a callback for example.
type Later struct {
	life *life
	turn turn
}

// ReplyLater takes the Ask in hand: from now on Later.Reply answers it, and Context.Reply does not. If this instance of
// the actor ends before, the asker gets ErrClosed. Of a Tell, or an Ask that was answered, it makes a Later that nobody
// waits for.
func (c *Context) ReplyLater() *Later {
	l := &Later{life: c.life}
	if c.turn.asker == nil {
		return l
	}
	_ = c.turn.answer(func(a asker) error {
		l.turn.asker = a
		if c.life.want(func(w *wants) { w.laters[l] = struct{}{} }) != nil {
			l.callOff() // the instance has ended
		}
		return nil
	})
	return l
}

// Reply is Context.Reply for this Ask. It may be called by any goroutine, and fails with ErrNotAsked if nobody waits: after
// another Reply, or when the instance has ended.
func (l *Later) Reply(v any) error {
	if l.turn.asker == nil {
		return errTold
	}
	err := l.turn.reply(v)
	if err == nil {
		_ = l.life.want(func(w *wants) { delete(w.laters, l) })
	}
	return err
}

// fail is for what is no refusal.
func (l *Later) fail(err error) {
	if waits := l.turn.end(); waits != nil {
		waits.fail(err)
		_ = l.life.want(func(w *wants) { delete(w.laters, l) })
	}
}

func (l *Later) callOff() {
	if waits := l.turn.end(); waits != nil {
		waits.fail(fmt.Errorf("%w: %s ended before it replied", ErrClosed, l.life.cell.label()))
	}
}
