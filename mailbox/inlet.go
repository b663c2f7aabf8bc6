package mailbox

import (
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// source is where an inlet's messages come from: an inbox that a connection's reader fills, or the pipe of the socket at
// the other end if that is in this process.
type source interface {
	// Take returns all that is there, oldest first, in exchange for an earlier result, all of it done, or nil. If that is
	// nothing, whoever comes with something wakes the inlet.
	Take(buf []zmtp.Batch) []zmtp.Batch
	// Done tells that so much of what was taken was received, which makes room.
	Done(messages, bytes int)
}

// inlet is what comes in over one connection. It is part of the socket's fair queue whenever something may be in it,
// and after its connection ended until it is empty.
type inlet struct {
	peer   *peer
	conn   *zmtp.Conn   // the connection
	typ    SocketType   // of the other end
	wire   bool         // bytes move over the connection
	inbox  *inbox       // where these go; nil: the other end is in this process
	lead   lead         // of reading them
	served *zmtp.Outbox // what the other end is to read, or it waits; nil: it does not
	id     []byte       // what a ROUTER calls the connection's other end
	hwm    int          // of src
	ended  atomic.Bool  // the connection has

	// guarded by the fair queue
	src     source       // nil once the connection ended: what was in it is in rest
	batches []zmtp.Batch // taken from src; batches[0] is to be received next
	taken   []zmtp.Batch // batches, from their first one on
	rest    []zmtp.Batch // to be received after that: what the other end left behind
	done    int          // messages received that src was not told of
	freed   int          // memory of these
	listed  bool         // it has a place in the fair queue
	before  *inlet       // is to be empty first; it has ended
	known   bool         // it is in the fair queue's inlets
	left    bool         // its messages count as left behind
}

// inletCost is about how much memory an inlet and its peer take.
const inletCost = 2 << 10

const (
	portion      = 64       // messages received before their source is told, or a quarter of its high-water mark,
	portionBytes = 64 << 10 // or so much memory, or all that it had
)

// pop returns the oldest message in in, behind lead nil frames, and about how much memory it takes; nil if there is none.
func (in *inlet) pop(lists *zmtp.Lists, lead int) (msg [][]byte, size int) {
	if len(in.batches) == 0 && !in.refill() {
		return nil, 0
	}
	b := &in.batches[0]
	size = b.Size()
	msg = b.Next(lists, lead)
	size -= b.Size()
	if b.Len() == 0 {
		in.batches = in.batches[1:]
	}
	if in.src == nil {
		return msg, size
	}
	in.done++
	in.freed += size
	if len(in.batches) == 0 || in.done >= portion || in.freed >= portionBytes || in.hwm > 0 && in.done >= in.hwm/4 {
		in.src.Done(in.done, in.freed)
		in.done, in.freed = 0, 0
	}
	return msg, size
}

// refill gets batches, and reports whether there are any.
func (in *inlet) refill() bool {
	if in.src != nil {
		in.taken = in.src.Take(in.taken)
		in.batches = in.taken
	}
	if len(in.batches) == 0 {
		in.batches, in.rest = in.rest, nil
	}
	return len(in.batches) > 0
}

// waits says whether nothing is to be received from in for now: it does not read what it asked for.
func (in *inlet) waits() bool {
	return in.served != nil && !in.ended.Load() && in.served.Heavy(in.inbox.most)
}

// detach ends in's dealings with its source, and returns what is left of what it took.
func (in *inlet) detach() (left []zmtp.Batch) {
	left = in.batches
	in.src, in.batches, in.taken = nil, nil, nil
	return left
}

// waiting is how many messages are to be received from in, but for those that a sender in this process still has.
func (in *inlet) waiting() int {
	if in.src != nil && in.inbox != nil {
		return in.inbox.Len() - in.done
	}
	return count(in.batches) + count(in.rest)
}

// count is how many messages are in batches.
func count(batches []zmtp.Batch) (n int) {
	for i := range batches {
		n += batches[i].Len()
	}
	return n
}
