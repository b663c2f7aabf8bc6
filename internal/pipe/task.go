package pipe

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/google/uuid"
)

// ID names a task, and whatever becomes of it on its way: a stage's result has the ID of its task.
type ID struct {
	Source uuid.UUID // one run of one source instance
	Number uint64    // of its tasks; endNumber is its end
}

// idSize is how many bytes an ID takes in a message.
const idSize = 24

// endNumber is the number of what tells that a source has ended.
const endNumber = math.MaxUint64

// EndOf returns the ID of the end of a source.
func EndOf(source uuid.UUID) ID { return ID{source, endNumber} }

func (id ID) String() string {
	if id.Number == endNumber {
		return id.Source.String() + "/end"
	}
	return fmt.Sprintf("%s/%d", id.Source, id.Number)
}

// append appends the 24 bytes of id to b.
func (id ID) append(b []byte) []byte {
	b = append(b, id.Source[:]...)
	return binary.BigEndian.AppendUint64(b, id.Number)
}

// idFrom returns the ID in b, which has 24 bytes.
func idFrom(b []byte) (id ID) {
	copy(id.Source[:], b)
	id.Number = binary.BigEndian.Uint64(b[16:])
	return id
}

// Origin is where a Producer's task comes from. Its methods are called by any goroutine, must be quick, and may not
// call that Producer.
type Origin interface {
	// Done tells that the task needs no more care: its result was accepted at the end of all edges, or it is dead.
	Done()
	// Flush tells that no call of Done follows soon.
	Flush()
}

// Task is a task that a Producer has and that is not done.
type Task[B any] struct {
	ID   ID
	Body B

	size       int64
	key        string // of an ordered edge
	origin     Origin
	attempt    int         // how many times it was given to a consumer that may have begun it
	failures   int         // how many times that went wrong
	avoid      *Outlink[B] // the one that it failed at last
	holder     *Outlink[B] // who has it now
	prev, next *Task[B]    // in the holder's list
	suspect    bool        // its consumer died, of it perhaps
	settled    bool        // done or buried: whoever finds it in a queue drops it
}

// Attempts returns how many times the task was given to a consumer.
func (t *Task[B]) Attempts() int { return t.attempt }

// held is the list of the tasks that a consumer has, in the order in which it got them.
type held[B any] struct {
	first, last *Task[B]
	n           int
}

func (h *held[B]) add(t *Task[B]) {
	t.prev, t.next = h.last, nil
	if h.last == nil {
		h.first = t
	} else {
		h.last.next = t
	}
	h.last = t
	h.n++
}

func (h *held[B]) remove(t *Task[B]) {
	if t.prev == nil {
		h.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		h.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
	h.n--
}
