package zmtp

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A frame on the wire is a byte of flags, its body's length in one byte or (flagLong) in eight, and its body.
const (
	flagMore    = 1 // the message goes on in the next frame
	flagLong    = 2
	flagCommand = 4
	flagsKnown  = flagMore | flagLong | flagCommand

	shortHeader = 2
	longHeader  = 9
	shortBody   = 255 // the longest body that a short header can announce

	frameCost = 48 // memory that a queued frame takes besides its body: its place in lists, which grow by doubling
)

// header is a frame's header.
type header struct {
	flags byte
	size  uint64 // of the body, at most math.MaxInt64
}

func (h header) more() bool    { return h.flags&flagMore != 0 }
func (h header) command() bool { return h.flags&flagCommand != 0 }

func flags(more, command bool) (f byte) {
	if more {
		f |= flagMore
	}
	if command {
		f |= flagCommand
	}
	return f
}

// decodeHeader reads the header that p starts with. n is its length, 0 if p holds less than all of it. A header that
// no peer may send is refused as early as possible, also if p does not hold all of it.
func decodeHeader(p []byte) (h header, n int, err error) {
	if len(p) == 0 {
		return h, 0, nil
	}
	h.flags = p[0]
	if h.flags&^flagsKnown != 0 {
		return h, 0, fmt.Errorf("%w: reserved frame flags 0x%02x", ErrProtocol, h.flags)
	}
	if h.command() && h.more() {
		return h, 0, fmt.Errorf("%w: command with the MORE flag", ErrProtocol)
	}
	if h.flags&flagLong == 0 {
		if len(p) < shortHeader {
			return h, 0, nil
		}
		h.size = uint64(p[1])
		return h, shortHeader, nil
	}
	if len(p) < longHeader {
		return h, 0, nil
	}
	h.size = binary.BigEndian.Uint64(p[1:])
	if h.size > math.MaxInt64 {
		return h, 0, fmt.Errorf("%w: frame of %d bytes", ErrProtocol, h.size)
	}
	return h, longHeader, nil
}

// appendHeader appends the header of a frame with a body of size bytes. flags are flagMore, flagCommand or 0.
func appendHeader(dst []byte, flags byte, size int) []byte {
	if size <= shortBody {
		return append(dst, flags, byte(size))
	}
	return binary.BigEndian.AppendUint64(append(dst, flags|flagLong), uint64(size))
}

// appendFrame appends a whole frame.
func appendFrame(dst []byte, flags byte, body []byte) []byte {
	return append(appendHeader(dst, flags, len(body)), body...)
}

// appendSealed appends a frame that holds a sealed one. flags are the latter's.
func appendSealed(dst []byte, c Cipher, flags byte, body []byte) []byte {
	dst = slices.Grow(dst, longHeader+len(body)+c.Overhead())
	dst = appendHeader(dst, 0, len(body)+c.Overhead())
	return c.Seal(dst, flags&flagMore != 0, flags&flagCommand != 0, body)
}

// appendMessage appends the frames of msg.
func appendMessage(dst []byte, msg [][]byte) []byte {
	last := len(msg) - 1
	for i, body := range msg {
		flags := byte(flagMore)
		if i == last {
			flags = 0
		}
		dst = appendFrame(dst, flags, body)
	}
	return dst
}

// wireSize is how many bytes appendMessage appends, if each body is longer by overhead.
func wireSize(msg [][]byte, overhead int) int {
	n := 0
	for _, body := range msg {
		n += shortHeader + len(body) + overhead
		if len(body)+overhead > shortBody {
			n += longHeader - shortHeader
		}
	}
	return n
}

// splitFrame takes the first frame off p, which starts with a whole one that was looked at before.
func splitFrame(p []byte) (h header, body, rest []byte) {
	h.flags = p[0]
	n := shortHeader
	if h.flags&flagLong == 0 {
		h.size = uint64(p[1])
	} else {
		n = longHeader
		h.size = binary.BigEndian.Uint64(p[1:])
	}
	end := n + int(h.size)
	return h, p[n:end:end], p[end:]
}

// WireSize is how many bytes a message of the frames of head and then those of frames takes on the wire.
func WireSize(head, frames [][]byte) int { return wireSize(head, 0) + wireSize(frames, 0) }

// footprint is about how many bytes of memory msg takes: an empty frame is not free either.
func footprint(msg [][]byte) int { return len(msg)*frameCost + Payload(msg) }

// appendCommand appends a command frame.
func appendCommand(dst []byte, name string, body []byte) []byte {
	dst = appendHeader(dst, flagCommand, 1+len(name)+len(body))
	dst = append(dst, byte(len(name)))
	dst = append(dst, name...)
	return append(dst, body...)
}

// splitCommand takes a command frame's body apart.
func splitCommand(p []byte) (name string, body []byte, err error) {
	if len(p) == 0 {
		return "", nil, fmt.Errorf("%w: empty command", ErrProtocol)
	}
	n := int(p[0])
	if n == 0 || 1+n > len(p) {
		return "", nil, fmt.Errorf("%w: command with a name of %d bytes in a frame of %d", ErrProtocol, n, len(p))
	}
	return string(p[1 : 1+n]), p[1+n:], nil
}

// splitError returns the reason that the body of an ERROR command gives.
func splitError(body []byte) (reason string) {
	if len(body) == 0 || int(body[0]) > len(body)-1 {
		return ""
	}
	return string(body[1 : 1+int(body[0])])
}
