package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how many bytes one direction of a stream holds that were written and not yet read.
const window = 64 << 10

// half is one direction of a stream.
type half struct {
	mu   sync.Mutex
	cond sync.Cond

	buf     []byte // buf[off:] is written and not read; never longer than 2*window
	off     int
	hidden  int  // how many bytes at buf's end are still on their way (delayed)
	writing bool // a Write is under way: others wait, so that two never mix

	shut    bool // the writer ended its stream with CloseWrite or Close
	closed  bool // the writer closed its end
	gone    bool // the reader closed its end
	broken  bool // cut
	stalled bool

	delay      func() time.Duration // nil: bytes arrive at once
	lastArrive time.Time

	readDeadline, writeDeadline deadline
}

func (h *half) init() { h.cond.L = &h.mu }

// read is the reading end's Read.
func (h *half) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case h.broken:
			return 0, syscall.ECONNRESET
		case h.readDeadline.passed:
			return 0, os.ErrDeadlineExceeded
		case h.stalled:
		case h.ready() > 0:
			n := copy(p, h.buf[h.off:len(h.buf)-h.hidden])
			h.off += n
			if h.off == len(h.buf) {
				h.buf, h.off = h.buf[:0], 0
			}
			h.cond.Broadcast()
			return n, nil
		case h.shut && h.hidden == 0:
			return 0, io.EOF
		}
		h.cond.Wait()
	}
}

// ready is how many bytes a Read finds.
func (h *half) ready() int { return len(h.buf) - h.off - h.hidden }

// write is the writing end's Write.
func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.writing {
		if err := h.unwritable(); err != nil {
			return 0, err
		}
		h.cond.Wait()
	}
	h.writing = true
	defer func() {
		h.writing = false
		h.cond.Broadcast()
	}()
	for {
		if err := h.unwritable(); err != nil {
			return n, err
		}
		n += h.put(p[n:])
		if n == len(p) {
			return n, nil
		}
		h.cond.Wait()
	}
}

// tryWrite writes as much as there is room for, without waiting.
func (h *half) tryWrite(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.unwritable(); err != nil || h.writing {
		return 0, err
	}
	return h.put(p), nil
}

// unwritable says why nothing can be written, if so.
func (h *half) unwritable() error {
	switch {
	case h.closed:
		return net.ErrClosed
	case h.broken:
		return syscall.ECONNRESET
	case h.shut, h.gone && !h.stalled:
		return syscall.EPIPE
	case h.writeDeadline.passed:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// put appends as much of p as there is room for.
func (h *half) put(p []byte) int {
	p = p[:min(len(p), window-(len(h.buf)-h.off))]
	if len(p) == 0 {
		return 0
	}
	if h.off >= window {
		h.buf, h.off = h.buf[:copy(h.buf, h.buf[h.off:])], 0
	}
	h.buf = append(h.buf, p...)
	if h.delay != nil {
		h.postpone(len(p))
	}
	h.cond.Broadcast()
	return len(p)
}

// postpone hides the last n bytes for a while. What was written later never arrives earlier.
func (h *half) postpone(n int) {
	h.hidden += n
	now := time.Now()
	at := now.Add(h.delay())
	if at.Before(h.lastArrive) {
		at = h.lastArrive
	}
	h.lastArrive = at
	time.AfterFunc(at.Sub(now), func() {
		h.change(func() { h.hidden = max(0, h.hidden-n) })
	})
}

// change makes a change that reader or writer may be waiting for.
func (h *half) change(f func()) {
	h.mu.Lock()
	f()
	h.cond.Broadcast()
	h.mu.Unlock()
}

// drop frees what nobody will read. The caller holds the lock.
func (h *half) drop() { h.buf, h.off, h.hidden = nil, 0, 0 }

// deadline is a read or write deadline, guarded by its half's lock.
type deadline struct {
	passed bool
	timer  *time.Timer
	set    uint64 // counts settings: the timer of an earlier one has no say
}

func (d *deadline) stop() {
	d.set++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// setDeadline sets d, which is one of h's; the zero time means none. It reports false if d's end is closed.
func (h *half) setDeadline(d *deadline, t time.Time) (ok bool) {
	h.change(func() {
		if d == &h.readDeadline && h.gone || d == &h.writeDeadline && h.closed {
			return
		}
		ok = true
		d.stop()
		wait := time.Until(t)
		d.passed = !t.IsZero() && wait <= 0
		if t.IsZero() || d.passed {
			return
		}
		set := d.set
		d.timer = time.AfterFunc(wait, func() {
			h.change(func() {
				if d.set == set {
					d.passed = true
				}
			})
		})
	})
	return ok
}
