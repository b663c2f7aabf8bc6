package node

import (
	"errors"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/zmtp"
)

const (
	maxBatch   = 256       // messages handed to a connection in one go
	batchBytes = 256 << 10 // with so many in it nothing is added
	maxControl = 16        // control messages that wait; a peer that pings without reading gets no more
)

// An outbox and its connection: at most one is attached, and one goroutine serves it.

// errOutrun is why a link does not come about.
var errOutrun = errors.New("node: what the HELLO has said is not true any more")

// attach gives the outbox a connection to the peer that has said hello to self, and was told what has come from it. again
// says whether both go on where they were: each has said what has come from the other. Else it is another incarnation than
// before, which is returned, or one of the two has forgotten the other, and lost are the asks that will not be answered any more.
func (o *outbox) attach(conn *zmtp.Conn, h *hello, self uuid.UUID, told memory) (lost map[uint64]asked, before uuid.UUID, again bool, err error) {
	o.mu.Lock()
	before = o.incarnation
	same := before == h.incarnation
	theirs, ours := h.resume.covers(self), told.covers(h.incarnation)
	if theirs && ours && (same || told.of != uuid.Nil) && (!same || o.forgot || o.unsaid) {
		o.mu.Unlock()
		return nil, before, false, errOutrun // the peer goes on, this node cannot
	}
	again = theirs && ours && same
	o.unsaid = theirs && !ours
	o.largest, o.gone, o.forgot = h.limits["message"], false, false
	huge := o.remove(o.tooLarge)
	var unconfirmed []item
	if again {
		o.resume(h.resume.seq)
	} else {
		lost, unconfirmed = o.asks.take(), o.abandon()
	}
	if theirs {
		o.seq = max(o.seq, h.resume.seq) // from here on it would take lower numbers for repeated ones
	}
	if !again && told.of != h.incarnation { // what comes is all new, with whatever numbers
		o.seen.Store(0)
		o.told.Store(0)
	}
	o.incarnation = h.incarnation
	stale := o.remove(func(it *item) bool { // ids in it may be of another incarnation; the peer answers what is the runtime's own
		return it.exact != uuid.Nil && it.exact != h.incarnation && !(same && it.stays())
	})
	o.conn, o.wake, o.writing = conn, make(chan struct{}, 1), false
	o.brakes.renew()
	o.roomy()
	if o.count > 0 || len(o.brakes.news) > 0 {
		o.rouse()
	}
	o.mu.Unlock()
	o.dropped(huge, before, TooLarge)
	o.dropped(unconfirmed, before, actor.Unconfirmed)
	o.dropped(stale, before, actor.Unreachable)
	return lost, before, again, nil
}

// memory returns what is to be told to the peer of what came from it. It is not kept if what the two know of each other has
// come apart: then they begin anew.
func (o *outbox) memory() memory {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.forgot || o.unsaid:
		return memory{}
	case o.unheard:
		return memory{kept: true}
	}
	return memory{o.incarnation != uuid.Nil, o.incarnation, o.seen.Load()}
}

// greeted notes that the peer has sent something on a link, so that it must have read the HELLO there.
func (o *outbox) greeted() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unsaid, o.unheard = false, false
}

// detach takes the connection away, if it is this one.
func (o *outbox) detach(conn *zmtp.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(conn)
}

func (o *outbox) drop(conn *zmtp.Conn) {
	if o.conn != conn {
		return
	}
	o.conn, o.control, o.last, o.flush, o.ack = nil, nil, nil, false, false
	o.since = ticks()
	if o.closed == nil && o.count > 0 {
		o.sweepAt(o.since + o.patience)
	}
}

// leave notes that the incarnation ends, gives up what was meant for it, and returns the asks that it has not answered.
func (o *outbox) leave(incarnation uuid.UUID) (lost map[uint64]asked) {
	o.mu.Lock()
	var stale, unconfirmed []item
	if o.incarnation == incarnation {
		o.gone, o.forgot = true, true
		lost = o.asks.take()
		unconfirmed = o.abandon()
		stale = o.remove(func(it *item) bool { return it.exact == incarnation })
	}
	o.mu.Unlock()
	o.dropped(unconfirmed, incarnation, actor.Unconfirmed)
	o.dropped(stale, incarnation, actor.Unreachable)
	return lost
}

