package zmtp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	bigBody    = 16 << 10  // a longer body gets memory of its own
	firstClaim = 128 << 10 // how much of it before any of the body has arrived
	maxFrames  = 1 << 16   // in one message
	listSize   = 64        // messages' lists of frames are cut from lists of this length
	plainSize  = 4 << 10   // read buffer of a connection without file descriptor
)

// reader takes frames from a stream. It reads into a slab as much as there is, and hands out parts of it. While nothing
// is there to read, it holds no slab.
type reader struct {
	mu   sync.Mutex    // held during a Read
	left chan struct{} // a Read has released mu while CloseWrite waits for it
	nc   net.Conn
	raw  syscall.RawConn // nil if nc has none
	max  uint64          // bytes in a message
	ttl  time.Duration   // the peer promised to send something this often; 0: it did not
	turn turn            // for the heartbeat

	cipher   Cipher // nil: frames come as they are
	overhead uint64 // the cipher's
	publish  bool   // SUBSCRIBE and CANCEL become messages

	slab *slab  // what buf was borrowed with; nil if it was not
	buf  []byte // buf[r:w] is read and not handed out, buf[w:] is free
	r, w int

	list    [][]byte // frames of messages handed out, and of the one under way
	attempt func(fd uintptr) bool
	n       int // what attempt read
	err     error
}

func (r *reader) init(nc net.Conn, maxMessage int64) {
	r.nc, r.raw, r.max = nc, rawOf(nc), uint64(maxMessage)
	r.left = make(chan struct{}, 1)
	r.attempt = r.readRaw
}

// next returns the next message. Commands on the way go to command, whose error ends it; libzmq sends a PING also
// between two frames of a message. The error is io.EOF only between two messages.
func (r *reader) next(command func(body []byte) error) ([][]byte, error) {
	start, big := len(r.list), false
	total := uint64(0) // bytes of the message so far
	for {
		h, err := r.header()
		if err != nil {
			return nil, r.inside(err, len(r.list) > start)
		}
		if h.size > r.max-total+r.overhead {
			return nil, fmt.Errorf("%w: frame of %d bytes after %d bytes of its message, the limit is %d", ErrProtocol, h.size, total, r.max)
		}
		body, err := r.body(h.size)
		if err != nil {
			return nil, r.inside(err, true)
		}
		if r.cipher != nil {
			if h, body, err = r.open(h, body); err != nil {
				return nil, err
			}
		}
		if h.command() {
			if sub := r.subscription(body); sub != nil {
				if len(r.list) > start {
					return nil, fmt.Errorf("%w: subscription inside a message", ErrProtocol)
				}
				return [][]byte{sub}, nil
			}
			if err := command(body); err != nil {
				return nil, err
			}
			continue
		}
		if len(r.list)-start == maxFrames {
			return nil, fmt.Errorf("%w: message of more than %d frames", ErrProtocol, maxFrames)
		}
		total += h.size
		big = big || h.size > bigBody
		start = r.room(start)
		r.list = append(r.list, body)
		if h.more() {
			continue
		}
		msg := r.list[start:len(r.list):len(r.list)]
		if big {
			r.list = nil // or small messages would keep the big one's memory
		}
		return msg, nil
	}
}

// open returns the frame that is sealed in one. libzmq sends those as messages, RFC 26 has them as commands.
func (r *reader) open(h header, sealed []byte) (header, []byte, error) {
	if h.more() {
		return h, nil, fmt.Errorf("%w: MORE flag on a sealed frame", ErrProtocol)
	}
	more, command, body, err := r.cipher.Open(sealed)
	switch {
	case err != nil:
		return h, nil, err
	case more && command:
		return h, nil, fmt.Errorf("%w: command with the MORE flag", ErrProtocol)
	}
	return header{flags: flags(more, command), size: uint64(len(body))}, body, nil
}

// room makes room in list for one more frame of the message that starts at start, and returns where it starts now.
func (r *reader) room(start int) int {
	if len(r.list) < cap(r.list) {
		return start
	}
	frames := r.list[start:]
	r.list = append(make([][]byte, 0, max(listSize, 2*len(frames))), frames...)
	return 0
}

