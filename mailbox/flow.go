package mailbox

import (
	"context"
	"sync"
	"sync/atomic"
)

// flow is one direction of a proxy.
type flow struct {
	from, to, capture *Socket
	counts            *proxyCounts
	missed            *atomic.Uint64 // messages not captured
	taking            sync.Mutex     // held while a message is received
}

// run passes messages on until ctx ends or one of the sockets is closed, and returns which it was.
func (f *flow) run(ctx context.Context, control *ProxyControl) error {
	for {
		taking, err := control.permit(ctx)
		if err != nil {
			return err
		}
		for taking.Err() == nil {
			if err := f.next(ctx, taking); err != nil && taking.Err() == nil {
				return err
			}
		}
	}
}

// next passes a message on, if there is room for it.
func (f *flow) next(ctx, taking context.Context) error {
	if err := f.to.waitRoom(taking); err != nil {
		return err
	}
	msg, err := f.take(taking)
	if msg == nil || err != nil {
		return err
	}
	return f.pass(ctx, msg)
}

// take is Recv, but returns nil once taking has ended, or there is no room for what comes.
func (f *flow) take(taking context.Context) ([][]byte, error) {
	f.taking.Lock()
	defer f.taking.Unlock()
	waiting := &f.from.in.waiting
	entered := false
	for taking.Err() == nil {
		if f.from.closed.Load() {
			return nil, ErrClosed
		}
		if !f.to.hasRoom() {
			break
		}
		msg, ok, err := f.from.pattern.recv()
		if !ok && err == nil {
			entered = true
			turn := waiting.enter()
			if msg, ok, err = f.from.pattern.recv(); ok || err != nil {
				waiting.leave(turn)
			} else if err := f.from.wait(taking, waiting, turn); err != nil {
				return nil, err
			} else {
				continue
			}
		}
		if entered {
			waiting.wake() // there may be more
		}
		if err == nil {
			f.counts.receivedBytes.Add(size(msg))
			f.counts.received.Add(1)
		}
		return msg, err
	}
	waiting.wake() // the turn was perhaps taken from somebody who has room
	return nil, nil
}

// pass sends a message that is the proxy's own. It fails if the socket that it is for is closed, or ctx ends before that
// has room; a message that the socket refuses is no failure.
func (f *flow) pass(ctx context.Context, msg [][]byte) error {
	bytes := size(msg)
	if f.capture != nil && !f.capture.sees(msg) { // before it is passed on, so that no answer is seen first
		f.missed.Add(1)
	}
	if err := f.to.Send(ctx, msg...); err != nil {
		f.counts.lost.Add(1)
		if f.to.closed.Load() {
			return ErrClosed
		}
		return ctx.Err()
	}
	f.counts.sentBytes.Add(bytes)
	f.counts.sent.Add(1)
	return nil
}

// size returns how many bytes are in the frames of msg.
func size(msg [][]byte) (n uint64) {
	for _, frame := range msg {
		n += uint64(len(frame))
	}
	return n
}

// sees sends a capture a copy of msg without waiting. It reports whether there was room.
func (s *Socket) sees(msg [][]byte) bool {
	ok, err := s.offer(msg)
	return ok && err == nil
}

// waitRoom waits until a Send would not have to, were it the only one. It fails when ctx ends or the socket is closed.
func (s *Socket) waitRoom(ctx context.Context) error {
	if s.hasRoom() {
		return nil
	}
	for {
		turn := s.room.enter()
		if s.hasRoom() {
			s.room.leave(turn)
			s.room.wake() // the turn was perhaps taken from somebody who sends
			return nil
		}
		if err := s.wait(ctx, &s.room, turn); err != nil {
			return err
		}
	}
}

// hasRoom says whether a Send would not have to wait. If it would, room is woken when that changes.
func (s *Socket) hasRoom() bool {
	switch p := s.pattern.(type) {
	case *dealer:
		return p.out.hasRoom()
	case *push:
		return p.out.hasRoom()
	case *pair:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.with != nil && p.with.present() && p.with.out.HasRoom()
	}
	return true // it drops, or its waits are rare and short
}

// hasRoom says whether one of the peers that count has room.
func (b *balancer) hasRoom() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.peers {
		if p.present() && p.out.HasRoom() {
			return true
		}
	}
	return false
}
