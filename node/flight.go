package node

// sent is what has a number: a message, or a part of one.
type sent struct {
	item         // of a part, frame is a piece of the message
	large *large // nil: the frame goes as it is
	first bool   // of its parts
	last  bool
}

// launch gives what comes next its number.
func (o *outbox) launch(s sent) {
	o.seq++
	o.flight.push(s)
}

// first is the number of the first in flight.
func (o *outbox) first() uint64 { return o.seq - uint64(o.flight.len()) + 1 }

// acknowledged takes out of flight what the peer has, which is what has been written up to number n.
func (o *outbox) acknowledged(n uint64) {
	first := o.first()
	if n < first {
		return
	}
	k := min(n-first+1, uint64(o.written))
	flight := o.flight.all()[:k]
	for i := range flight {
		if whole := flight[i].whole(); whole != nil {
			o.forget(whole)
		}
	}
	o.flight.cut(int(k))
	o.written -= int(k)
	o.shrunk()
}

// whole returns the message that is in flight with s and what went before it, nil if more of it has to follow.
func (s *sent) whole() *item {
	switch {
	case s.large == nil:
		return &s.item
	case s.last:
		return &s.large.item
	}
	return nil
}

// abandon gives up what is in flight, and what has gone in part.
func (o *outbox) abandon() (unconfirmed []item) {
	for _, s := range o.flight.all() {
		if whole := s.whole(); whole != nil {
			unconfirmed = append(unconfirmed, *whole)
		}
	}
	o.flight.cut(o.flight.len())
	o.written = 0
	unconfirmed = append(unconfirmed, o.stray()...)
	o.giveUp(unconfirmed)
	return unconfirmed
}

// acknowledge returns the number of the last message that the peer has sent, to be told to it.
func (o *outbox) acknowledge() uint64 {
	seen := o.seen.Load()
	o.told.Store(seen)
	return seen
}

// heard is told of an acknowledgement.
func (o *outbox) heard(ack uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acknowledged(ack)
}

// resume goes on with what is in flight: the peer has it up to seq.
func (o *outbox) resume(seq uint64) {
	o.written = o.flight.len()
	o.acknowledged(seq)
	o.written = 0
}
