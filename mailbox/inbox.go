package mailbox

import (
	"context"
	"math"
	"sync"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// inbox is what came over one connection and was not yet received, bounded in number and in memory. One goroutine fills
// it, and one at a time takes.
type inbox struct {
	limit int
	most  int64

	mu       sync.Mutex // held for moments
	queue    []zmtp.Batch
	messages int // in queue, and taken and not done
	bytes    int64
	parked   bool          // who takes found nothing, and is to be told
	paused   bool          // who fills waits for room: what the peer answers is not read
	begun    chan struct{} // closed when paused is set; nil: nobody waits for that
	room     chan struct{} // there is some
}

func newInbox(limit int, most int64) *inbox {
	return &inbox{limit: limit, most: most, parked: true, room: make(chan struct{}, 1)}
}

// wait waits for room, or until ctx or c ends, and returns for how many messages there is: none if ctx has ended. What is
// left of a connection that has ended is little, and there is room for all of it: nobody may come to make any, and until
// it is taken the end is not acted upon.
func (b *inbox) wait(ctx context.Context, c *zmtp.Conn) int {
	if n := b.free(); n > 0 {
		return n
	}
	for {
		select {
		case <-b.room:
		case <-c.Done():
			return b.all()
		case <-ctx.Done():
			return 0
		}
		if n := b.free(); n > 0 {
			return n
		}
	}
}

// free returns for how many messages there is room. If that is for none, room gets a signal when half of it is free.
func (b *inbox) free() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.all() - b.messages
	if b.bytes >= b.most {
		n = 0
	}
	if b.paused = n <= 0; b.paused && b.begun != nil {
		close(b.begun)
		b.begun = nil
	}
	return n
}

// all is for how many messages there is room in an empty inbox.
func (b *inbox) all() int {
	if b.limit <= 0 {
		return math.MaxInt
	}
	return b.limit
}

// put adds batches, whatever room there is. If wake is true, who takes found nothing last and is to be told.
func (b *inbox) put(batches ...zmtp.Batch) (wake bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range batches {
		b.messages += batches[i].Len()
		b.bytes += int64(batches[i].Size())
	}
	b.queue = append(b.queue, batches...)
	wake, b.parked = b.parked, false
	return wake
}

// replace is a put of one message in the place of all that was not taken, and returns how many that were.
func (b *inbox) replace(msg zmtp.Batch) (dropped int, wake bool) {
	b.mu.Lock()
	for i := range b.queue {
		dropped += b.queue[i].Len()
		b.bytes -= int64(b.queue[i].Size())
	}
	b.messages -= dropped
	clear(b.queue)
	b.queue = b.queue[:0]
	b.mu.Unlock()
	return dropped, b.put(msg)
}

// Take is the fair queue's.
func (b *inbox) Take(buf []zmtp.Batch) []zmtp.Batch {
	clear(buf)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) == 0 {
		b.parked = true
		b.queue = buf[:0]
		return nil
	}
	batches := b.queue
	b.queue = buf[:0]
	return batches
}

// Done is the fair queue's, too.
func (b *inbox) Done(messages, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages -= messages
	b.bytes -= int64(bytes)
	if b.paused && b.messages <= b.limit/2 && b.bytes <= b.most/2 { // not for each: it would be woken for each
		b.paused = false
		select {
		case b.room <- struct{}{}:
		default: // it has not seen the last one, as its ctx ended
		}
	}
}

// Len is how many messages are to be received, or in hand.
func (b *inbox) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.messages
}

// pause returns a channel that is closed when who fills has to wait for room, and whether they do now.
func (b *inbox) pause() (begun chan struct{}, now bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begun == nil {
		b.begun = make(chan struct{})
	}
	return b.begun, b.paused
}
