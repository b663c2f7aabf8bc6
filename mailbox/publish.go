package mailbox

import (
	"fmt"
	"time"
)

// lull is how long nothing was sent to several peers before a message is written to all of them by Send itself. Those
// that come faster are left to the peers' writers, which write many at once.
const lull = 20 * time.Microsecond

// noticesInARow is how many notices Recv gives before it looks for a message: there may be no end of them.
const noticesInARow = 16

// send sends to everybody whom the message is for, or, if one of them has no room and none may be dropped, to nobody.
// The frames are looked at before anything else: what nobody subscribed to costs next to nothing.
func (p *publisher) send(frames [][]byte) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.round++
	p.to = p.to[:0]
	p.topics.match(frames[0], p.pick)
	if len(p.to) == 0 {
		return true, nil
	}
	several := len(p.to) > 1
	if p.s.cfg.NoDrop && several {
		for _, f := range p.to {
			if !f.peer.out.HasRoom() {
				return false, nil
			}
		}
	}
	busy := several && time.Since(p.last) < lull
	for i, f := range p.to {
		taken := false
		if busy && !f.near {
			taken = f.peer.wire.Queue(nil, frames)
		} else {
			taken = f.peer.send(nil, frames)
		}
		p.to[i] = nil
		switch {
		case taken:
		case p.s.cfg.NoDrop && !several:
			return false, nil
		default:
			p.s.drop(f.peer, Full, 1)
		}
	}
	if several {
		p.last = time.Now()
	}
	return true, nil
}

// Wanted reports whether a message that starts with the frame topic would go to anybody if a PUB or XPUB sent it now, and
// whether all whom it would go to have room for it. So who publishes need not make what nobody subscribed to. It never
// waits and allocates nothing. A socket that is closed, or of another pattern, has nobody.
func (s *Socket) Wanted(topic []byte) (wanted, room bool) {
	p, ok := s.pattern.(*publisher)
	if !ok || s.closed.Load() {
		return false, true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.round++
	p.to = p.to[:0]
	p.topics.match(topic, p.pick)
	room = true
	for i, f := range p.to {
		wanted = true
		room = room && f.peer.out.HasRoom()
		p.to[i] = nil
	}
	return wanted, room
}

func (p *publisher) recv() ([][]byte, bool, error) {
	if !p.x {
		return nil, false, fmt.Errorf("%w: a PUB only sends", ErrUnsupported)
	}
	some := p.s.in.more() // or what has come since the notices were looked at would go before the notices that came before it
	if p.row.Add(1) <= noticesInARow {
		if msg := p.notice(); msg != nil {
			return msg, true, nil
		}
	}
	p.row.Store(0)
	if some {
		if _, msg := p.s.in.pop(); msg != nil {
			return msg, true, nil
		}
	}
	msg := p.notice()
	return msg, msg != nil, nil
}
