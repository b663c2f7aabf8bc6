package memnet

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Pipe returns the two ends of a stream in memory. Each direction buffers 64 KiB; a Write beyond that waits for the
// reader. Deadlines, half close (CloseWrite() error) and concurrent use are as for a TCP connection: after the peer's
// Close what it wrote can still be read, then comes io.EOF, and writes fail with EPIPE. Both ends also have
// TryWrite(p []byte) (int, error), which writes what there is room for and never waits.
func Pipe() (a, b net.Conn) {
	p := newPair(addr{"pipe", "pipe"}, addr{"pipe", "pipe"}, true)
	return &p.ends[0], &p.ends[1]
}

// Attach leaves v with c for the other end to find. It reports false, and does nothing, if c is not an in-process
// stream of this package: a Pipe's end or an inproc connection. (A Network's "tcp" and "unix" connections are not, so
// that tests see bytes flow.)
func Attach(c net.Conn, v any) bool {
	e, ok := c.(*end)
	if !ok || !e.pair.attachable {
		return false
	}
	e.attached.Store(&v)
	return true
}

// Attached returns what the other end of c attached: nil if nothing, or if c is not an in-process stream of this
// package.
func Attached(c net.Conn) any {
	if e, ok := c.(*end); ok {
		if v := e.other().attached.Load(); v != nil {
			return *v
		}
	}
	return nil
}

// pair is a stream: two ends and the two directions between them.
type pair struct {
	ends       [2]end
	halves     [2]half // halves[i] is written by ends[i]
	attachable bool
	left       atomic.Int32 // ends not yet closed
	onGone     func()       // called, if not nil, when both ends are closed
}

// newPair returns a stream whose ends[0] has the address local and whose ends[1] has the address remote.
func newPair(local, remote net.Addr, attachable bool) *pair {
	p := &pair{attachable: attachable}
	p.left.Store(2)
	for i, a := range []net.Addr{local, remote} {
		p.halves[i].init()
		p.ends[i] = end{pair: p, side: i, addr: a}
	}
	return p
}

// cut breaks the stream: both ends get ECONNRESET, and what was under way is lost.
func (p *pair) cut() {
	for i := range p.halves {
		h := &p.halves[i]
		h.change(func() {
			h.broken = true
			h.drop()
		})
	}
}

// stall stops the bytes in both directions, or lets them move again.
func (p *pair) stall(on bool) {
	for i := range p.halves {
		h := &p.halves[i]
		h.change(func() { h.stalled = on })
	}
}

// end is one end of a stream, a net.Conn.
type end struct {
	pair     *pair
	side     int
	addr     net.Addr
	attached atomic.Pointer[any]
	close    sync.Once
}

func (e *end) other() *end { return &e.pair.ends[1-e.side] }
func (e *end) out() *half  { return &e.pair.halves[e.side] }
func (e *end) in() *half   { return &e.pair.halves[1-e.side] }

func (e *end) LocalAddr() net.Addr  { return e.addr }
func (e *end) RemoteAddr() net.Addr { return e.other().addr }

func (e *end) Read(p []byte) (int, error) {
	n, err := e.in().read(p)
	return n, e.wrap("read", err)
}

func (e *end) Write(p []byte) (int, error) {
	n, err := e.out().write(p)
	return n, e.wrap("write", err)
}

// TryWrite writes as much of p as there is room for, perhaps nothing, without waiting.
func (e *end) TryWrite(p []byte) (int, error) {
	n, err := e.out().tryWrite(p)
	return n, e.wrap("write", err)
}

// CloseWrite ends the stream to the other end, which finds io.EOF after what was written before. Reading goes on.
func (e *end) CloseWrite() error {
	h, err := e.out(), error(nil)
	h.change(func() {
		switch {
		case h.closed:
			err = net.ErrClosed
		case h.broken:
			err = syscall.ECONNRESET
		}
		h.shut = true
	})
	return e.wrap("close", err)
}

func (e *end) Close() error {
	err := net.ErrClosed
	e.close.Do(func() {
		out, in := e.out(), e.in()
		out.change(func() {
			out.shut, out.closed = true, true
			out.writeDeadline.stop()
		})
		in.change(func() {
			in.gone = true
			in.drop()
			in.readDeadline.stop()
		})
		if e.pair.left.Add(-1) == 0 && e.pair.onGone != nil {
			e.pair.onGone()
		}
		err = nil
	})
	return e.wrap("close", err)
}

func (e *end) SetDeadline(t time.Time) error {
	if err := e.SetReadDeadline(t); err != nil {
		return err
	}
	return e.SetWriteDeadline(t)
}

func (e *end) SetReadDeadline(t time.Time) error {
	return e.setDeadline(e.in(), &e.in().readDeadline, t)
}

func (e *end) SetWriteDeadline(t time.Time) error {
	return e.setDeadline(e.out(), &e.out().writeDeadline, t)
}

func (e *end) setDeadline(h *half, d *deadline, t time.Time) error {
	if !h.setDeadline(d, t) {
		return e.wrap("set", net.ErrClosed)
	}
	return nil
}

// wrap makes err what package net would return.
func (e *end) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: e.addr.Network(), Source: e.addr, Addr: e.RemoteAddr(), Err: err}
}

// addr is an address of an in-memory network.
type addr struct{ network, address string }

func (a addr) Network() string { return a.network }
func (a addr) String() string  { return a.address }
