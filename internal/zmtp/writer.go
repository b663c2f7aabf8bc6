package zmtp

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/go-zeromq/zmq4"
)

const (
	chunk    = 64 << 10 // bytes to collect before they are written
	bigFrame = 8 << 10  // a frame from this size on is not copied to be written with others
	tryMost  = 16 << 10 // the largest message that TryWrite tries
)

// tryWriter is a stream that can write what there is room for without waiting.
type tryWriter interface {
	TryWrite(p []byte) (n int, err error)
}

// writer puts frames on a stream.
type writer struct {
	mu   gate // held by whoever writes
	nc   net.Conn
	raw  syscall.RawConn // nil if nc has none
	err  error           // nothing can be written any more
	rest []byte          // what a TryWrite, or a PONG, left: to be written before anything else
	owed int             // bytes of a TryWrite's message that were not written

	cipher   Cipher // nil: frames go as they are
	overhead int    // the cipher's

	pong    atomic.Pointer[[]byte] // context of the PONG to be written
	ping    atomic.Pointer[[]byte] // body of the PING to be written
	attempt func(fd uintptr) bool
	p       []byte // what attempt writes
	n       int    // how much of it it wrote
	failed  error
}

func (w *writer) init(nc net.Conn) {
	w.mu, w.nc, w.raw = make(gate, 1), nc, rawOf(nc)
	w.attempt = w.writeRaw
}

// gate is a lock that may be held for as long as a peer likes: unlike with a sync.Mutex, a synctest bubble whose
// goroutines wait for one goes on.
type gate chan struct{}

func (g gate) lock()   { g <- struct{}{} }
func (g gate) unlock() { <-g }

func (g gate) tryLock() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

// Write writes what a TryWrite left, then batch, and waits as long as that takes. n is how many messages of batch were
// written as a whole, all of them unless there is an error, which has closed the connection. A message has at least one
// frame; one without is skipped.
func (c *Conn) Write(batch [][][]byte) (n int, err error) {
	c.writer.mu.lock()
	defer c.unlock()
	n, err = c.writer.write(batch)
	if err != nil && err != ErrClosed { // which is CloseWrite, and that closes c itself
		err = c.fail(err)
	}
	return n, err
}

// Frame is a message of one frame, which is Head and then Body.
type Frame struct{ Head, Body []byte }

