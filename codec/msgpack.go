package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// Msgpack encodes values as MessagePack: see the package's documentation for which Go types become what.
var Msgpack Codec = msgpackCodec{}

type msgpackCodec struct{}

func (msgpackCodec) Name() string { return "msgpack" }

func (msgpackCodec) Check(t reflect.Type) error {
	if t == nil {
		return fmt.Errorf("%w: there is no type", ErrEncode)
	}
	if err := infoOf(t).err; err != nil {
		return fault(ErrEncode, t, err)
	}
	return nil
}

func (msgpackCodec) Append(dst []byte, v any) (out []byte, err error) {
	switch v := v.(type) { // those of which there is nothing to know
	case nil:
		return append(dst, 0xc0), nil
	case []byte:
		return appendBytes(dst, v), nil
	case string:
		return append(appendHead(dst, 0xa0, 1<<5, 0xd9, len(v)), v...), nil
	}
	t := reflect.TypeOf(v)
	defer func() {
		if p := recover(); p != nil {
			out, err = dst, fault(ErrEncode, t, fmt.Errorf("panic: %v", p))
		}
	}()
	info := infoOf(t)
	if info.err != nil {
		return dst, fault(ErrEncode, t, info.err)
	}
	if info.dynamic {
		if err := walk(v, 0); err != nil {
			return dst, fault(ErrEncode, t, err)
		}
	}
	value := reflect.ValueOf(v)
	if info.address {
		p := reflect.New(t)
		p.Elem().Set(value)
		value = p.Elem()
	}
	e := appenders.Get().(*encoder)
	e.out = dst
	err = info.encode(e, value)
	out = e.out
	e.out = nil
	if err != nil {
		return dst, fault(ErrEncode, t, err)
	}
	appenders.Put(e) // not after an error, nor after a panic: what it is in the middle of is unknown
	if info.custom || info.dynamic {
		if err := scan(out[len(dst):]); err != nil {
			if !errors.Is(err, ErrLimit) {
				err = fmt.Errorf("an encoding method must write exactly one value: %w", err)
			}
			return dst, fault(ErrEncode, t, err)
		}
	}
	return out, nil
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 0xc0)
	}
	return append(appendHead(dst, 0, 0, 0xc4, len(b)), b...)
}

// BytesIn returns the bytes of a []byte that Msgpack has encoded, as a part of data; false if data is something else.
func BytesIn(data []byte) ([]byte, bool) {
	k, n, at := head(data, 0)
	if k != kindBytes || n != uint64(len(data)-at) {
		return nil, false
	}
	return data[at:len(data):len(data)], true
}

// appendHead appends the head of n bytes, fix|n if that is below short, else long, or the codes for longer ones after it.
func appendHead(dst []byte, fix byte, short int, long byte, n int) []byte {
	switch {
	case n < short:
		return append(dst, fix|byte(n))
	case n <= math.MaxUint8:
		return append(dst, long, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, long+1), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, long+2), uint32(n))
}

func (msgpackCodec) Decode(data []byte, ptr any) (err error) {
	v, err := target(ptr)
	if err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			v.SetZero()
			err = fault(ErrDecode, v.Type(), err)
		}
	}()
	info := infoOf(v.Type())
	if info.err != nil {
		return info.err
	}
	if err := scan(data); err != nil {
		return err
	}
	d := decoders.Get().(*decoder)
	*d = decoder{b: data, budget: budget(len(data))}
	err = info.decode(d, v)
	*d = decoder{} // what it has decoded is not its own
	decoders.Put(d)
	return err
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// fault is the error of all three methods: which type, where in it, what.
func fault(sentinel error, t reflect.Type, err error) error {
	path := ""
	if p, ok := err.(*pathError); ok {
		path, err = p.path, p.err
	}
	err = fmt.Errorf("%w %v%s: %w", sentinel, t, path, err)
	if text := err.Error(); len(text) > maxText {
		return &longError{strings.ToValidUTF8(text[:maxText], "") + "…", err}
	}
	return err
}

const maxText = 1024 // bytes of an error's text that are kept

// longError is an error of some type's own method, which may quote all the bytes it was given, with its text cut.
type longError struct {
	text string
	err  error
}

func (e *longError) Error() string { return e.text }
func (e *longError) Unwrap() error { return e.err }

var appenders = sync.Pool{New: func() any { return &encoder{enc: msgpack.NewEncoder(nil)} }}
