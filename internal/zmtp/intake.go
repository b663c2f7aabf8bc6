package zmtp

import (
	"sync"
	"time"
)

const (
	intakeSize = 64 << 10
	plainSize  = 4 << 10 // of a connection without file descriptor, which keeps it
	afterBig   = 4 << 10 // how much is read behind a big body: perhaps another follows, which would be copied
)

// intake is what a reader reads into while something is there to read.
type intake struct{ buf []byte }

// intakes holds those that nobody uses.
var intakes = sync.Pool{New: func() any { return &intake{buf: make([]byte, intakeSize)} }}

// openIntake gets r an intake, with what was kept of the last one.
func (r *reader) openIntake() {
	r.in = intakes.Get().(*intake)
	r.r, r.w = 0, copy(r.in.buf, r.kept)
	r.kept = nil
}

// closeIntake gives it up, but for what is not decoded.
func (r *reader) closeIntake() {
	r.kept = append([]byte(nil), r.unread()...)
	intakes.Put(r.in)
	r.in, r.r, r.w = nil, 0, 0
}

// end gives everything up: nothing more is read, but who has messages of the connection may keep it for long.
func (r *reader) end() {
	if r.in != nil && r.raw != nil {
		intakes.Put(r.in)
	}
	r.in, r.r, r.w, r.kept, r.under = nil, 0, 0, nil, underway{}
}

// unread is what was read and not decoded.
func (r *reader) unread() []byte {
	if r.in == nil {
		return r.kept
	}
	return r.in.buf[r.r:r.w]
}

// fill reads at least one byte more, behind what is unread. There will be room for need bytes, at most intakeSize.
func (r *reader) fill(need int) error {
	if r.raw == nil {
		r.widen(need)
	}
	if r.in != nil && (r.r == r.w || len(r.in.buf)-r.r < need) {
		r.r, r.w = 0, copy(r.in.buf, r.unread())
	}
	if r.raw == nil {
		n, err := r.read(r.in.buf[r.w:])
		r.w += n
		if n > 0 {
			return nil
		}
		return err
	}
	if err := r.wait(); err != nil {
		return err
	}
	r.n, r.err = 0, nil
	if err := r.waited(r.raw.Read(r.attempt)); err != nil {
		return err
	}
	r.w += r.n
	return r.err
}

// read reads at least one byte into p.
func (r *reader) read(p []byte) (n int, err error) {
	if err := r.wait(); err != nil {
		return 0, err
	}
	n, err = r.nc.Read(p)
	return n, r.waited(err)
}

// widen gets a connection without file descriptor a buffer for need bytes.
func (r *reader) widen(need int) {
	size := plainSize
	if need > size {
		size = intakeSize
	}
	if r.in == nil || len(r.in.buf) < size {
		in := &intake{buf: make([]byte, size)}
		r.r, r.w = 0, copy(in.buf, r.unread())
		r.in = in
	}
}

// readRaw reads what is there. If that is nothing, it keeps no buffer for the wait.
func (r *reader) readRaw(fd uintptr) bool {
	if r.in == nil {
		r.openIntake()
	}
	free := r.in.buf[r.w:]
	if r.lean {
		free = free[:min(len(free), afterBig)]
	}
	n, again, err := readNow(fd, free)
	if again {
		r.closeIntake()
		return false
	}
	r.n, r.err = n, err
	return true
}

// unlock frees mu, and tells CloseWrite.
func (r *reader) unlock() {
	r.mu.unlock()
	select {
	case r.left <- struct{}{}:
	default:
	}
}

// discard reads until the stream ends, however long that takes.
func (r *reader) discard() {
	in := intakes.Get().(*intake)
	defer intakes.Put(in)
	for {
		if _, err := r.nc.Read(in.buf); isTimeout(err) {
			r.nc.SetReadDeadline(time.Time{})
		} else if err != nil {
			return
		}
	}
}
