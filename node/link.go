package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/zmtp"
)

const (
	probeTime = 2 * time.Second        // in which a link whose node's name is claimed must show that it lives
	byeTime   = 250 * time.Millisecond // that a BYE may take to be written and read
)

// link is one connection to a peer, from its HELLO on.
type link struct {
	node    *Node
	conn    *zmtp.Conn
	dialled bool          // by us
	peer    *peer         // set once the HELLO was read
	hello   hello         // the peer's
	told    memory        // what our HELLO has said of the peer
	done    chan struct{} // closed when the link is over and all that came on it is delivered

	// The reader's alone.
	head     header // of the message in hand
	lexicon  lexicon
	whole    bool   // it came in parts, and is in memory of its own
	met      bool   // a message has come
	acked    uint64 // by the peer, the highest
	envelope actor.Envelope
	receipts receipts

	probed atomic.Bool // somebody waits for heard
	mu     sync.Mutex
	heard  chan struct{} // closed when something arrives
}

func (n *Node) newLink(conn *zmtp.Conn, dialled bool) *link {
	return &link{node: n, conn: conn, dialled: dialled, done: make(chan struct{})}
}

// run is the life of a link that both sides have accepted.
func (l *link) run() {
	n, out := l.node, &l.peer.out
	l.lexicon.here, l.lexicon.there = n.pid, actor.ExactPID(l.peer.name, l.hello.incarnation, 0)
	lost, before, again, err := out.attach(l.conn, &l.hello, n.Incarnation(), l.told)
	if err != nil {
		l.tell("link given up", "reason", err)
		return
	}
	if !again {
		l.peer.parts = assembly{most: n.cfg.MaxMessage}
		n.unanswered(l.peer.name, lost, "has been restarted")
		if before != uuid.Nil {
			n.down(l.peer, before)
		}
	}
	n.arrived(l.peer, l.hello.incarnation)
	l.tell("link up", "dialled", l.dialled, "incarnation", l.hello.incarnation, "library", l.hello.library)
	l.conn.Lend()
	var writer sync.WaitGroup
	writer.Go(func() { out.serve(l.conn) })
	err = l.read()
	l.conn.Close()
	l.receipts.stop()
	writer.Wait()
	out.detach(l.conn)
	l.tell("link down", "reason", err)
}

// read handles what arrives until the connection ends, and returns why it did.
func (l *link) read() error {
	var batches []zmtp.Batch
	var lists zmtp.Lists
	for {
		var err error
		batches, err = l.conn.ReadBatches(batches[:0], ackEvery)
		if err != nil {
			return err
		}
		if l.probed.Load() {
			l.answered()
		}
		for i := range batches {
			if err := l.take(&batches[i], &lists); err != nil {
				return err
			}
		}
		clear(batches)
	}
}

// take receives the messages of a batch.
func (l *link) take(b *zmtp.Batch, lists *zmtp.Lists) error {
	for b.Len() > 0 {
		frame := b.Frame()
		if frame == nil {
			var err error
			if frame, err = only(b.Next(lists, 0)); err != nil {
				return l.refuse(byeProtocol, err)
			}
		}
		if err := l.receive(frame); err != nil {
			return err
		}
	}
	return nil
}

// receive takes a message apart, and handles it unless it has come before. An error ends the link.
func (l *link) receive(frame []byte) error {
	h, out := &l.head, &l.peer.out
	body, err := h.read(frame, &l.lexicon)
	if err != nil {
		return l.refuse(byeProtocol, err)
	}
	if !l.met {
		l.met = true
		out.greeted()
	}
	if h.ack > l.acked {
		l.acked = h.ack
		out.heard(h.ack)
	}
	if h.seq != 0 {
		again := h.seq <= out.seen.Load()
		if again {
			out.told.Store(0) // the acknowledgement was lost, and the HELLO older than it
		} else {
			out.seen.Store(h.seq)
		}
		l.receipts.received(len(frame), out)
		if again {
			return nil
		}
	}
	return l.handle(h, body)
}

