package node

import (
	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/zmtp"
)

const (
	maxBatch   = 256 // messages handed to a connection in one go
	maxControl = 16  // control messages that wait; a peer that pings without reading gets no more
)

// An outbox and its connection: at most one is attached, and one goroutine serves it.

// attach gives the outbox a connection to the given incarnation of the peer. If it is another one than before, what was
// meant for that one is given up, and the asks that were written to it are returned. largest is the size of the largest
// frame that the peer accepts, 0 if it did not say.
func (o *outbox) attach(conn *zmtp.Conn, incarnation uuid.UUID, largest uint64) (lost map[uint64]asked) {
	o.mu.Lock()
	o.largest, o.gone = largest, false
	huge := o.remove(o.tooLarge)
	var stale []item
	if incarnation != o.incarnation {
		lost = o.asks.take()
		o.incarnation = incarnation
		o.seen.Store(0)
		stale = o.remove(func(it *item) bool { return it.exact != uuid.Nil && it.exact != incarnation })
	}
	o.conn, o.wake, o.writing = conn, make(chan struct{}, 1), false
	if len(o.items) > 0 {
		o.rouse()
	}
	o.mu.Unlock()
	o.dropped(huge, TooLarge)
	o.dropped(stale, actor.Unreachable)
	return lost
}

func (o *outbox) tooLarge(it *item) bool { return o.largest > 0 && uint64(len(it.frame)) > o.largest }

// detach takes the connection away, if it is this one.
func (o *outbox) detach(conn *zmtp.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(conn)
}

func (o *outbox) drop(conn *zmtp.Conn) {
	if o.conn == conn {
		o.conn, o.control, o.last, o.flush = nil, nil, nil, false
		o.shrunk()
	}
}

// leave notes that the incarnation ends, gives up what was meant for it, and returns the asks that were written to it.
func (o *outbox) leave(incarnation uuid.UUID) (lost map[uint64]asked) {
	o.mu.Lock()
	var stale []item
	if o.incarnation == incarnation {
		o.gone = true
		lost = o.asks.take()
		stale = o.remove(func(it *item) bool { return it.exact == incarnation })
	}
	o.mu.Unlock()
	o.dropped(stale, actor.Unreachable)
	return lost
}

// serve writes to conn, the one that was attached, until it ends.
func (o *outbox) serve(conn *zmtp.Conn) {
	var batch [][][]byte
	wake := o.waker(conn)
	for {
		select {
		case <-wake:
		case <-conn.Done():
			o.detach(conn)
			return
		}
		for more := true; more; {
			batch, more = o.step(conn, batch[:0])
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
func (o *outbox) step(conn *zmtp.Conn, batch [][][]byte) (_ [][][]byte, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn != conn {
		return batch, false
	}
	flush := o.flush
	batch = o.load(batch)
	if len(batch) == 0 && !flush {
		o.writing = false
		o.shrunk()
		return batch, false
	}
	last, before := o.last != nil, len(batch)-o.hand
	o.mu.Unlock()
	var n int
	var err error
	if flush {
		err = conn.Flush()
	}
	if err == nil {
		n, err = conn.Write(batch)
	}
	clear(batch)
	o.mu.Lock()
	n = max(0, min(n-before, o.hand))
	for i := n; i < o.hand; i++ {
		o.asks.unwritten(&o.items[i].env)
	}
	o.hand = 0
	o.seq += uint64(n)
	o.cut(n)
	if err != nil || last {
		o.drop(conn)
		return batch, false
	}
	return batch, true
}

// load fills a batch: control messages, and then the BYE, or else what is queued, which is then in the writer's hand.
func (o *outbox) load(batch [][][]byte) [][][]byte {
	for _, frame := range o.control {
		batch = append(batch, [][]byte{frame})
	}
	o.control, o.flush = nil, false
	if o.last != nil {
		return append(batch, [][]byte{o.last})
	}
	o.hand = min(len(o.items), maxBatch)
	ack := o.seen.Load()
	for i := range o.items[:o.hand] {
		it := &o.items[i]
		number(it.frame, o.seq+1+uint64(i), ack)
		o.asks.add(&it.env)
		batch = append(batch, [][]byte{it.frame})
	}
	return batch
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
