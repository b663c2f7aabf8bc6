package pubsub

import (
	"time"
)

const (
	lossesEach = 500 * time.Millisecond // how often those who lost updates are told how many there were
	lateKeys   = 4096                   // of how many keys those who had no room for that are told again
)

// losses is what a publisher that drops updates knows of those who lost some, so that they are told: by the last value of
// the key once more, if it is kept, else by a mark, the header of the last update alone. Without, who lost the last of a
// burst would not know before the next update.
type losses struct {
	published chan struct{} // holds one if there were updates since; nil: nothing is dropped
	dropped   uint64        // those that were told of
	at        cursor        // the keys up to here were
	late      []string      // but somebody had no room
}

// watch notes that an update was sent.
func (l *losses) watch() {
	select {
	case l.published <- struct{}{}:
	default:
	}
}

// tellLosses tells of losses until the publisher is closed.
func (p *Publisher[T]) tellLosses() {
	for {
		select {
		case <-p.losses.published:
		case <-p.ctx.Done():
			return
		}
		select {
		case <-time.After(lossesEach):
		case <-p.ctx.Done():
			return
		}
		p.mark()
	}
}

// mark marks the keys that were published since the last time, if anybody lost anything since then.
func (p *Publisher[T]) mark() {
	dropped := p.Dropped()
	late := p.losses.late
	p.losses.late = nil
	for len(late) > 0 {
		late = p.markKeys(late)
	}
	<-p.turn
	upto := p.streams.stamp
	p.turn <- struct{}{}
	if dropped == p.losses.dropped {
		p.losses.at = cursor{stamp: upto}
	} else {
		for p.markSome(upto) {
		}
		p.losses.dropped = p.Dropped() // some marks perhaps were
	}
	if len(p.losses.late) > 0 {
		p.losses.watch()
	}
}

// markKeys marks some of the keys, if there is room for that now, and returns the others.
func (p *Publisher[T]) markKeys(keys []string) (rest []string) {
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	n := min(portion, len(keys))
	for _, key := range keys[:n] {
		if s := p.streams.get(key); s != nil {
			p.sendMark(s, false)
		}
	}
	return keys[n:]
}

// markSome marks some of the keys that were published since the last time, up to a stamp. It reports whether there are
// more.
func (p *Publisher[T]) markSome(upto uint64) bool {
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	for range portion {
		next := p.losses.at
		s := p.streams.after(&next)
		if s == nil || s.stamp > upto {
			return false
		}
		p.losses.at = next
		p.sendMark(s, true)
	}
	return true
}

// sendMark sends the mark of a key to those who have room; if some have not, to nobody, unless it is the first time.
func (p *Publisher[T]) sendMark(s *stream[T], first bool) {
	b := appendTopic(p.buf[:0], p.cfg.Topic, s.key)
	topic := len(b)
	b = header{p.id, s.at}.append(b)
	p.buf = b
	wanted, room := p.socket.Wanted(b[:topic])
	switch {
	case !wanted, !room && !first:
	case p.streams.keeps:
		p.send(p.ctx, "", s.key, s.at, s.value)
	default:
		p.socket.Send(p.ctx, b[:topic], b[topic:])
	}
	if !room && len(p.losses.late) < lateKeys {
		p.losses.late = append(p.losses.late, s.key)
	}
}
