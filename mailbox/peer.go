package mailbox

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// peer is one other end: what a Connect leads to, over however many connections, or one connection that a Bind
// accepted. What is sent to it waits in out.
type peer struct {
	s        *Socket
	at       *place // what it was connected to, or accepted at
	out      outlet
	wire     *zmtp.Outbox           // out, for a peer that bytes move to
	near     *pipe                  // out, for one in this process
	dials    bool                   // by Connect: it outlives connections
	meeting  atomic.Pointer[direct] // of the last connection dialled; set before its handshake
	id       []byte                 // what a ROUTER called it when it gave no identity
	dropped  drops
	link     atomic.Pointer[link]
	got      receipts              // guarded by the fair queue
	follower *follower             // of a PUB or XPUB; its lock guards it
	live     atomic.Pointer[inlet] // of the connection there is now
	last     *inlet                // of the last one over which bytes moved
	in       atomic.Pointer[inlet] // of a REP's peer: of the connection that bytes move over
}

// outlet is where what is sent to a peer waits.
type outlet interface {
	HasRoom() bool
	Len() int
	Sent() (messages, bytes uint64)
	Replaced() uint64
	Wait(ctx context.Context) error
	Purge() (dropped int)
	Close() (unsent int)
}

var errNoSocket = errors.New("mailbox: what is bound there is no socket")

// newPeer returns a peer that is in this process, or not.
func (s *Socket) newPeer(near, dials bool) *peer {
	p := &peer{s: s, dials: dials}
	hwm, memory := s.cfg.SendHWM, s.cfg.memory
	if _, ok := s.pattern.(*subscriber); ok {
		hwm, memory = 0, 0 // it has bounds of its own
	}
	if near {
		p.near = newPipe(hwm, s.conflatesSent(), p.room)
		p.out = p.near
		return p
	}
	p.wire = zmtp.NewOutbox(hwm, memory, p.room)
	if s.conflatesSent() {
		p.wire.Conflate()
	}
	p.out = p.wire
	return p
}

// send queues a message of the frames of head and those of frames, if there is room, or writes it at once. It keeps
// nothing of the frames, and, being no method of outlet, lets them be where the caller has them, on its stack perhaps.
func (p *peer) send(head, frames [][]byte) bool {
	if p.near != nil {
		return p.near.Send(head, frames)
	}
	return p.wire.Send(head, frames)
}

// room is called when out, which was full or heavy, has room.
func (p *peer) room() {
	p.s.wakeSends()
	if in := p.in.Load(); in != nil {
		p.s.in.wake(in)
	}
}

// wakeSends lets a Send that waits look again, or all, if they wait for different peers.
func (s *Socket) wakeSends() {
	if s.cfg.Mandatory || s.cfg.NoDrop {
		s.room.wakeAll()
	} else {
		s.room.wake()
	}
}

// attach is the dialling side's zmtp.Config.Attach.
func (p *peer) attach() any {
	d := &direct{joined: make(chan struct{})}
	d.ends[0] = p
	p.meeting.Store(d)
	return d
}

// dialed serves a connection of a peer that Connect made.
func (p *peer) dialed(c *zmtp.Conn) {
	_, ok := c.Attached().(*Socket)
	switch {
	case ok:
		p.meeting.Load().meet(c)
	case p.near != nil:
		c.Refuse(errNoSocket)
	default:
		p.talk(c)
	}
}

// accepted serves a connection of a Bind.
func (s *Socket) accepted(c *zmtp.Conn, at *place) {
	d, near := c.Attached().(*direct)
	p := s.newPeer(near, false)
	p.at = at
	if !s.enter(p) {
		return
	}
	if near {
		if d.join(p, c) {
			c.Up()
			d.last(c)
		}
	} else {
		p.talk(c)
	}
	s.leave(p)
}

// talk moves messages between the peer and the connection until that ends. The end is the end of reading: after a
// failed write what the peer had sent can still be read.
func (p *peer) talk(c *zmtp.Conn) {
	cfg := &p.s.cfg
	in := &inlet{peer: p, conn: c, typ: c.Peer().Type, wire: true, inbox: newInbox(cfg.RecvHWM, cfg.memory), hwm: cfg.RecvHWM}
	in.src = in.inbox
	in.lead.wake = make(chan struct{}, 1)
	p.s.in.follow(in, p.last)
	p.last = in
	if p.s.typ == Rep {
		in.served = p.wire
		p.in.Store(in)
	}
	if !p.s.up(in, c.Peer().Identity) {
		return
	}
	p.s.talks(c, p)
	defer p.s.talks(c, nil)
	sub, ok := p.s.pattern.(*subscriber)
	subscribed := ok && p.out.Len() > 0
	written := make(chan struct{})
	go func() {
		defer close(written)
		p.wire.Serve(c)
	}()
	if subscribed {
		read := make(chan struct{})
		go func() {
			defer close(read)
			p.read(c, in)
		}()
		if sub.restored(in) {
			c.Up()
		}
		<-read
	} else {
		c.Up()
		p.read(c, in)
	}
	c.Close()
	<-written
	p.s.drop(p, Lost, p.s.in.end(in, in.inbox.Take(nil), cfg.memory))
	p.s.down(in)
}

// taker is a pattern that sees each message before it is queued for Recv, in order, and may keep it for itself. It is
// called by the goroutine that reads the connection.
type taker interface {
	took(in *inlet, msg [][]byte) bool
}

// read fills the inbox. When that is full it waits, and so does the peer once the buffers between them are full too. Once
// the socket closes, or has left the endpoint, it drops what it has no room for.
func (p *peer) read(c *zmtp.Conn, in *inlet) {
	taker, takes := p.s.pattern.(taker)
	conflates := p.s.conflatesReceived()
	if !takes && !conflates {
		p.s.in.sole.add(in)
		defer p.s.in.sole.remove(in)
	}
	in.lead.hold(c)
	var batches []zmtp.Batch
	for {
		room := in.inbox.wait(p.at.ctx, c)
		var err error
		switch batches, err = c.ReadBatches(batches[:0], max(room, 1)); {
		case err == zmtp.ErrInterrupted:
			in.lead.leave()
			p.s.in.waiting.wake()
			in.lead.hold(c)
			continue
		case err != nil:
			return
		}
		if takes {
			batches = untaken(taker, in, batches)
		}
		switch {
		case room == 0:
			p.s.drop(p, Lost, count(batches))
		case conflates:
			p.newest(in, batches)
		case len(batches) > 0 && in.inbox.put(batches...):
			p.s.in.wake(in)
		}
		clear(batches)
	}
}

// untaken returns what t does not keep of batches.
func untaken(t taker, in *inlet, batches []zmtp.Batch) (left []zmtp.Batch) {
	var lists zmtp.Lists
	for i := range batches {
		for batches[i].Len() > 0 {
			if msg := batches[i].Next(&lists, 0); !t.took(in, msg) {
				left = append(left, zmtp.Single(msg))
			}
		}
	}
	return left
}
