package actor

import "reflect"

// letter is a message in the queue of an actor that takes an M.
type letter[M any] struct {
	value M
	from  *cell // nil: from outside, or from elsewhere (see body)
	more  *more // nil: a Tell of an M
}

// open handles what is more than the Tell of an M.
func (b *inbox[M]) open(l *letter[M]) error {
	x := l.more
	switch alien := x.alien.(type) {
	case nil:
	case stopMark:
		return errStopMark
	case *callback:
		err := alien.turn(b.life.Load())
		if err == nil {
			b.counts.other.Add(1)
		}
		return err
	case *body:
		b.far = true
		if alien.opened { // and was stashed
			break
		}
		if err := decode(alien, b.typeName, &l.value); err != nil {
			return err
		}
		alien.opened = true
	default:
		m, err := open[M](alien, b.typeName)
		if err != nil {
			return err
		}
		l.value = m
	}
	if x.post != nil {
		return b.receive(&b.life.Load().told, l.value)
	}
	x.hand.life = b.life.Load()
	err := b.receive(&x.hand, l.value)
	if err == nil && (b.aside == nil || !b.aside.keep) {
		if waits := x.hand.turn.end(); waits != nil {
			waits.fail(ErrNoReply)
		}
	}
	return err
}

// settle is what comes of the message in hand when its handler failed with err. False: the actor is gone.
func (b *inbox[M]) settle(err error) (alive bool) {
	l := &b.batch[b.next-1]
	if err == errStopMark {
		b.end(Stopped)
		return false
	}
	err = sane(err)
	if (l.more == nil || l.more.hand.turn.asker == nil) && onlyTold(err) {
		b.handled(l)
		return true
	}
	if b.aside != nil {
		b.aside.keep = false
	}
	if bad, ok := err.(*misfit); ok {
		b.drop(l, bad.reason, bad.err)
		b.done()
		return true
	}
	b.drop(l, Failed, &failedError{err})
	b.done()
	return b.failed(err)
}

// handled is the end of a turn whose handler returned no more than that nobody waits for its reply.
func (b *inbox[M]) handled(l *letter[M]) {
	if l.more != nil && l.more.control() {
		b.counts.other.Add(1)
	}
	if b.aside != nil && b.setAside(l) {
		return
	}
	*l = letter[M]{}
	b.queue.Done(1)
}

// done makes room for another message, and keeps nothing of the one in hand, which was not handled.
func (b *inbox[M]) done() {
	b.counts.other.Add(1)
	b.batch[b.next-1] = letter[M]{}
	b.queue.Done(1)
	if b.aside != nil && b.aside.back {
		b.putBack()
	}
}

// drop makes a dead letter of l, and tells its asker why.
func (b *inbox[M]) drop(l *letter[M], reason Reason, err error) {
	b.cell.drop(b.message(l), reason, err)
}

// message is l as it looks to those who don't know M.
func (b *inbox[M]) message(l *letter[M]) message {
	m := message{value: l.value, from: l.from, more: l.more}
	if l.more != nil && l.more.alien != nil {
		m.value = nil
	}
	return m
}

// letter is the opposite.
func (b *inbox[M]) letter(m message) letter[M] {
	l := letter[M]{from: m.from, more: m.more}
	if m.more != nil && m.more.alien != nil {
		return l
	}
	var ok bool
	if l.value, ok = m.value.(M); !ok && (m.value != nil || !nillable(reflect.TypeFor[M]())) {
		if l.more == nil {
			l.more = new(more)
		}
		l.more.alien = foreign{m.value}
	}
	return l
}

func (b *inbox[M]) dropBatch() {
	b.putBack()
	for ; b.next < len(b.batch); b.next++ {
		b.drop(&b.batch[b.next], Stopped, b.stoppedError())
	}
	b.batch, b.next = nil, 0
}

func (b *inbox[M]) dropQueue() {
	rest := b.queue.Close()
	for i := range rest {
		b.drop(&rest[i], Stopped, b.stoppedError())
	}
}