// WriteFrames is Write for messages of one frame.
func (c *Conn) WriteFrames(frames []Frame) error {
	w := &c.writer
	w.mu.lock()
	defer c.unlock()
	_, err := w.gather(func(g *gather) error {
		for i := range frames {
			if err := g.frame(0, frames[i].Head, frames[i].Body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && err != ErrClosed { // which is CloseWrite, and that closes c itself
		err = c.fail(err)
	}
	return err
}

// Flush writes what a TryWrite left, and waits as long as that takes.
func (c *Conn) Flush() error {
	_, err := c.Write(nil)
	return err
}

// TryWrite writes msg if that is possible without waiting. If taken is false, nothing happened: somebody else is
// writing, there is no room, msg is large, the stream has no way to write without waiting, or the connection has ended.
// If rest is true, a part of it is left, which Write and Flush write before anything else; one of them must be called.
func (c *Conn) TryWrite(msg [][]byte) (taken, rest bool) {
	if wireSize(msg, c.writer.overhead) > tryMost {
		return false, false
	}
	buf := borrowBuffer()
	defer giveBackBuffer(buf)
	n, rest := c.tryEncoded(appendMessage((*buf)[:0], msg), false)
	return n > 0 || rest, rest
}

// unlock ends writing. A PONG or PING that was asked for meanwhile is not forgotten.
func (c *Conn) unlock() {
	c.writer.mu.unlock()
	c.answer()
}

// answer writes the PONG and PING that are to be written, if any, without waiting. If somebody is writing, they will do
// it.
func (c *Conn) answer() {
	w := &c.writer
	for w.due() && w.mu.tryLock() {
		if w.tryPong() {
			w.mu.unlock()
			continue
		}
		go func() { // which has the lock, so there is at most one
			if _, err := w.write(nil); err != nil {
				c.fail(err)
			}
			c.unlock()
		}()
		return
	}
}

// due reports whether a PONG or PING is to be written.
func (w *writer) due() bool { return w.pong.Load() != nil || w.ping.Load() != nil }

// tryPong writes PONG and PING as far as that goes without waiting, and reports whether nothing is left.
func (w *writer) tryPong() bool {
	if w.err != nil {
		w.pong.Store(nil)
		w.ping.Store(nil)
		return true
	}
	if len(w.rest) > 0 {
		return false
	}
	w.rest = w.takePong(w.rest)
	n, err := w.try(w.rest)
	if err != nil {
		w.rest = nil
		return true // the reader will meet the same error
	}
	w.rest = append(w.rest[:0], w.rest[n:]...)
	return len(w.rest) == 0
}

// takePong appends the PONG and PING that are due.
func (w *writer) takePong(dst []byte) []byte {
	if context := w.pong.Swap(nil); context != nil {
		dst = w.appendCommand(dst, zmq4.CmdPong, *context)
	}
	if body := w.ping.Swap(nil); body != nil {
		dst = w.appendCommand(dst, zmq4.CmdPing, *body)
	}
	return dst
}

// appendCommand appends what goes over the wire for a command.
func (w *writer) appendCommand(dst []byte, name string, body []byte) []byte {
	if w.cipher == nil {
		return appendCommand(dst, name, body)
	}
	payload := append(append([]byte{byte(len(name))}, name...), body...)
	return appendSealed(dst, w.cipher, flagCommand, payload)
}

// try writes as much of p as there is room for.
func (w *writer) try(p []byte) (n int, err error) {
	if t, ok := w.nc.(tryWriter); ok {
		n, err = t.TryWrite(p)
	} else if w.raw != nil {
		w.p, w.n, w.failed = p, 0, nil
		if err = w.raw.Write(w.attempt); err == nil {
			err = w.failed
		}
		n, w.p = w.n, nil
	}
	if err != nil {
		w.err = err
	}
	return n, err
}

// writeRaw writes as much of p as there is room for. It never asks to be called again.
func (w *writer) writeRaw(fd uintptr) bool {
	w.n, w.failed = writeNow(fd, w.p)
	return true
}

// shut writes what is left and ends our direction of the stream.
func (w *writer) shut() error {
	w.mu.lock()
	defer w.mu.unlock()
	if _, err := w.write(nil); err != nil {
		return err
	}
	w.err = ErrClosed
	half, ok := w.nc.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// write writes rest, a PONG, a PING and batch. n is how many messages of batch were written as a whole.
func (w *writer) write(batch [][][]byte) (n int, err error) {
	if w.err == nil && len(w.rest) == 0 && !w.due() && len(batch) == 0 {
		return 0, nil
	}
	written, err := w.gather(func(g *gather) error {
		for _, msg := range batch {
			last := len(msg) - 1
			for i, body := range msg {
				flags := byte(flagMore)
				if i == last {
					flags = 0
				}
				if err := g.frame(flags, nil, body); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return whole(batch, w.overhead, written), err
	}
	return len(batch), nil
}

// gather writes rest, a PONG, a PING, and the frames that add adds. It returns how many bytes of the latter were written.
func (w *writer) gather(add func(g *gather) error) (n int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	g := gather{w: w.nc, cipher: w.cipher, buf: borrowBuffer()}
	defer giveBackBuffer(g.buf)
	*g.buf = w.takePong(append((*g.buf)[:0], w.rest...))
	before := len(*g.buf)
	w.rest = nil
	if err = add(&g); err == nil {
		err = g.flush()
	}
	if err != nil {
		w.err = err
	}
	w.owed -= min(w.owed, g.written)
	return g.written - before, err
}

// whole is how many messages the first n bytes of batch hold as a whole, if each body is longer by overhead.
func whole(batch [][][]byte, overhead, n int) int {
	for i, msg := range batch {
		if n -= wireSize(msg, overhead); n < 0 {
			return i
		}
	}
	return len(batch)
}
