package zmtp

import (
	"net"
	"syscall"
	"time"
)

const (
	bigBody    = 16 << 10  // a longer body is read into memory of its own
	firstClaim = 128 << 10 // how much of it before any of the body has arrived
	maxFrames  = 1 << 16   // in one message, if Config does not say
	fewFrames  = 16        // in a message that is taken in one go
	piece      = 3 << 10   // messages are copied out in pieces of this size: who keeps one keeps its piece
)

// reader takes messages from a stream. It reads as much as there is, and copies them out. While nothing is there to
// read, it holds no buffer.
type reader struct {
	mu     gate          // held during a Read
	left   chan struct{} // a Read has released mu while CloseWrite waits for it
	nc     net.Conn
	raw    syscall.RawConn // nil if nc has none
	max    uint64          // bytes in a message
	frames int             // in a message, at most
	ttl    time.Duration   // the peer promised to send something this often; 0: it did not
	turn   turn            // for the heartbeat

	began   time.Time     // the last wait, if there is a ttl
	silence time.Duration // of interrupted waits since something came

	cipher   Cipher // nil: frames come as they are
	overhead uint64 // the cipher's
	publish  bool   // SUBSCRIBE and CANCEL become messages
	lend     bool   // messages are not copied out
	lent     []byte // a big body that was

	in   *intake // nil while there is nothing to read
	kept []byte  // what was not decoded when in was given up
	r, w int     // in.buf[r:w] is read and not decoded
	lean bool    // a big body was read last

	under underway // what is read frame by frame
	stop  interruption

	one   [1]Batch // for Read
	lists Lists

	attempt func(fd uintptr) bool
	n       int // what attempt read
	err     error
}

func (r *reader) init(nc net.Conn, maxMessage int64) {
	r.mu, r.nc, r.raw, r.max, r.frames = make(gate, 1), nc, rawOf(nc), uint64(maxMessage), maxFrames
	r.left = make(chan struct{}, 1)
	r.stop.bell = make(chan struct{}, 1)
	r.attempt = r.readRaw
}

// next appends messages to batches: at least one, and those that are there already, but no more than most. Commands on the
// way go to command, after the messages before them were returned; its error ends it. The error is io.EOF only between
// two messages. With an error there is no message.
func (r *reader) next(batches []Batch, most int, command func(body []byte) error) ([]Batch, error) {
	r.takeBack()
	for {
		had, need := len(batches), 0
		for most > 0 && !r.under.headed && r.under.frames == nil {
			var b Batch
			if b, need = r.whole(most); b.messages == 0 {
				break
			}
			batches = append(batches, b)
			most -= b.messages
		}
		if len(batches) > had {
			return batches, nil
		}
		if need > 0 {
			if err := r.fill(need); err != nil {
				return nil, r.inside(err, r.partial())
			}
			continue
		}
		msg, err := r.message(command)
		if err != nil {
			return nil, err
		}
		if msg != nil {
			return append(batches, Single(msg)), nil
		}
	}
}

// whole takes messages that have been read whole: one at least, and more as long as they fit in a piece, and are no more
// than most. If there is none, need is how many bytes there have to be for another try; it is 0 if message has to take
// what is there.
func (r *reader) whole(most int) (b Batch, need int) {
	p, end := r.unread(), 0
	for b.messages < most {
		n, payload, short := r.measure(p[end:])
		if n == 0 {
			need = short
			break
		}
		if end > 0 && end+n > piece && !r.lend {
			break
		}
		end += n
		b.messages++
		b.payload += payload
	}
	if end > 0 {
		if b.buf = p[:end:end]; !r.lend {
			b.buf = append([]byte(nil), b.buf...)
		}
		r.r += end
		r.lean = false
	}
	return b, need
}

// measure returns how long the message is that p starts with, and how many bytes are in its frames. If it is not all
// there, n is 0 and need is how much there has to be at least, or 0 if it is for message to take: a command, what is
// sealed, large or wrong.
func (r *reader) measure(p []byte) (n, payload, need int) {
	if r.cipher != nil {
		return 0, 0, 0
	}
	if len(p) > shortHeader && p[0] == 0 && shortHeader+int(p[1]) <= len(p) && uint64(p[1]) <= r.max { // most are like that
		return shortHeader + int(p[1]), int(p[1]), 0
	}
	for range min(fewFrames, r.frames) {
		h, head, err := decodeHeader(p[n:])
		switch {
		case err != nil, h.command(), h.size > bigBody, uint64(payload)+h.size > r.max:
			return 0, 0, 0
		case head == 0:
			return 0, 0, n + longHeader
		}
		n += head + int(h.size)
		payload += int(h.size)
		switch {
		case n > intakeSize:
			return 0, 0, 0
		case n > len(p):
			return 0, 0, n
		case !h.more():
			return n, payload, 0
		}
	}
	return 0, 0, 0
}
