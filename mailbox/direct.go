package mailbox

import (
	"sync"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// direct is a connection between two sockets of this process: each receives what is in the other's outbox, and no bytes
// move. The stream below it only tells when it ends.
//
// The connecting side makes one for each connection it dials and attaches it to the stream; the binding side finds it
// there and joins.
type direct struct {
	mu   sync.Mutex
	ends [2]*peer  // the connecting one and, once it joined, the binding one
	in   [2]*inlet // in[i] is what ends[i] receives
	over bool

	joined chan struct{} // closed when the ends are connected
}

// join connects both ends. It reports false if the connection is over already, or if one of the sockets refuses it.
func (d *direct) join(binding *peer, c *zmtp.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return false
	}
	connecting := d.ends[0]
	d.ends[1] = binding
	binding.meeting.Store(d)
	d.in[0] = &inlet{peer: connecting, conn: c, typ: binding.s.typ, src: binding.near, hwm: binding.near.limit}
	d.in[1] = &inlet{peer: binding, conn: c, typ: connecting.s.typ, src: connecting.near, hwm: connecting.near.limit}
	if !connecting.s.up(d.in[0], binding.s.identity()) {
		d.over = true
		return false
	}
	if !binding.s.up(d.in[1], connecting.s.identity()) {
		d.over = true
		d.in[0].ended.Store(true)
		connecting.s.down(d.in[0])
		return false
	}
	for i, in := range d.in {
		s := in.peer.s
		d.ends[1-i].near.lend(&loan{s.cfg.RecvHWM, s.conflatesReceived(), func() { s.in.wake(in) }})
		s.in.wake(in)
	}
	for i, end := range d.ends {
		if s, ok := end.s.pattern.(*subscriber); ok {
			s.meet(d.in[i], d.in[1-i])
		}
	}
	close(d.joined)
	for i, end := range d.ends {
		if end.leaving() {
			d.leaveAll(i)
		}
	}
	return true
}

// meet waits for the binding end to join, and for the end.
func (d *direct) meet(c *zmtp.Conn) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		d.last(c)
	}()
	select {
	case <-d.joined:
		c.Up()
		<-over
	case <-over:
		select {
		case <-d.joined: // if both had happened, either could be seen
			c.Up()
		default:
		}
	}
}

// last waits for the end of the stream below, and takes leave.
func (d *direct) last(c *zmtp.Conn) {
	for {
		if _, err := c.Read(); err != nil {
			break
		}
	}
	d.end()
}

// end disconnects both ends. What the connecting one has sent and the other not taken waits for the next connection.
func (d *direct) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || d.ends[1] == nil {
		d.over = true
		return
	}
	d.over = true
	for _, in := range d.in {
		in.peer.s.in.end(in, nil, 0)
	}
	d.ends[0].near.reclaim()
	for _, in := range d.in {
		in.peer.s.down(in)
	}
}

// handOver gives all that p has sent to the other end at once, whatever its high-water mark: p's socket is closing. It
// does nothing if the ends are not connected.
func (d *direct) handOver(p *peer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over || d.ends[1] == nil {
		return
	}
	i := 0
	if d.ends[1] == p {
		i = 1
	}
	d.leaveAll(i)
}

// leaveAll is handOver for d.ends[i].
func (d *direct) leaveAll(i int) {
	other := d.in[1-i]
	other.peer.s.in.add(other, d.ends[i].near.yield())
}