// serve writes to conn, the one that was attached, until it ends.
func (o *outbox) serve(conn *zmtp.Conn) {
	var b batch
	wake := o.waker(conn)
	for {
		select {
		case <-wake:
		case <-conn.Done():
			o.detach(conn)
			return
		}
		for o.step(conn, &b) {
		}
	}
}

// waker returns what tells that there is something to write to conn; nil if it is not attached any more.
func (o *outbox) waker(conn *zmtp.Conn) chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != conn {
		return nil
	}
	return o.wake
}

// step writes what is queued, up to a batch. It reports whether there may be more.
func (o *outbox) step(conn *zmtp.Conn, b *batch) (more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != conn {
		return false
	}
	flush := o.flush
	o.load(b)
	if len(b.frames) == 0 && !flush {
		o.writing = false
		return false
	}
	last := o.last != nil
	o.slabs.reading(true)
	o.mu.Unlock()
	err := conn.WriteFrames(b.frames) // after what flush says is left
	b.clear()
	o.mu.Lock()
	o.slabs.reading(false)
	if err != nil || last {
		o.drop(conn)
		return false
	}
	return true
}

// load fills a batch: control messages, and then the BYE, or else what is in flight and unwritten, then what is queued,
// then a part of each large message.
func (o *outbox) load(b *batch) {
	for _, frame := range o.control {
		b.add(frame)
	}
	o.control, o.flush = nil, false
	if o.last != nil {
		b.add(o.last)
		return
	}
	o.brakes.announce(b)
	before := len(b.frames)
	for !b.full() && (o.written < o.flight.len() || o.advance()) {
		o.write(b)
	}
	if o.written == o.flight.len() {
		for o.launchParts(); o.written < o.flight.len(); {
			o.write(b)
		}
	}
	if o.ack && len(b.frames) == before {
		b.add(appendHeader(nil, &header{kind: kindAck, ack: o.acknowledge()}))
	}
	o.ack = false
}

// advance puts what comes next in the queue in flight.
func (o *outbox) advance() bool {
	for o.queue.len() > 0 {
		it := o.queue.all()[0]
		o.queue.cut(1)
		it.shorten(o.patience)
		if !o.aside(it) {
			o.launch(sent{item: it})
			return true
		}
	}
	return false
}

// write adds the next that is in flight and not written.
func (o *outbox) write(b *batch) {
	s := &o.flight.all()[o.written]
	numbers, head := s.frame, []byte(nil)
	if s.large != nil {
		from := len(b.heads)
		b.heads = appendPart(b.heads, s)
		head = b.heads[from:]
		numbers = head
	}
	if whole := s.whole(); whole != nil {
		o.asks.begun(whole.frame)
	}
	number(numbers, o.first()+uint64(o.written), o.acknowledge())
	o.written++
	b.addPart(head, s.frame)
}

// post queues a control message, which is written before any other. Without a connection it is dropped.
func (o *outbox) post(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil && len(o.control) < maxControl {
		o.control = append(o.control, frame)
		o.rouse()
	}
}

// postAck has the peer told what came from it, if it was not meanwhile.
func (o *outbox) postAck() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != nil && o.told.Load() != o.seen.Load() {
		o.ack = true
		o.rouse()
	}
}

// farewell has a BYE written after what is being written, and nothing after it. It reports whether conn is attached.
func (o *outbox) farewell(conn *zmtp.Conn, frame []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != conn {
		return false
	}
	o.last = frame
	o.rouse()
	return true
}

func (o *outbox) rouse() {
	if o.conn != nil && !o.writing {
		o.writing = true
		o.wake <- struct{}{} // has room: it is emptied before writing is reset
	}
}
