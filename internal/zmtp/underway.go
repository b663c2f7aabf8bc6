package zmtp

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// underway is a message of which a part was read.
type underway struct {
	frames [][]byte
	size   uint64 // of frames
	headed bool   // the next one's header was read: head
	head   header
	body   []byte // of that one, what was read of it, if it is big
}

// message goes on with the next message, reading as much as it takes, and returns it, or nil after a command. libzmq
// sends a PING also between two frames of a message.
func (r *reader) message(command func(body []byte) error) ([][]byte, error) {
	m := &r.under
	for {
		if err := r.header(); err != nil {
			return nil, r.inside(err, len(m.frames) > 0)
		}
		body, err := r.body()
		if err != nil {
			return nil, r.inside(err, true)
		}
		h := m.head
		m.head, m.body, m.headed = header{}, nil, false
		if r.cipher != nil {
			if h, body, err = r.open(h, body); err != nil {
				return nil, err
			}
		}
		if h.command() {
			if sub := r.subscription(body); sub != nil && m.frames != nil {
				return nil, fmt.Errorf("%w: subscription inside a message", ErrProtocol)
			} else if sub != nil {
				return [][]byte{sub}, nil
			}
			if err := command(body); err != nil || m.frames == nil {
				return nil, err
			}
			continue
		}
		if len(m.frames) == r.frames {
			return nil, fmt.Errorf("%w: message of more than %d frames", ErrProtocol, r.frames)
		}
		m.size += h.size
		m.frames = append(m.frames, body)
		if !h.more() {
			msg := m.frames
			r.under = underway{}
			return msg, nil
		}
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

// partial says whether a part of a message was read.
func (r *reader) partial() bool { return r.w > r.r || len(r.kept) > 0 }

// inside says of an error that it came in the middle of something.
func (r *reader) inside(err error, inside bool) error {
	if inside && errors.Is(err, io.EOF) {
		return fmt.Errorf("zmtp: connection ended inside a message: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// header takes the next frame's header.
func (r *reader) header() error {
	for m := &r.under; !m.headed; {
		h, n, err := decodeHeader(r.unread())
		switch {
		case err != nil:
			return err
		case n == 0:
			if err := r.fill(longHeader); err != nil {
				return r.inside(err, r.partial())
			}
			continue
		case h.size > r.max-m.size+r.overhead:
			return fmt.Errorf("%w: frame of %d bytes after %d bytes of its message, the limit is %d", ErrProtocol, h.size, m.size, r.max)
		}
		r.r += n
		m.head, m.headed = h, true
	}
	return nil
}

// body takes the body of the frame under way, in memory of its own.
func (r *reader) body() ([]byte, error) {
	size := r.under.head.size
	if size > bigBody {
		return r.bigBody(size)
	}
	n := int(size)
	for r.w-r.r < n {
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	body := append(make([]byte, 0, n), r.unread()[:n]...)
	r.r += n
	return body, nil
}

// bigBody reads a body into memory of its own, which grows as the bytes come: a claim alone reserves little.
func (r *reader) bigBody(size uint64) ([]byte, error) {
	body := r.under.body
	lend := r.lend && size <= firstClaim && !r.under.head.more() && r.under.frames == nil
	if body == nil {
		if lend {
			body = bigBodies.Get().(*[firstClaim]byte)[:0]
		} else {
			body = make([]byte, 0, min(size, firstClaim))
		}
		n := min(r.w-r.r, int(size), cap(body))
		body = append(body, r.unread()[:n]...)
		r.r += n
		r.lean = true
	}
	for uint64(len(body)) < size {
		if len(body) == cap(body) {
			grown := make([]byte, len(body), min(size, 2*uint64(cap(body))))
			copy(grown, body)
			body = grown
		}
		n, err := r.read(body[len(body):min(uint64(cap(body)), size)])
		body = body[:len(body)+n]
		r.under.body = body
		if err != nil && uint64(len(body)) < size {
			return nil, err
		}
	}
	if lend {
		r.lent = body
	}
	return body, nil
}

// bigBodies are memory for those that are lent.
var bigBodies = sync.Pool{New: func() any { return new([firstClaim]byte) }}

// takeBack ends a loan.
func (r *reader) takeBack() {
	if r.lent != nil {
		bigBodies.Put((*[firstClaim]byte)(r.lent[:firstClaim]))
		r.lent = nil
	}
}
