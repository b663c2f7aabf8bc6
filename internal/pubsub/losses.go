package pubsub

import (
	"sync/atomic"
	"time"
)

const (
	lossesEach = 500 * time.Millisecond // how often those who lost updates are told how many there were
	lossesRow  = 4096                   // of how many keys in one go
	lateKeys   = 4096                   // of how many keys those who had no room for that are told again,
	lateMost   = 1024                   // and after how many such times at most for the last time
)

// losses is what a publisher that drops updates knows of those who lost some, so that they are told: by the last value of
// the key once more, if it is kept, else by a mark, the header of the last update alone. Without, who lost the last of a
// burst would not know before the next update.
type losses struct {
	published chan struct{} // holds one if there were updates since; nil: nothing is dropped
	dropped   uint64        // those that were told of
	at        cursor        // the keys up to here were
	late      []late
	repeats   atomic.Uint64 // of what was dropped, those that told of losses
}

// late is a key of which somebody had no room to be told.
type late struct {
	key        string
	wait, next int // how many times are to pass yet, and how many the next time
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
		p.tellAgain()
		p.tell()
		if len(p.losses.late) > 0 {
			p.losses.watch()
		}
	}
}

// tell tells of the keys that were published since the last time, if anybody lost anything since then.
func (p *Publisher[T]) tell() {
	dropped := p.Dropped()
	<-p.turn
	upto := p.streams.stamp
	p.turn <- struct{}{}
	if dropped == p.losses.dropped {
		p.losses.at = cursor{stamp: upto}
		return
	}
	p.losses.dropped = dropped
	for more := true; more; {
		p.repeat(func() {
			for range lossesRow {
				next := p.losses.at
				s := p.streams.after(&next)
				if more = s != nil && s.stamp <= upto; !more {
					return
				}
				p.losses.at = next
				if !p.tellOf(s) && len(p.losses.late) < lateKeys {
					p.losses.late = append(p.losses.late, late{s.key, 0, 1})
				}
			}
		})
	}
}

// tellAgain tells of the keys that are due.
func (p *Publisher[T]) tellAgain() {
	all := p.losses.late
	if p.losses.late = nil; len(all) == 0 {
		return
	}
	p.repeat(func() {
		for _, l := range all {
			if l.wait > 0 {
				l.wait--
			} else if s := p.streams.get(l.key); s == nil || p.tellOf(s) || l.next > lateMost {
				continue
			} else {
				l.wait, l.next = l.next, 2*l.next
			}
			p.losses.late = append(p.losses.late, l)
		}
	})
}

// repeat does what sends nothing new, and has what is dropped of that counted apart.
func (p *Publisher[T]) repeat(f func()) {
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	before := p.dropped()
	f()
	p.losses.repeats.Add(p.dropped() - before)
}

// tellOf sends the last value of a key, or its mark. It reports whether all who want it had room.
func (p *Publisher[T]) tellOf(s *stream[T]) bool {
	b := appendTopic(p.buf[:0], p.cfg.Topic, s.key)
	topic := len(b)
	b = header{p.id, s.at}.append(b)
	p.buf = b
	wanted, room := p.socket.Wanted(b[:topic])
	switch {
	case !wanted:
	case p.streams.keeps:
		p.send(p.ctx, "", s.key, s.at, s.value)
	default:
		p.socket.Send(p.ctx, b[:topic], b[topic:])
	}
	return room
}
