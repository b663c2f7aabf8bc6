package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// decodeAny decodes into an interface without methods.
func decodeAny(d *decoder, v reflect.Value) error {
	x, err := d.any()
	if err != nil {
		return err
	}
	if x == nil {
		v.SetZero()
		return nil
	}
	v.Set(reflect.ValueOf(x))
	return nil
}

// decodeError decodes an error's text.
func decodeError(d *decoder, v reflect.Value) error {
	switch k, n := d.head(); k {
	case kindString, kindBytes:
		v.Set(reflect.ValueOf(errors.New(string(d.bytes(n)))))
	case kindNil:
		v.SetZero()
	default:
		return mismatch(k, v.Type())
	}
	return nil
}

// any decodes the next value into the one Go type that there is for its kind.
func (d *decoder) any() (any, error) {
	switch k, n := d.head(); k {
	case kindNil:
		return nil, nil
	case kindBool:
		return n == 1, nil
	case kindInt:
		return int64(n), nil
	case kindUint:
		if n > math.MaxInt64 {
			return n, nil
		}
		return int64(n), nil
	case kindFloat:
		return math.Float64frombits(n), nil
	case kindString:
		return d.text(n), nil
	case kindBytes:
		return append(make([]byte, 0, n), d.bytes(n)...), nil
	case kindArray:
		list := make([]any, n)
		for i := range list {
			var err error
			if list[i], err = d.any(); err != nil {
				return nil, at("["+strconv.Itoa(i)+"]", err)
			}
		}
		return list, nil
	case kindMap:
		return d.anyMap(n)
	case kindExt:
		return d.time(n)
	default:
		return nil, fmt.Errorf("unexpected %v", k)
	}
}

// anyMap decodes n pairs: a map[string]any, or a map[any]any if a key is no string.
func (d *decoder) anyMap(n uint64) (any, error) {
	m, left, err := d.stringMap(n)
	if err != nil || left == 0 {
		return m, err
	}
	mixed := make(map[any]any, len(m)+min(int(left), 64))
	for key, x := range m {
		mixed[key] = x
	}
	for ; left > 0; left-- {
		key, err := d.any()
		if err != nil {
			return nil, at("[key]", err)
		}
		switch key.(type) {
		case []byte, []any, map[string]any, map[any]any:
			return nil, fmt.Errorf("a %T can't be a map's key", key)
		}
		if mixed[key], err = d.any(); err != nil {
			return nil, atKey(key, err)
		}
	}
	return mixed, nil
}

// stringMap decodes n pairs up to the first whose key is no string, and tells how many are left.
func (d *decoder) stringMap(n uint64) (m map[string]any, left uint64, err error) {
	m = make(map[string]any, min(n, 1024))
	for ; n > 0; n-- {
		k, size, next := head(d.b, d.pos)
		if k != kindString {
			break
		}
		d.pos = next
		key := d.text(size)
		if m[key], err = d.any(); err != nil {
			return nil, n, atKey(key, err)
		}
	}
	return m, n, nil
}

// time decodes the contents of an extension of n bytes, whose header has been read, as a timestamp, in UTC.
func (d *decoder) time(n uint64) (time.Time, error) {
	if kind := int8(d.b[d.pos-1]); kind != -1 {
		return time.Time{}, fmt.Errorf("extension type %d is unknown", kind)
	}
	b := d.bytes(n)
	var seconds int64
	var nanoseconds uint64
	switch n {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(b))
	case 8:
		both := binary.BigEndian.Uint64(b)
		seconds, nanoseconds = int64(both&(1<<34-1)), both>>34
	case 12:
		nanoseconds, seconds = uint64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:]))
	default:
		return time.Time{}, fmt.Errorf("a timestamp of %d bytes", n)
	}
	if nanoseconds > 999_999_999 {
		return time.Time{}, fmt.Errorf("a timestamp with %d nanoseconds", nanoseconds)
	}
	return time.Unix(seconds, int64(nanoseconds)).UTC(), nil
}
