package mailbox

import (
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/queue"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// peer is one other end: what a Connect leads to, over however many connections, or one connection that a Bind
// accepted. What is sent to it waits in out.
type peer struct {
	s       *Socket
	out     *zmtp.Outbox
	dials   bool                   // by Connect: it outlives connections
	meeting atomic.Pointer[direct] // of the last connection dialled; set before its handshake
	id      []byte                 // what a ROUTER called it when it gave no identity
	in      atomic.Pointer[inlet]  // of a REP's peer: of the connection that bytes move over
}

func (s *Socket) newPeer(dials bool) *peer {
	p := &peer{s: s, dials: dials}
	p.out = zmtp.NewOutbox(s.cfg.SendHWM, p.room)
	return p
}

// room is called when out, which was full or heavy, has room.
func (p *peer) room() {
	p.s.room.wake()
	if in := p.in.Load(); in != nil {
		p.s.in.wake(in)
	}
}

// attach is the dialling side's zmtp.Config.Attach.
func (p *peer) attach() any {
	d := &direct{}
	d.ends[0] = p
	p.meeting.Store(d)
	return d
}

// dialed serves a connection of a peer that Connect made.
func (p *peer) dialed(c *zmtp.Conn) {
	if _, ok := c.Attached().(*Socket); ok {
		p.meeting.Load().last(c)
		return
	}
	p.talk(c)
}

// accepted serves a connection of a Bind.
func (s *Socket) accepted(c *zmtp.Conn) {
	p := s.newPeer(false)
	d, near := c.Attached().(*direct)
	if !near {
		p.out.Weigh()
	}
	if !s.enter(p) {
		return
	}
	if near {
		if d.join(p) {
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
	in := &inlet{peer: p, wire: true, src: inbox, quota: newQuota(p.s.cfg.memory)}
	if p.s.typ == Rep {
		in.served = p.out
		p.in.Store(in)
	}
	if !p.s.up(in, c.Peer().Identity) {
		return
	}
	p.s.talks(c, true)
	defer p.s.talks(c, false)
	written := make(chan struct{})
	go func() {
		defer close(written)
		p.out.Serve(c)
	}()
	p.read(c, in, inbox)
	c.Close()
	<-written
	p.s.drop(p.s.in.end(in, inbox.Close(), p.s.cfg.memory))
	p.s.pattern.down(in)
}

// read fills the inbox. When that is full, or its quota used up, it waits, and so does the peer once the buffers between
// them are full too. From the socket's Close on it drops what it reads.
func (p *peer) read(c *zmtp.Conn, in *inlet, inbox *queue.Queue[[][]byte]) {
	for {
		msg, err := c.Read()
		if err != nil {
			return
		}
		in.quota.take(p.s.ctx, zmtp.Footprint(msg))
		if wake, err := inbox.Wait(p.s.ctx, msg); err == nil && wake {
			p.s.in.wake(in)
		}
	}
}