// inside says of an error that it came in the middle of something.
func (r *reader) inside(err error, inside bool) error {
	if inside && errors.Is(err, io.EOF) {
		return fmt.Errorf("zmtp: connection ended inside a message: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// header takes the next frame's header.
func (r *reader) header() (header, error) {
	for {
		h, n, err := decodeHeader(r.buf[r.r:r.w])
		if err != nil {
			return h, err
		}
		if n > 0 {
			r.r += n
			return h, nil
		}
		partial := r.w > r.r
		if err := r.fill(longHeader); err != nil {
			return h, r.inside(err, partial)
		}
	}
}

// body takes the next size bytes.
func (r *reader) body(size uint64) ([]byte, error) {
	if size > bigBody {
		return r.bigBody(size)
	}
	n := int(size)
	for r.w-r.r < n {
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	body := r.buf[r.r : r.r+n : r.r+n]
	r.r += n
	return body, nil
}

// bigBody reads a body into memory of its own, which grows as the bytes come: a claim alone reserves little.
func (r *reader) bigBody(size uint64) ([]byte, error) {
	body := make([]byte, 0, min(size, firstClaim))
	n := min(r.w-r.r, cap(body))
	body = append(body, r.buf[r.r:r.r+n]...)
	r.r += n
	for uint64(len(body)) < size {
		if len(body) == cap(body) {
			grown := make([]byte, len(body), min(size, 2*uint64(cap(body))))
			copy(grown, body)
			body = grown
		}
		if err := r.deadline(); err != nil {
			return nil, err
		}
		r.turn.next()
		n, err := r.nc.Read(body[len(body):cap(body)])
		r.turn.next()
		body = body[:len(body)+n]
		if err != nil && uint64(len(body)) < size {
			return nil, err
		}
	}
	return body, nil
}

// fill reads at least one byte more. buf will have room for need bytes from r on, need being at most bigBody.
func (r *reader) fill(need int) error {
	switch short := len(r.buf)-r.r < need; {
	case short && r.r == r.w && r.raw != nil:
		r.use(nil, nil) // readRaw finds a new one when there is something to read
	case short && r.r == r.w && need <= plainSize:
		r.use(nil, make([]byte, plainSize))
	case short:
		s := borrow(need)
		kept := copy(s.free, r.buf[r.r:r.w])
		r.use(s, s.free)
		r.w = kept
	}
	if err := r.deadline(); err != nil {
		return err
	}
	r.turn.next()
	defer r.turn.next()
	if r.raw == nil {
		n, err := r.nc.Read(r.buf[r.w:])
		r.w += n
		if n > 0 {
			return nil
		}
		return err
	}
	r.n, r.err = 0, nil
	if err := r.raw.Read(r.attempt); err != nil {
		return err
	}
	r.w += r.n
	return r.err
}

// readRaw reads what is there. If that is nothing and nothing is half read, it keeps no memory for the wait.
func (r *reader) readRaw(fd uintptr) bool {
	if r.buf == nil {
		s := borrow(longHeader)
		r.use(s, s.free)
	}
	n, again, err := readNow(fd, r.buf[r.w:])
	if again {
		if r.r == r.w {
			r.slab.free = r.buf[r.w:]
			r.slab.giveBack()
			r.use(nil, nil)
		}
		return false
	}
	r.n, r.err = n, err
	return true
}

// use makes buf the buffer, empty.
func (r *reader) use(s *slab, buf []byte) { r.slab, r.buf, r.r, r.w = s, buf, 0, 0 }

// deadline gives the peer the time that it said it would need at most, if it did.
func (r *reader) deadline() error {
	if r.ttl == 0 {
		return nil
	}
	return r.nc.SetReadDeadline(time.Now().Add(r.ttl))
}

// leave tells CloseWrite that mu is free.
func (r *reader) leave() {
	select {
	case r.left <- struct{}{}:
	default:
	}
}

// discard reads until the stream ends.
func (r *reader) discard() {
	s := borrow(slabLeft)
	defer s.giveBack()
	for {
		if _, err := r.nc.Read(s.free); err != nil {
			return
		}
	}
}
