package node

import (
	"encoding/binary"
	"errors"
	"math"
)

// The few msgpack types of which headers and HELLOs are made, written and read without reflection. See
// https://github.com/msgpack/msgpack/blob/master/spec.md.

var errPack = errors.New("malformed msgpack")

func appendUint(dst []byte, n uint64) []byte {
	switch {
	case n < 1<<7:
		return append(dst, byte(n))
	case n <= math.MaxUint8:
		return append(dst, 0xcc, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(n))
	}
	return appendUint64(dst, n)
}

// appendUint64 writes n in nine bytes whatever its value, so that it can be written anew in place.
func appendUint64(dst []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), n)
}

func appendStr(dst []byte, s string) []byte {
	switch n := len(s); {
	case n < 1<<5:
		dst = append(dst, 0xa0|byte(n))
	case n <= math.MaxUint8:
		dst = append(dst, 0xd9, byte(n))
	case n <= math.MaxUint16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0xda), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint32(append(dst, 0xdb), uint32(n))
	}
	return append(dst, s...)
}

// appendBin writes up to 255 bytes.
func appendBin(dst, b []byte) []byte {
	return append(append(dst, 0xc4, byte(len(b))), b...)
}

func appendNil(dst []byte) []byte { return append(dst, 0xc0) }

// appendArray writes the head of an array of up to 65,535 elements.
func appendArray(dst []byte, n int) []byte {
	if n < 1<<4 {
		return append(dst, 0x90|byte(n))
	}
	return binary.BigEndian.AppendUint16(append(dst, 0xdc), uint16(n))
}

// appendMap writes the head of a map of up to 65,535 pairs.
func appendMap(dst []byte, n int) []byte {
	if n < 1<<4 {
		return append(dst, 0x80|byte(n))
	}
	return binary.BigEndian.AppendUint16(append(dst, 0xde), uint16(n))
}

// unpacker reads msgpack from the front of b. The first mistake sticks: what is read after it is zero.
type unpacker struct {
	b   []byte
	err error
	at  string // what is being read, or could not be
	lex *lexicon
}

// enter names what is read next.
func (u *unpacker) enter(what string) {
	if u.err == nil {
		u.at = what
	}
}

func (u *unpacker) fail() { u.b, u.err = nil, errPack }

// peek returns the next type byte; 0xc1, which msgpack never uses, at the end.
func (u *unpacker) peek() byte {
	if len(u.b) == 0 {
		return 0xc1
	}
	return u.b[0]
}

// take returns the next n bytes, a part of b.
func (u *unpacker) take(n uint64) []byte {
	if n > uint64(len(u.b)) {
		u.fail()
		return nil
	}
	t := u.b[:n:n]
	u.b = u.b[n:]
	return t
}

// number returns the next n bytes (1, 2, 4 or 8) as a big-endian number.
func (u *unpacker) number(n uint64) uint64 {
	var x uint64
	for _, c := range u.take(n) {
		x = x<<8 | uint64(c)
	}
	return x
}

// isNil reads a nil if there is one.
func (u *unpacker) isNil() bool {
	if u.peek() != 0xc0 {
		return false
	}
	u.take(1)
	return true
}

func (u *unpacker) isUint() bool { c := u.peek(); return c < 0x80 || c >= 0xcc && c <= 0xd3 }
func (u *unpacker) isStr() bool {
	c := u.peek()
	return c >= 0xa0 && c < 0xc0 || c >= 0xd9 && c <= 0xdb
}

// uint reads a number that is not negative, in a signed or an unsigned encoding.
func (u *unpacker) uint() uint64 {
	switch b := u.b; { // most are like that
	case len(b) > 0 && b[0] < 0x80:
		u.b = b[1:]
		return uint64(b[0])
	case len(b) > 8 && b[0] == 0xcf:
		u.b = b[9:]
		return binary.BigEndian.Uint64(b[1:])
	}
	c := u.number(1)
	switch {
	case c >= 0xcc && c <= 0xcf:
		return u.number(1 << (c - 0xcc))
	case c >= 0xd0 && c <= 0xd3:
		size := uint64(1) << (c - 0xd0)
		if x := u.number(size); x>>(8*size-1) == 0 {
			return x
		}
	}
	u.fail()
	return 0
}

// str reads a string of at most limit bytes.
func (u *unpacker) str(limit int) string { return string(u.text(limit)) }

// word is str for what comes often.
func (u *unpacker) word(limit int) string { return u.lex.str(u.text(limit)) }

// text reads a string of at most limit bytes, a part of b.
func (u *unpacker) text(limit int) []byte {
	c, n := u.number(1), uint64(0)
	switch {
	case c >= 0xa0 && c < 0xc0:
		n = c & 0x1f
	case c >= 0xd9 && c <= 0xdb:
		n = u.number(1 << (c - 0xd9))
	default:
		u.fail()
	}
	if n > uint64(limit) {
		u.fail()
	}
	if u.err != nil {
		return nil
	}
	return u.take(n)
}

// bin reads bytes, exactly n of them.
func (u *unpacker) bin(n uint64) []byte {
	c := u.number(1)
	if c < 0xc4 || c > 0xc6 || u.number(1<<(c-0xc4)) != n {
		u.fail()
		return nil
	}
	return u.take(n)
}

// array reads the head of an array. As each element has at least a byte, its length is at most what is left.
func (u *unpacker) array() int { return u.count(0x90, 0xdc, 1) }

// pairs reads the head of a map.
func (u *unpacker) pairs() int { return u.count(0x80, 0xde, 2) }

func (u *unpacker) count(fix, long uint64, least int) int {
	c, n := u.number(1), uint64(0)
	switch {
	case c&0xf0 == fix:
		n = c & 0x0f
	case c == long || c == long+1:
		n = u.number(2 << (c - long))
	default:
		u.fail()
	}
	if n > uint64(len(u.b)/least) {
		u.fail()
	}
	if u.err != nil {
		return 0
	}
	return int(n)
}

// skip reads over one value of any type, up to depth levels deep.
func (u *unpacker) skip(depth int) {
	c := u.peek()
	switch {
	case depth == 0 || c == 0xc1:
		u.fail()
	case c < 0x80 || c >= 0xe0 || c == 0xc0 || c == 0xc2 || c == 0xc3:
		u.take(1)
	case c&0xf0 == 0x80 || c == 0xde || c == 0xdf:
		for n := 2 * u.pairs(); n > 0 && u.err == nil; n-- {
			u.skip(depth - 1)
		}
	case c&0xf0 == 0x90 || c == 0xdc || c == 0xdd:
		for n := u.array(); n > 0 && u.err == nil; n-- {
			u.skip(depth - 1)
		}
	case u.isStr():
		u.text(math.MaxInt32)
	case c >= 0xc4 && c <= 0xc6: // bin
		u.take(1)
		u.take(u.number(1 << (c - 0xc4)))
	case c >= 0xc7 && c <= 0xc9: // ext
		u.take(1)
		u.take(u.number(1<<(c-0xc7)) + 1)
	case c >= 0xd4 && c <= 0xd8: // fixext
		u.take(2 + 1<<(c-0xd4))
	case c == 0xca: // float32
		u.take(5)
	case c == 0xcb: // float64
		u.take(9)
	default: // integers
		u.take(1 + 1<<((c-0xcc)&3))
	}
}
