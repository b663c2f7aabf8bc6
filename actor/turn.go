package actor

import "sync/atomic"

// turn is the right to answer one Ask. It belongs to the handler until that returns, and then to the runtime; whoever
// comes second or too late, from whatever goroutine, finds it taken. Of a Tell there is none: its asker is nil.
type turn struct {
	asker asker
	state atomic.Uint32
}

const (
	turnOpen  uint32 = iota
	turnBusy         // a Reply is under way
	turnLeft         // a Reply is under way, and the handler has returned
	turnTaken        // answered, or the runtime's
)

// reply answers with v, or refuses with the error v.
func (t *turn) reply(v any) error {
	return t.answer(func(a asker) error {
		if err, ok := v.(error); ok {
			a.refuse(sane(err))
			return nil
		}
		return a.reply(v)
	})
}

// answer calls reply, which answers, if nobody did so before. What it could not send may be tried again.
func (t *turn) answer(reply func(asker) error) (err error) {
	if !t.state.CompareAndSwap(turnOpen, turnBusy) {
		return ErrNotAsked
	}
	sent := false
	defer func() { // reply may have panicked
		switch {
		case sent:
			t.state.Store(turnTaken)
		case !t.state.CompareAndSwap(turnBusy, turnOpen):
			t.asker.fail(ErrNoReply) // the handler has returned: this was the last chance
		}
	}()
	err = reply(t.asker)
	sent = err == nil
	return err
}

// end is the end of the handler. It returns who still waits, nil if nobody does.
func (t *turn) end() asker {
	for t.asker != nil {
		switch {
		case t.state.CompareAndSwap(turnOpen, turnTaken):
			return t.asker
		case t.state.CompareAndSwap(turnBusy, turnLeft), t.state.Load() == turnTaken:
			return nil
		}
	}
	return nil
}
