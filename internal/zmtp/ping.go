package zmtp

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// pings are the calls of Ping of a connection. One PING of theirs is under way at a time, and its PONG answers every
// call whose turn had come when it was sent: so there is no more than one to remember, and a peer that keeps only the
// last PING that it has to answer, as libzmq does, answers all that matter.
type pings struct {
	asked   atomic.Uint64 // the last call's number
	reached atomic.Uint64 // what calls up to this one wanted to be written first is written

	mu      sync.Mutex
	outbox  *Outbox // that serves the connection, or is going to
	flying  uint64  // number in the PING under way; 0: there is none
	waiters []pingWaiter
}

type pingWaiter struct {
	number uint64
	back   chan struct{} // closed by the PONG
}

// Ping sends the peer a PING and returns when its PONG is here: whatever was written before has been read by the peer
// then, and acted upon if it does that in order. It comes after all that an Outbox that serves c has accepted, but
// Outbox.Ping must be used while Serve may not have begun. It may be called from many goroutines at once, which share
// PINGs. It returns nil at once if the peer speaks ZMTP 3.0, which has no PING; otherwise the cause of ctx's end, or c's
// error when c ends. Somebody must read c meanwhile.
func (c *Conn) Ping(ctx context.Context) error { return c.pingAfter(ctx, nil) }

// Ping is c.Ping after all that the outbox has accepted. If the outbox does not serve c yet, it waits until it does.
func (o *Outbox) Ping(ctx context.Context, c *Conn) error { return c.pingAfter(ctx, o) }

func (c *Conn) pingAfter(ctx context.Context, o *Outbox) error {
	if c.peer.Minor == 0 {
		return nil
	}
	p := &c.pings
	back := make(chan struct{})
	p.mu.Lock()
	if o == nil {
		o = p.outbox
	}
	p.outbox = o // with the number: who has no outbox to go through must not let those pass that have
	number := p.asked.Load() + 1
	p.waiters = append(p.waiters, pingWaiter{number, back})
	p.asked.Store(number)
	p.mu.Unlock()
	if o != nil {
		o.signal()
	} else {
		c.reached(number)
	}
	select {
	case <-back:
		return nil
	case <-c.done:
		return c.cause
	case <-ctx.Done():
		p.forget(back)
		return context.Cause(ctx)
	}
}

// servedBy notes that calls are to wait for what o holds.
func (p *pings) servedBy(o *Outbox) {
	p.mu.Lock()
	p.outbox = o
	p.mu.Unlock()
}

// reached lets calls up to number have their PING: what has to be written before it is.
func (c *Conn) reached(number uint64) {
	p := &c.pings
	if number <= p.reached.Load() {
		return
	}
	p.mu.Lock()
	p.reached.Store(max(number, p.reached.Load()))
	send := p.flying == 0
	if send {
		c.launch()
	}
	p.mu.Unlock()
	if send {
		c.answer()
	}
}

// launch hands the writer a PING for all calls whose turn has come. The caller holds the lock.
func (c *Conn) launch() {
	c.pings.flying = c.pings.reached.Load()
	c.askWith(c.pings.flying)
}

// askWith hands the writer a PING with a number, or, if that is 0, without. The caller holds the lock.
func (c *Conn) askWith(number uint64) {
	body := make([]byte, 2, 10)
	binary.BigEndian.PutUint16(body, c.beat.ttl)
	if number > 0 {
		body = binary.BigEndian.AppendUint64(body, number)
	}
	c.writer.ping.Store(&body)
}

// sendPing sends a PING for the heartbeat. It goes in place of one of Ping's that is not on its way yet, and a peer may
// answer the last PING only, so it repeats what that one says.
func (c *Conn) sendPing() {
	c.pings.mu.Lock()
	c.askWith(c.pings.flying)
	c.pings.mu.Unlock()
	c.answer()
}

// ponged is told of a PONG. One that nobody waits for is a sign of life and no more.
func (c *Conn) ponged(context []byte) {
	if len(context) != 8 {
		return
	}
	p := &c.pings
	p.mu.Lock()
	number := binary.BigEndian.Uint64(context)
	if number != p.flying || number == 0 {
		p.mu.Unlock()
		return
	}
	p.flying = 0
	waiting := p.waiters[:0]
	for _, w := range p.waiters {
		if w.number <= number {
			close(w.back)
		} else {
			waiting = append(waiting, w)
		}
	}
	clear(p.waiters[len(waiting):])
	p.waiters = waiting
	again := p.reached.Load() > number
	if again {
		c.launch()
	}
	p.mu.Unlock()
	if again {
		c.answer()
	}
}

// forget is called when a caller does not wait any longer.
func (p *pings) forget(back chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, w := range p.waiters {
		if w.back == back {
			last := len(p.waiters) - 1
			p.waiters[i] = p.waiters[last]
			p.waiters[last] = pingWaiter{}
			p.waiters = p.waiters[:last]
			return
		}
	}
}