// handle does what a message asks for. An error ends the link.
func (l *link) handle(h *header, body []byte) error {
	switch h.kind {
	case kindTell, kindAsk, kindReply, kindFail,
		kindWatch, kindUnwatch, kindTerminated, kindLink, kindUnlink, kindSpawn, kindSpawned, kindStop:
		l.node.deliver(l, h, body)
	case kindPart:
		frame, err := l.peer.parts.add(h, body)
		if err != nil {
			return l.refuse(byeProtocol, err)
		}
		if frame == nil {
			return nil
		}
		body, err := h.read(frame, &l.lexicon)
		if err == nil && h.kind == kindPart {
			err = errors.New("node: a PART made of parts")
		}
		if err != nil {
			return l.refuse(byeProtocol, err)
		}
		l.whole = true
		err = l.handle(h, body)
		l.whole = false
		return err
	case kindPing:
		l.peer.out.post(appendHeader(nil, &header{kind: kindAck, ack: l.peer.out.acknowledge()}))
	case kindPause, kindResume:
		l.peer.out.pause(l.lexicon.pid(&h.sender, l.lexicon.there), h.kind == kindPause)
	case kindResolve:
		return l.asked(h, body)
	case kindNodeInfo:
		return l.informed(h, body)
	case kindAck:
	case kindBye:
		return l.left(h, body)
	case kindHello:
		return l.refuse(byeProtocol, errors.New("node: second HELLO"))
	default:
		if h.flags&mustUnderstand != 0 {
			return l.refuse(byeUnknown, fmt.Errorf("node: message of kind %d, which must be understood", h.kind))
		}
	}
	return nil
}

// split takes a message apart.
func split(h *header, msg [][]byte, lex *lexicon) (body []byte, err error) {
	frame, err := only(msg)
	if err != nil {
		return nil, err
	}
	return h.read(frame, lex)
}

// only returns the one frame of a message.
func only(msg [][]byte) (frame []byte, err error) {
	if len(msg) != 1 {
		return nil, fmt.Errorf("%w: a message of %d frames", errHeader, len(msg))
	}
	return msg[0], nil
}

// left handles a BYE.
func (l *link) left(h *header, body []byte) error {
	err := readBye(h, body)
	l.peer.out.detach(l.conn) // nothing more is read there
	if h.typ == byeClosing {
		l.peer.unlink(l)
		l.node.unanswered(l.peer.name, l.peer.out.leave(l.hello.incarnation), "has been closed")
		l.node.down(l.peer, l.hello.incarnation)
	}
	return err
}

// refuse ends the connection because of what the peer sent: it says why, here and there, and returns err. It belongs to
// the goroutine that reads.
func (l *link) refuse(reason string, err error) error {
	l.node.complain(l.conn.Peer().Address, err)
	l.bye(reason, err.Error())
	return err
}

// bye tells the peer why the connection ends and waits a little for it to close. It belongs to the goroutine that reads.
func (l *link) bye(reason, text string) {
	hurry := time.AfterFunc(byeTime, func() { l.conn.Close() })
	defer hurry.Stop()
	if frame := l.byeFrame(reason, text); l.peer != nil {
		l.peer.out.farewell(l.conn, frame)
	} else if _, err := l.conn.Write([][][]byte{{frame}}); err != nil {
		return
	}
	for {
		if _, err := l.conn.Read(); err != nil {
			return
		}
	}
}

// part tells the peer that this node ends, and waits until it has read that and closed: until ctx ends, and a little.
func (l *link) part(ctx context.Context) {
	if !l.peer.out.farewell(l.conn, l.byeFrame(byeClosing, "")) {
		l.conn.Close()
	}
	select {
	case <-l.conn.Done():
		return
	case <-ctx.Done():
	}
	late := time.NewTimer(byeTime)
	defer late.Stop()
	select {
	case <-l.conn.Done():
	case <-late.C:
		l.conn.Close()
	}
}

func (l *link) byeFrame(reason, text string) []byte {
	h := header{kind: kindBye, typ: reason}
	if l.peer != nil {
		h.ack = l.peer.out.seen.Load()
	}
	return appendStr(appendHeader(nil, &h), text)
}

// ping asks the peer for a sign of life.
func (l *link) ping() {
	l.peer.out.post(appendHeader(nil, &header{kind: kindPing, ack: l.peer.out.seen.Load()}))
}

// alive reports whether anything arrives within a time; a ping is sent to provoke it.
func (l *link) alive(within time.Duration) bool {
	l.mu.Lock()
	if l.heard == nil {
		l.heard = make(chan struct{})
		l.probed.Store(true)
	}
	heard := l.heard
	l.mu.Unlock()
	l.ping()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-heard:
		return true
	case <-l.done:
	case <-late.C:
	}
	return false
}

// answered wakes those who wait in alive.
func (l *link) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.probed.Store(false)
	close(l.heard)
	l.heard = nil
}

// end waits until the link is over, at most a time, and then ends it.
func (l *link) end(within time.Duration) {
	l.peer.out.detach(l.conn)
	late := time.AfterFunc(within, func() { l.conn.Close() })
	defer late.Stop()
	<-l.done
}
