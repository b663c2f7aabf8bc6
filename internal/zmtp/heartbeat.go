package zmtp

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// heartbeat finds a peer that is gone without a word. It sends a PING each interval, as libzmq does; whatever comes is a
// sign of life. One timer is all it has: reading costs it two additions each time the system is asked for bytes, however
// many messages these are, and writing nothing.
//
// A verdict needs a reader that was waiting for bytes, and got none, from before the PING until after the timeout. While
// nobody reads, because those who are to have the messages don't take them, there is none: the PONG may lie unread in
// the system's buffer.
type heartbeat struct {
	interval, timeout time.Duration
	ttl               uint16 // told to the peer, in tenths of a second; 0: nothing is
	timer             *time.Timer

	due     time.Time // when the timer was to fire
	next    time.Time // when the next PING is due
	pending bool      // one is out, and nothing has come since as far as we know
	mark    uint32    // reader.turn before that one
	verdict time.Time // when the connection ends if that has not changed
}

// turn counts what a reader does: it is odd while the reader waits for bytes. Nobody counts without a heartbeat.
type turn struct {
	counts bool
	n      atomic.Uint32
}

func (t *turn) wait() { t.add(1) }
func (t *turn) over() { t.add(1) }
func (t *turn) back() { t.add(^uint32(0)) } // as if it had not waited

func (t *turn) add(n uint32) {
	if t.counts {
		t.n.Add(n)
	}
}

// startHeartbeat is called before anything is read. A peer of ZMTP 3.0 knows no PING, and one in this process cannot be
// gone without a word.
func (c *Conn) startHeartbeat(cfg *Config) {
	if cfg.Heartbeat == 0 || c.peer.Minor == 0 || c.Attached() != nil {
		return
	}
	b := &c.beat
	b.interval, b.timeout, b.ttl = cfg.Heartbeat, cfg.HeartbeatTimeout, deciseconds(cfg.HeartbeatTTL)
	c.reader.turn.counts = true
	b.next = time.Now().Add(b.interval)
	b.due = b.next
	b.timer = time.AfterFunc(time.Hour, c.beats) // for beats to find it set
	b.timer.Reset(b.interval)
}

// deciseconds is d as a PING has it, rounded up.
func deciseconds(d time.Duration) uint16 {
	const unit = time.Second / 10
	return uint16((d + unit - 1) / unit)
}

// beats is what the timer calls.
func (c *Conn) beats() {
	b, now := &c.beat, time.Now()
	if b.pending && !now.Before(b.verdict) {
		switch n := c.reader.turn.n.Load(); {
		case n != b.mark, n%2 == 0: // something came, or nobody looks
			b.pending = false
		case now.Sub(b.due) > b.timeout/2: // this process was held up: what it has missed is given time to be read
			b.verdict = now.Add(b.timeout)
		default:
			c.fail(fmt.Errorf("zmtp: peer is silent, for %v after a PING: %w", b.timeout, os.ErrDeadlineExceeded))
			return
		}
	}
	if !now.Before(b.next) {
		b.next = now.Add(b.interval)
		if n := c.reader.turn.n.Load(); !b.pending || n != b.mark {
			b.pending, b.mark, b.verdict = true, n, now.Add(b.timeout)
		}
		c.sendPing() // after the mark: the PONG must make a difference
	}
	b.due = b.next
	if b.pending && b.verdict.Before(b.due) {
		b.due = b.verdict
	}
	b.timer.Reset(time.Until(b.due))
	if c.Err() != nil {
		b.timer.Stop() // fail may have done so before the Reset
	}
}

// stop is called when the connection has ended.
func (b *heartbeat) stop() {
	if b.timer != nil {
		b.timer.Stop()
	}
}
