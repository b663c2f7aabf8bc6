package codec

import (
	"encoding/binary"
	"math"
	"reflect"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// encoder appends values of known types to a slice, as msgpack/v5 would write them. The Encoder of msgpack/v5 is for types
// with a method that takes one: it writes to the same slice.
type encoder struct {
	out []byte
	enc *msgpack.Encoder
}

// encodeFunc appends v.
type encodeFunc func(e *encoder, v reflect.Value) error

func (e *encoder) Write(b []byte) (int, error) {
	e.out = append(e.out, b...)
	return len(b), nil
}

func (e *encoder) WriteByte(b byte) error {
	e.out = append(e.out, b)
	return nil
}

func (e *encoder) null() error {
	e.out = append(e.out, 0xc0)
	return nil
}

func (e *encoder) text(s string) { e.out = append(appendHead(e.out, 0xa0, 1<<5, 0xd9, len(s)), s...) }
func (e *encoder) array(n int)   { e.out = appendShortHead(e.out, 0x90, 0xdc, n) }
func (e *encoder) pairs(n int)   { e.out = appendShortHead(e.out, 0x80, 0xde, n) }
func (e *encoder) float(f float64) {
	e.out = binary.BigEndian.AppendUint64(append(e.out, 0xcb), math.Float64bits(f))
}

func (e *encoder) bool(b bool) {
	if b {
		e.out = append(e.out, 0xc3)
	} else {
		e.out = append(e.out, 0xc2)
	}
}

// appendShortHead is appendHead where there is no code for a length in one byte.
func appendShortHead(dst []byte, fix, long byte, n int) []byte {
	switch {
	case n < 1<<4:
		return append(dst, fix|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, long), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, long+1), uint32(n))
}

// uint and int take as few bytes as there are for the number.
func (e *encoder) uint(n uint64) {
	switch {
	case n <= math.MaxInt8:
		e.out = append(e.out, byte(n))
	case n <= math.MaxUint8:
		e.out = append(e.out, 0xcc, byte(n))
	case n <= math.MaxUint16:
		e.out = binary.BigEndian.AppendUint16(append(e.out, 0xcd), uint16(n))
	case n <= math.MaxUint32:
		e.out = binary.BigEndian.AppendUint32(append(e.out, 0xce), uint32(n))
	default:
		e.out = binary.BigEndian.AppendUint64(append(e.out, 0xcf), n)
	}
}

func (e *encoder) int(n int64) {
	switch {
	case n >= 0:
		e.uint(uint64(n))
	case n >= -32:
		e.out = append(e.out, byte(n))
	case n >= math.MinInt8:
		e.out = append(e.out, 0xd0, byte(n))
	case n >= math.MinInt16:
		e.out = binary.BigEndian.AppendUint16(append(e.out, 0xd1), uint16(n))
	case n >= math.MinInt32:
		e.out = binary.BigEndian.AppendUint32(append(e.out, 0xd2), uint32(n))
	default:
		e.out = binary.BigEndian.AppendUint64(append(e.out, 0xd3), uint64(n))
	}
}

// time appends a timestamp, in the shortest of its three forms.
func (e *encoder) time(t time.Time) {
	seconds, nanoseconds := uint64(t.Unix()), uint64(t.Nanosecond())
	switch both := nanoseconds<<34 | seconds; {
	case seconds>>34 != 0:
		e.out = binary.BigEndian.AppendUint32(append(e.out, 0xc7, 12, 0xff), uint32(nanoseconds))
		e.out = binary.BigEndian.AppendUint64(e.out, seconds)
	case both>>32 != 0:
		e.out = binary.BigEndian.AppendUint64(append(e.out, 0xd7, 0xff), both)
	default:
		e.out = binary.BigEndian.AppendUint32(append(e.out, 0xd6, 0xff), uint32(both))
	}
}

// any appends what an interface holds. Untyped data goes without reflection.
func (e *encoder) any(x any) error {
	switch x := x.(type) {
	case nil:
		return e.null()
	case bool:
		e.bool(x)
	case int:
		e.int(int64(x))
	case int64:
		e.int(x)
	case float64:
		e.float(x)
	case string:
		e.text(x)
	case []byte:
		e.out = appendBytes(e.out, x)
	case map[string]any:
		if x == nil {
			return e.null()
		}
		e.pairs(len(x))
		for key, v := range x {
			e.text(key)
			if err := e.any(v); err != nil {
				return err
			}
		}
	case []any:
		if x == nil {
			return e.null()
		}
		e.array(len(x))
		for _, v := range x {
			if err := e.any(v); err != nil {
				return err
			}
		}
	default:
		v := reflect.ValueOf(x)
		info := infoOf(v.Type())
		if info.err != nil {
			return info.err
		}
		return info.encode(e, v)
	}
	return nil
}

func encodeBool(e *encoder, v reflect.Value) error   { e.bool(v.Bool()); return nil }
func encodeInt(e *encoder, v reflect.Value) error    { e.int(v.Int()); return nil }
func encodeUint(e *encoder, v reflect.Value) error   { e.uint(v.Uint()); return nil }
func encodeFloat(e *encoder, v reflect.Value) error  { e.float(v.Float()); return nil }
func encodeString(e *encoder, v reflect.Value) error { e.text(v.String()); return nil }

func encodeFloat32(e *encoder, v reflect.Value) error {
	e.out = binary.BigEndian.AppendUint32(append(e.out, 0xca), math.Float32bits(float32(v.Float())))
	return nil
}

func encodeBytes(e *encoder, v reflect.Value) error {
	e.out = appendBytes(e.out, v.Bytes())
	return nil
}

func encodeByteArray(e *encoder, v reflect.Value) error {
	n := v.Len()
	e.out = appendHead(e.out, 0, 0, 0xc4, n)
	if v.CanAddr() {
		e.out = append(e.out, v.Bytes()...)
		return nil
	}
	for i := range n {
		e.out = append(e.out, byte(v.Index(i).Uint()))
	}
	return nil
}

func encodeTime(e *encoder, v reflect.Value) error {
	if v.CanAddr() {
		e.time(*v.Addr().Interface().(*time.Time))
	} else {
		e.time(v.Interface().(time.Time))
	}
	return nil
}

func encodeAny(e *encoder, v reflect.Value) error { return e.any(v.Interface()) }

func encodeError(e *encoder, v reflect.Value) error {
	if v.IsNil() {
		return e.null()
	}
	e.text(v.Interface().(error).Error())
	return nil
}
