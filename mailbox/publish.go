package mailbox

import (
	"context"
	"fmt"
	"time"
)

// lull is how long nothing was sent to several peers before a message is written to all of them by Send itself. Those
// that come faster are left to the peers' writers, which write many at once.
const lull = 20 * time.Microsecond

// publish is Send. The frames are looked at before they are copied: what nobody subscribed to costs no memory. What
// waits, with Config.NoDrop, is tried again when any peer that was full has room.
func (p *publisher) publish(ctx context.Context, frames [][]byte) error {
	if p.try(frames) {
		return nil
	}
	for {
		turn := p.s.room.enter()
		if p.try(frames) {
			p.s.room.leave(turn)
			return nil
		}
		if err := p.s.wait(ctx, &p.s.room, turn); err != nil {
			return err
		}
	}
}

// try sends to everybody whom the message is for, or, if one of them has no room and none may be dropped, to nobody.
func (p *publisher) try(frames [][]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.round++
	p.to = p.to[:0]
	p.topics.match(frames[0], p.pick)
	if len(p.to) == 0 {
		return true
	}
	if p.s.cfg.NoDrop {
		for _, f := range p.to {
			if !f.peer.out.HasRoom() {
				return false
			}
		}
	}
	busy := len(p.to) > 1 && time.Since(p.last) < lull
	var shared [][]byte // by those whose messages become bytes, which change nothing in it
	for i, f := range p.to {
		msg := shared
		if f.near || msg == nil {
			msg = pack(0, frames)
		}
		if !f.near {
			shared = msg
		}
		taken := false
		if busy {
			taken = f.peer.out.Queue(msg)
		} else {
			taken = f.peer.out.Send(msg)
		}
		if !taken {
			p.s.drop(f.peer, Full, 1)
		}
		p.to[i] = nil
	}
	if len(p.to) > 1 {
		p.last = time.Now()
	}
	return true
}

// send is for messages that are no caller's: Socket.Send calls publish.
func (p *publisher) send(msg [][]byte) (bool, error) { return p.try(msg), nil }

func (p *publisher) recv() ([][]byte, bool, error) {
	if !p.x {
		return nil, false, fmt.Errorf("%w: a PUB only sends", ErrUnsupported)
	}
	if msg := p.notice(); msg != nil {
		return msg, true, nil
	}
	if in, msg := p.s.in.pop(); msg != nil {
		return in.unpack(nil, msg), true, nil
	}
	return nil, false, nil
}
