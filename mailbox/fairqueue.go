package mailbox

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// source is where an inlet's messages come from: the queue that a connection's reader fills, or the outbox of the
// socket at the other end if that is in this process.
type source interface {
	Take(buf [][][]byte) [][][]byte
	Done(n int)
}

// inlet is what comes in over one connection. It is part of the socket's fair queue whenever something may be in it,
// and after its connection ended until it is empty.
type inlet struct {
	peer   *peer
	conn   *zmtp.Conn   // the connection
	typ    SocketType   // of the other end
	wire   bool         // bytes move over the connection
	quota  *quota       // of messages that came over the wire
	served *zmtp.Outbox // what the other end is to read, or it waits; nil: it does not
	id     []byte       // what a ROUTER calls the connection's other end
	ended  atomic.Bool  // the connection has
	pause  pause        // of reading

	// guarded by the fair queue
	src    source     // nil once the connection ended: what was in it is in rest
	batch  [][][]byte // taken from src; batch[next:] is still to be received
	next   int
	rest   [][][]byte // to be received after batch: what the other end left behind
	listed bool       // it has a place in the fair queue
	known  bool       // it is in the fair queue's inlets
	left   bool       // its messages count as left behind
}

// inletCost is about how much memory an inlet and its peer take.
const inletCost = 2 << 10

// fairQueue gives Recv the messages of all inlets, one from each in turn.
type fairQueue struct {
	waiting waiters // Recvs

	mu    sync.Mutex
	ready []*inlet // something may be in these
	turn  int      // the next one's place
	left  int64    // memory that messages take whose connection, over a wire, has ended

	got    receipts
	inlets map[*inlet]struct{} // that something was in and may be still
}

// wake notes that something is in in, which was empty.
func (q *fairQueue) wake(in *inlet) {
	q.mu.Lock()
	q.list(in)
	q.mu.Unlock()
	q.waiting.wake()
}

func (q *fairQueue) list(in *inlet) {
	if in.listed || in.ended.Load() && in.next == len(in.batch) && len(in.rest) == 0 {
		return
	}
	in.listed = true
	q.ready = append(q.ready, in)
	if !in.known {
		in.known = true
		if q.inlets == nil {
			q.inlets = make(map[*inlet]struct{})
		}
		q.inlets[in] = struct{}{}
	}
}

// unlist takes the inlet at ready[i] out.
func (q *fairQueue) unlist(i int) {
	in := q.ready[i]
	in.listed = false
	q.ready = append(q.ready[:i], q.ready[i+1:]...)
	if q.turn > i {
		q.turn--
	}
	if in.ended.Load() {
		delete(q.inlets, in)
	}
}

// pop returns the next message and where it came from, or nil if there is none.
func (q *fairQueue) pop() (*inlet, [][]byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) > 0 {
		if q.turn >= len(q.ready) {
			q.turn = 0
		}
		in := q.ready[q.turn]
		if msg := q.take(in); msg != nil {
			q.turn++
			n := zmtp.Payload(msg)
			q.got.add(1, n)
			in.peer.got.add(1, n)
			return in, msg
		}
		q.unlist(q.turn)
	}
	return nil, nil
}

// take returns the next message of in, nil if there is none or in is to wait.
func (q *fairQueue) take(in *inlet) [][]byte {
	if in.waits() {
		return nil
	}
	msg := in.pop()
	switch {
	case msg == nil && in.left:
		in.left = false
		q.left -= inletCost
	case msg == nil:
	case in.left:
		q.left -= int64(zmtp.Footprint(msg))
	case in.quota != nil:
		in.quota.give(zmtp.Footprint(msg))
	}
	return msg
}

// more says whether there may be another message.
func (q *fairQueue) more() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ready) > 0
}

// add puts msgs behind what is in in.
func (q *fairQueue) add(in *inlet, msgs [][][]byte) {
	if len(msgs) == 0 {
		return
	}
	q.mu.Lock()
	in.rest = append(in.rest, msgs...)
	q.list(in)
	q.mu.Unlock()
	q.waiting.wake()
}

// end detaches in from its source. What it had taken is still received, then rest; but if it came over a wire and what
// such connections left behind takes most bytes already, it is dropped, and end returns how many messages that were.
func (q *fairQueue) end(in *inlet, rest [][][]byte, most int64) (dropped int) {
	q.mu.Lock()
	defer q.waiting.wake()
	defer q.mu.Unlock()
	in.ended.Store(true)
	in.src = nil
	rest = append(in.batch[in.next:], rest...)
	in.batch, in.next = nil, 0
	switch {
	case len(rest) == 0 && len(in.rest) > 0:
		return 0
	case len(rest) == 0, in.wire && q.left >= most:
		q.forget(in)
		return len(rest)
	}
	if in.wire {
		in.left = true
		q.left += inletCost
		for _, msg := range rest {
			q.left += int64(zmtp.Footprint(msg))
		}
	}
	in.rest = append(rest, in.rest...)
	q.list(in)
	return 0
}

// forget takes in, which is empty and whose connection has ended, out of everything.
func (q *fairQueue) forget(in *inlet) {
	delete(q.inlets, in)
	if i := slices.Index(q.ready, in); in.listed {
		q.unlist(i)
	}
}

// clear drops what is in in, whose connection has ended, and returns how many messages that were.
func (q *fairQueue) clear(in *inlet) (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.take(in) != nil {
		dropped++
	}
	return dropped
}

// flush drops all that is there, and returns how many messages that were. It does not go on for as long as more comes.
func (q *fairQueue) flush() (dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, in := range q.ready {
		for looks := 0; looks < 3; { // at the batch, at what src has, and at rest
			if in.next == len(in.batch) {
				looks++
			}
			if q.take(in) == nil {
				break
			}
			dropped++
		}
	}
	return dropped
}

// waits says whether nothing is to be received from in for now: it does not read what it asked for.
func (in *inlet) waits() bool {
	return in.served != nil && !in.ended.Load() && in.served.Heavy(in.quota.most)
}

// pop returns the oldest message in in, nil if there is none.
func (in *inlet) pop() [][]byte {
	if in.next == len(in.batch) {
		in.refill()
		if len(in.batch) == 0 {
			return nil
		}
	}
	msg := in.batch[in.next]
	in.batch[in.next] = nil
	in.next++
	if in.src != nil {
		in.src.Done(1)
	}
	return msg
}

func (in *inlet) refill() {
	in.next = 0
	if in.src != nil {
		if in.batch = in.src.Take(in.batch); len(in.batch) > 0 {
			return
		}
	}
	in.batch, in.rest = in.rest, nil
}
