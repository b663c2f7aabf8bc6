package mailbox

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// fairQueue gives Recv the messages of all inlets, one from each in turn.
type fairQueue struct {
	waiting waiters // Recvs

	sole    sole
	leading atomic.Pointer[inlet] // a Recv reads its connection
	some    atomic.Bool           // ready is not empty

	mu    sync.Mutex
	ready []*inlet // something may be in these
	turn  int      // the next one's place
	left  int64    // memory that messages take whose connection, over a wire, has ended

	lists  zmtp.Lists
	head   int // nil frames before a message's
	got    receipts
	inlets map[*inlet]struct{} // that something was in and may be still
}

// wake notes that something is in in, which was empty.
func (q *fairQueue) wake(in *inlet) {
	q.enlist(in)
	q.waiting.wake()
}

// enlist notes that something is in in, which was empty, and that somebody is about to take it.
func (q *fairQueue) enlist(in *inlet) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list(in)
}

func (q *fairQueue) list(in *inlet) {
	if in.listed || in.ended.Load() && len(in.batches) == 0 && len(in.rest) == 0 {
		return
	}
	in.listed = true
	q.ready = append(q.ready, in)
	q.some.Store(true)
	if !in.known {
		in.known = true
		if q.inlets == nil {
			q.inlets = make(map[*inlet]struct{})
		}
		q.inlets[in] = struct{}{}
	}
}

// interrupt lets the Recv that reads a connection look for its turn.
func (q *fairQueue) interrupt() {
	if in := q.leading.Load(); in != nil {
		in.conn.Interrupt()
	}
}

// follow makes in's messages come after what its peer's connection before, which has ended, left behind: the peer has sent
// them later.
func (q *fairQueue) follow(in, before *inlet) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for before != nil && !before.listed { // it is empty, and the one before that perhaps not
		before = before.before
	}
	in.before = before
}

// unlist takes the inlet at ready[i] out.
func (q *fairQueue) unlist(i int) {
	in := q.ready[i]
	in.listed = false
	q.ready = append(q.ready[:i], q.ready[i+1:]...)
	q.some.Store(len(q.ready) > 0)
	if q.turn > i {
		q.turn--
	}
	if in.ended.Load() {
		delete(q.inlets, in)
	}
}

// pop returns the next message and where it came from, or nil if there is none.
func (q *fairQueue) pop() (*inlet, [][]byte) {
	if !q.some.Load() {
		return nil, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.ready) > 0 {
		if q.turn >= len(q.ready) {
			q.turn = 0
		}
		in := q.ready[q.turn]
		if in.before != nil {
			if in.before.listed {
				q.turn++
				continue
			}
			in.before = nil
		}
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
	msg, size := in.pop(&q.lists, q.head)
	switch {
	case !in.left:
	case msg == nil:
		in.left = false
		q.left -= inletCost
	default:
		q.left -= int64(size)
	}
	return msg
}

// more says whether there may be another message.
func (q *fairQueue) more() bool { return q.some.Load() }

// add puts batches behind what is in in.
func (q *fairQueue) add(in *inlet, batches []zmtp.Batch) {
	if len(batches) == 0 {
		return
	}
	q.mu.Lock()
	in.rest = append(in.rest, batches...)
	q.list(in)
	q.mu.Unlock()
	q.waiting.wake()
}

// end detaches in from its source. What it had taken is still received, then rest; but if it came over a wire and what
// such connections left behind takes most bytes already, it is dropped, and end returns how many messages that were.
func (q *fairQueue) end(in *inlet, rest []zmtp.Batch, most int64) (dropped int) {
	q.mu.Lock()
	defer q.waiting.wake()
	defer q.mu.Unlock()
	in.ended.Store(true)
	rest = append(in.detach(), rest...)
	switch {
	case len(rest) == 0 && len(in.rest) > 0:
		return 0
	case len(rest) == 0, in.wire && q.left >= most:
		q.forget(in)
		return count(rest)
	}
	if in.wire {
		in.left = true
		q.left += inletCost
		for i := range rest {
			q.left += int64(rest[i].Size())
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
	if !q.some.Load() {
		return 0
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, in := range q.ready {
		for looks := 0; looks < 3; { // at the batch, at what src has, and at rest
			if len(in.batches) == 0 {
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
