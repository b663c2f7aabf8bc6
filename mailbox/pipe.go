package mailbox

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// piece is how much memory messages share: who keeps one keeps its piece. A larger message has memory of its own.
const piece = 3 << 10

// pipe is the bounded queue of what is to be sent to a peer in this process. It outlives connections: while there is
// one, it is lent to the other end, whose Recv takes the messages itself.
type pipe struct {
	limit     int // zero or less: none
	room      func()
	conflates bool

	closed chan struct{}

	mu      sync.Mutex      // held for moments
	queue   []zmtp.Batch    // oldest first; the last one is added to
	queued  int             // messages in it
	taken   int             // messages that the borrower has in hand
	spare   []byte          // where the next batch starts
	loan    *loan           // nil: it is not lent
	parked  bool            // the borrower is to be told of the next message
	refused bool            // a Send was, or was told that it would be, since room was last called
	over    bool            // closed
	waiters []chan struct{} // to be closed when all is taken and done

	sent, sentBytes, replaced uint64
}

// newPipe returns an empty pipe for limit messages. room is called when a message could be
// sent again after one was refused; it must be quick, and may call Send, HasRoom and Len.
func newPipe(limit int, conflates bool, room func()) *pipe {
	return &pipe{limit: limit, conflates: conflates, room: room, closed: make(chan struct{})}
}

// Send queues a copy of a message of the frames of head and those of frames, and never waits. It returns false if the
// pipe is full or closed.
func (p *pipe) Send(head, frames [][]byte) bool {
	p.mu.Lock()
	if p.over || !p.fits() {
		p.refused = true
		p.mu.Unlock()
		return false
	}
	p.put(head, frames)
	var ready func()
	if p.parked {
		p.parked = false
		ready = p.loan.ready
	}
	p.mu.Unlock()
	if ready != nil {
		ready()
	}
	return true
}

// put adds a message to the queue.
func (p *pipe) put(head, frames [][]byte) {
	if p.newest() {
		p.replaced += uint64(p.queued)
		clear(p.queue)
		p.queue, p.queued = p.queue[:0], 0
	}
	p.queued++
	size := zmtp.WireSize(head, frames)
	if size > piece {
		p.queue = append(p.queue, zmtp.Single(pack(head, frames)))
		return
	}
	if n := len(p.queue); n == 0 || !p.queue[n-1].Fits(size) {
		if cap(p.spare) < size {
			p.spare = make([]byte, 0, piece)
		}
		p.queue = append(p.queue, zmtp.NewBatch(p.spare))
		p.spare = nil
	}
	p.queue[len(p.queue)-1].Add(head, frames)
}

// pack copies a message.
func pack(head, frames [][]byte) [][]byte {
	msg := slices.Concat(head, frames)
	for i, body := range msg {
		msg[i] = append([]byte{}, body...)
	}
	return msg
}

// fits says whether there is room for a message more.
func (p *pipe) fits() bool {
	limit := p.limit
	if p.loan != nil {
		limit += min(p.loan.extra, math.MaxInt-limit)
	}
	n := p.count()
	return n == 0 || p.newest() || p.limit <= 0 || n < limit
}

// newest says whether the newest message alone counts.
func (p *pipe) newest() bool { return p.conflates || p.loan != nil && p.loan.conflates }

func (p *pipe) count() int { return p.queued + p.taken }

// HasRoom reports whether a Send would be taken now, unless the pipe is closed. If not, room is called when it would.
func (p *pipe) HasRoom() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	fits := p.fits()
	p.refused = p.refused || !fits
	return fits
}

// Len returns how many messages are not yet taken and done.
func (p *pipe) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count()
}

// Queued returns how many messages are not yet taken.
func (p *pipe) Queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queued
}

// Sent returns how many messages were taken, and the bytes in their frames.
func (p *pipe) Sent() (messages, bytes uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent, p.sentBytes
}

// Replaced returns how many messages a newer one took the place of.
func (p *pipe) Replaced() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replaced
}

// tell releases the lock, and tells those who wait for it that there is room, or that nothing is left.
func (p *pipe) tell(less bool) {
	refused := less && p.refused
	if refused {
		p.refused = false
	}
	if p.count() == 0 {
		for _, w := range p.waiters {
			close(w)
		}
		p.waiters = nil
	}
	p.mu.Unlock()
	if refused && p.room != nil {
		p.room()
	}
}

// Wait waits until all messages are taken and done. It fails with the cause of ctx's end, or with zmtp.ErrClosed if Close
// came first.
func (p *pipe) Wait(ctx context.Context) error {
	for {
		p.mu.Lock()
		if p.count() == 0 {
			p.mu.Unlock()
			return nil
		}
		empty := make(chan struct{})
		p.waiters = append(p.waiters, empty)
		p.mu.Unlock()
		select {
		case <-empty:
		case <-p.closed:
			return zmtp.ErrClosed
		case <-ctx.Done():
			p.forget(empty)
			return context.Cause(ctx)
		}
	}
}

func (p *pipe) forget(waiter chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiters, waiter); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
	}
}

// Purge drops what was not taken, and returns how many messages that were.
func (p *pipe) Purge() (dropped int) {
	p.mu.Lock()
	dropped = p.queued
	p.queue, p.queued = nil, 0
	p.tell(dropped > 0)
	return dropped
}

// Close refuses further messages and returns how many were not taken.
func (p *pipe) Close() (unsent int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return count(p.close())
}

// yield is Close for a borrower that takes what was not taken, too: it counts as sent.
func (p *pipe) yield() (rest []zmtp.Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest = p.close()
	p.tally(rest)
	return rest
}

func (p *pipe) close() (rest []zmtp.Batch) {
	if !p.over {
		p.over = true
		close(p.closed)
	}
	rest, p.queue, p.queued = p.queue, nil, 0
	return rest
}
