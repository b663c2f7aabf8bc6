package codec

import (
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"strings"
)

// decoder reads values of known types from bytes that scan has found good. msgpack/v5's own decoder is used by types
// with methods of their own only: it cuts off numbers that don't fit, gives times in the local zone and untyped numbers
// in types that depend on their size, takes the contents of an extension for a map's header, and keeps a goroutine per
// embedded pointer type.
type decoder struct {
	b      []byte
	pos    int
	budget uint64          // bytes that may still be allocated for elements
	texts  strings.Builder // short strings are cut from its memory
}

// decodeFunc decodes the next value into v, which is settable, whatever v held before.
type decodeFunc func(d *decoder, v reflect.Value) error

// budget bounds what decoding n bytes may allocate where a type, rather than the bytes, says how much: one byte can
// stand for a struct of any size.
func budget(n int) uint64 { return 1<<20 + 128*uint64(n) }

func (d *decoder) charge(n uint64, size uintptr) error {
	if size > 0 && n > d.budget/uint64(size) {
		return fmt.Errorf("%w: %d bytes of data would take too much memory", ErrLimit, len(d.b))
	}
	d.budget -= n * uint64(size)
	return nil
}

func (d *decoder) head() (k kind, n uint64) {
	k, n, d.pos = head(d.b, d.pos)
	return k, n
}

// bytes returns the n bytes that come next, in d's memory.
func (d *decoder) bytes(n uint64) []byte {
	b := d.b[d.pos : d.pos+int(n)]
	d.pos += int(n)
	return b
}

// Short strings of a value share memory, in pieces of sharedText bytes.
const (
	shortText  = 64
	sharedText = 128
)

// text returns the n bytes that come next as a string.
func (d *decoder) text(n uint64) string {
	b := d.bytes(n)
	if len(b) > shortText {
		return string(b)
	}
	t := &d.texts
	if t.Cap()-t.Len() < len(b) {
		t.Reset()
		t.Grow(min(len(b)+len(d.b)-d.pos, sharedText))
	}
	from := t.Len()
	t.Write(b)
	return t.String()[from:]
}

// isNil takes a nil, if that comes next.
func (d *decoder) isNil() bool {
	if d.b[d.pos] != 0xc0 {
		return false
	}
	d.pos++
	return true
}

func (d *decoder) skip() (err error) {
	d.pos, err = skip(d.b, d.pos, nil)
	return err
}

func mismatch(k kind, t reflect.Type) error { return fmt.Errorf("a %v is no %v", k, t) }

func decodeBool(d *decoder, v reflect.Value) error {
	switch k, n := d.head(); k {
	case kindBool:
		v.SetBool(n == 1)
	case kindNil:
		v.SetZero()
	default:
		return mismatch(k, v.Type())
	}
	return nil
}

func decodeInt(d *decoder, v reflect.Value) error {
	switch k, n := d.head(); k {
	case kindUint:
		if n > math.MaxInt64 || v.OverflowInt(int64(n)) {
			return fmt.Errorf("%d does not fit %v", n, v.Type())
		}
		v.SetInt(int64(n))
	case kindInt:
		if v.OverflowInt(int64(n)) {
			return fmt.Errorf("%d does not fit %v", int64(n), v.Type())
		}
		v.SetInt(int64(n))
	case kindNil:
		v.SetZero()
	default:
		return mismatch(k, v.Type())
	}
	return nil
}

func decodeUint(d *decoder, v reflect.Value) error {
	switch k, n := d.head(); k {
	case kindUint:
		if v.OverflowUint(n) {
			return fmt.Errorf("%d does not fit %v", n, v.Type())
		}
		v.SetUint(n)
	case kindInt:
		return fmt.Errorf("%d does not fit %v", int64(n), v.Type())
	case kindNil:
		v.SetZero()
	default:
		return mismatch(k, v.Type())
	}
	return nil
}

// decodeFloat takes integers too, if the float can hold them exactly. A float64 may lose precision in a float32.
func decodeFloat(d *decoder, v reflect.Value) error {
	k, n := d.head()
	var f float64
	exact := true
	switch k {
	case kindFloat:
		f = math.Float64frombits(n)
	case kindUint, kindInt:
		f = float64(n)
		if k == kindInt {
			f, n = float64(int64(n)), -n
		}
		mantissa := 53
		if v.Kind() == reflect.Float32 {
			mantissa = 24
		}
		exact = bits.Len64(n)-bits.TrailingZeros64(n) <= mantissa
	case kindNil:
	default:
		return mismatch(k, v.Type())
	}
	if !exact || v.OverflowFloat(f) {
		return fmt.Errorf("%.17g does not fit %v", f, v.Type())
	}
	v.SetFloat(f)
	return nil
}

func decodeString(d *decoder, v reflect.Value) error {
	switch k, n := d.head(); k {
	case kindString, kindBytes:
		v.SetString(d.text(n))
	case kindNil:
		v.SetZero()
	default:
		return mismatch(k, v.Type())
	}
	return nil
}

func decodeBytes(d *decoder, v reflect.Value) error {
	switch k, n := d.head(); k {
	case kindString, kindBytes:
		v.SetBytes(append(make([]byte, 0, n), d.bytes(n)...))
	case kindNil:
		v.SetZero()
	default:
		return mismatch(k, v.Type())
	}
	return nil
}

func decodeByteArray(d *decoder, v reflect.Value) error {
	k, n := d.head()
	switch {
	case k == kindNil:
		v.SetZero()
	case k != kindString && k != kindBytes:
		return mismatch(k, v.Type())
	case n != uint64(v.Len()):
		return fmt.Errorf("%d bytes are no %v", n, v.Type())
	default:
		copy(v.Bytes(), d.bytes(n))
	}
	return nil
}

func decodeTime(d *decoder, v reflect.Value) error {
	k, n := d.head()
	switch k {
	case kindExt:
		t, err := d.time(n)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
	case kindNil:
		v.SetZero()
	default:
		return mismatch(k, v.Type())
	}
	return nil
}
