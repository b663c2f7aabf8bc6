package codec

import (
	"encoding/binary"
	"math"
)

// kind is what a MessagePack header announces (https://github.com/msgpack/msgpack/blob/master/spec.md).
type kind uint8

const (
	kindShort    kind = iota // the bytes end within the header
	kindReserved             // 0xc1, never used
	kindNil
	kindBool   // number: 0 or 1
	kindInt    // number: a negative int64
	kindUint   // number: zero or positive
	kindFloat  // number: the bits of a float64
	kindString // number: bytes that follow
	kindBytes  // number: bytes that follow
	kindArray  // number: values that follow
	kindMap    // number: pairs of values that follow
	kindExt    // number: bytes that follow; the byte before them is the extension's type
)

var kindNames = [...]string{"truncated data", "reserved code 0xc1", "nil", "bool", "negative integer", "integer", "float",
	"string", "bytes", "array", "map", "extension"}

func (k kind) String() string { return kindNames[k] }

// head reads the header at b[pos]: what it announces, with which number, and where it ends.
func head(b []byte, pos int) (k kind, number uint64, next int) {
	if pos >= len(b) {
		return kindShort, 0, pos
	}
	c := b[pos]
	pos++
	switch {
	case c <= 0x7f:
		return kindUint, uint64(c), pos
	case c <= 0x8f:
		return kindMap, uint64(c & 0x0f), pos
	case c <= 0x9f:
		return kindArray, uint64(c & 0x0f), pos
	case c <= 0xbf:
		return kindString, uint64(c & 0x1f), pos
	case c >= 0xe0:
		return kindInt, uint64(int64(int8(c))), pos
	}
	f := formats[c-0xc0]
	next = pos + int(f.size)
	if next > len(b) {
		return kindShort, 0, len(b)
	}
	switch f.size {
	case 1:
		number = uint64(b[pos])
	case 2:
		number = uint64(binary.BigEndian.Uint16(b[pos:]))
	case 4:
		number = uint64(binary.BigEndian.Uint32(b[pos:]))
	case 8:
		number = binary.BigEndian.Uint64(b[pos:])
	}
	switch f.kind {
	case kindBool:
		number = uint64(c & 1)
	case kindInt:
		shift := 64 - 8*f.size
		if n := int64(number<<shift) >> shift; n < 0 {
			return kindInt, uint64(n), next
		}
		return kindUint, number, next
	case kindFloat:
		if f.size == 4 {
			number = math.Float64bits(float64(math.Float32frombits(uint32(number))))
		}
	case kindExt:
		if f.size == 0 {
			number = 1 << (c - 0xd4)
		}
		next++ // the type
		if next > len(b) {
			return kindShort, 0, len(b)
		}
	}
	return f.kind, number, next
}

// format is a header of one byte and a number of size bytes.
type format struct {
	kind kind
	size uint8
}

// formats are the headers 0xc0 to 0xdf.
var formats = [32]format{
	{kindNil, 0}, {kindReserved, 0}, {kindBool, 0}, {kindBool, 0},
	{kindBytes, 1}, {kindBytes, 2}, {kindBytes, 4}, {kindExt, 1}, {kindExt, 2}, {kindExt, 4},
	{kindFloat, 4}, {kindFloat, 8},
	{kindUint, 1}, {kindUint, 2}, {kindUint, 4}, {kindUint, 8}, {kindInt, 1}, {kindInt, 2}, {kindInt, 4}, {kindInt, 8},
	{kindExt, 0}, {kindExt, 0}, {kindExt, 0}, {kindExt, 0}, {kindExt, 0},
	{kindString, 1}, {kindString, 2}, {kindString, 4}, {kindArray, 2}, {kindArray, 4}, {kindMap, 2}, {kindMap, 4},
}
