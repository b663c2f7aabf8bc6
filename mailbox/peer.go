package mailbox

import (
	"context"
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/queue"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// peer is one other end: what a Connect leads to, over however many connections, or one connection that a Bind
// accepted. What is sent to it waits in out.
type peer struct {
	s        *Socket
	at       *place // what it was connected to, or accepted at
	out      *zmtp.Outbox
	dials    bool                   // by Connect: it outlives connections
	meeting  atomic.Pointer[direct] // of the last connection dialled; set before its handshake
	id       []byte                 // what a ROUTER called it when it gave no identity
	dropped  drops
	link     atomic.Pointer[link]
	got      receipts              // guarded by the fair queue
	follower *follower             // of a PUB or XPUB; its lock guards it
	live     atomic.Pointer[inlet] // of the connection there is now
	in       atomic.Pointer[inlet] // of a REP's peer: of the connection that bytes move over
}

func (s *Socket) newPeer(dials bool) *peer {
	p := &peer{s: s, dials: dials}
	if _, ok := s.pattern.(*subscriber); ok {
		p.out = zmtp.NewOutbox(0, 0, nil) // it has bounds of its own
		return p
	}
	p.out = zmtp.NewOutbox(s.cfg.SendHWM, s.cfg.memory, p.room)
	if s.conflatesSent() {
		p.out.Conflate()
	}
	return p
}

// room is called when out, which was full or heavy, has room.
func (p *peer) room() {
	if p.s.cfg.Mandatory || p.s.cfg.NoDrop { // those who wait do so for different peers
		p.s.room.wakeAll()
	} else {
		p.s.room.wake()
	}
	if in := p.in.Load(); in != nil {
		p.s.in.wake(in)
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
	if _, ok := c.Attached().(*Socket); ok {
		p.meeting.Load().meet(c)
		return
	}
	p.talk(c)
}

// accepted serves a connection of a Bind.
func (s *Socket) accepted(c *zmtp.Conn, at *place) {
	p := s.newPeer(false)
	p.at = at
	d, near := c.Attached().(*direct)
	if !near {
		p.out.Weigh()
	}
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
	inbox := queue.New[[][]byte](p.s.cfg.RecvHWM)
	in := &inlet{peer: p, conn: c, typ: c.Peer().Type, wire: true, src: inbox, quota: newQuota(p.s.cfg.memory)}
	if p.s.typ == Rep {
		in.served = p.out
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
		p.out.Serve(c)
	}()
	if subscribed {
		read := make(chan struct{})
		go func() {
			defer close(read)
			p.read(c, in, inbox)
		}()
		if sub.restored(in) {
			c.Up()
		}
		<-read
	} else {
		c.Up()
		p.read(c, in, inbox)
	}
	c.Close()
	<-written
	p.s.drop(p, Lost, p.s.in.end(in, inbox.Close(), p.s.cfg.memory))
	p.s.down(in)
}

// read fills the inbox. When that is full, or its quota used up, it waits, and so does the peer once the buffers between
// them are full too. Once the socket closes, or has left the endpoint, it drops what it reads.
func (p *peer) read(c *zmtp.Conn, in *inlet, inbox *queue.Queue[[][]byte]) {
	for {
		msg, err := c.Read()
		if err != nil {
			return
		}
		if p.s.pattern.took(in, msg) {
			continue
		}
		if p.s.conflatesReceived() {
			p.newest(in, inbox, msg)
			continue
		}
		wake, err := in.put(p.at.ctx, inbox, msg)
		if err != nil {
			p.s.drop(p, Lost, 1)
		}
		if wake {
			p.s.in.wake(in)
		}
	}
}

// put queues msg in inbox, and waits as long as there is no room for it, or until ctx ends.
func (in *inlet) put(ctx context.Context, inbox *queue.Queue[[][]byte], msg [][]byte) (wake bool, err error) {
	cost := int64(zmtp.Footprint(msg))
	if in.quota.used.Load() < in.quota.most {
		if wake, err = inbox.Push(msg); err != queue.ErrFull {
			in.quota.used.Add(cost)
			return wake, err
		}
	}
	in.pause.begin()
	defer in.pause.end()
	in.quota.take(ctx, int(cost))
	return inbox.Wait(ctx, msg)
}
