package codec

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// encodeCustom encodes by a method of the type's. A nil is a nil, without a call.
func encodeCustom(how form) encodeFunc {
	return func(e *encoder, v reflect.Value) (err error) {
		if nillable(v.Kind()) && v.IsNil() {
			return e.null()
		}
		var x any
		if v.CanAddr() {
			x = v.Addr().Interface()
		} else {
			x = v.Interface()
		}
		var data []byte
		switch how {
		case formAppend:
			return e.append(x.(appender))
		case formStream:
			e.enc.Reset(e) // the options are those of whoever had it before
			e.enc.UseCompactInts(true)
			return x.(msgpack.CustomEncoder).EncodeMsgpack(e.enc)
		case formMsgpack:
			data, err = x.(msgpack.Marshaler).MarshalMsgpack()
			e.out = append(e.out, data...)
			return err
		case formBinary:
			data, err = x.(encoding.BinaryMarshaler).MarshalBinary()
		case formText:
			data, err = x.(encoding.TextMarshaler).MarshalText()
		}
		if err != nil {
			return err
		}
		e.out = appendBytes(e.out, data)
		return nil
	}
}

// appender and its counterpart are the methods that github.com/tinylib/msgp generates.
type (
	appender interface {
		MarshalMsg(dst []byte) ([]byte, error)
	}
	taker interface {
		UnmarshalMsg(b []byte) (rest []byte, err error)
	}
)

// append has x append itself to what there is, which must be there still.
func (e *encoder) append(x appender) error {
	out, err := x.MarshalMsg(e.out)
	if n := len(e.out); err == nil && n > 0 && (len(out) < n || &out[0] != &e.out[0] && !bytes.Equal(out[:n], e.out)) {
		err = errors.New("MarshalMsg has not appended to what it was given")
	}
	e.out = out
	return err
}

func take(x taker, b []byte) error {
	rest, err := x.UnmarshalMsg(b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("UnmarshalMsg has left %d of %d bytes", len(rest), len(b))
	}
	return err
}

// decodeCustom decodes by a method of the type's. A nil becomes the zero value without a call.
func decodeCustom(how form) decodeFunc {
	return func(d *decoder, v reflect.Value) error {
		if d.isNil() {
			v.SetZero()
			return nil
		}
		v.SetZero()
		x := v.Addr().Interface()
		switch how {
		case formAppend:
			start := d.pos
			if err := d.skip(); err != nil {
				return err
			}
			return take(x.(taker), d.b[start:d.pos:d.pos])
		case formStream:
			return d.stream(x.(msgpack.CustomDecoder))
		case formMsgpack:
			start := d.pos
			if err := d.skip(); err != nil {
				return err
			}
			return x.(msgpack.Unmarshaler).UnmarshalMsgpack(bytes.Clone(d.b[start:d.pos]))
		}
		k, n := d.head()
		if k != kindString && k != kindBytes {
			return mismatch(k, v.Type())
		}
		data := append(make([]byte, 0, n), d.bytes(n)...)
		if how == formBinary {
			return x.(encoding.BinaryUnmarshaler).UnmarshalBinary(data)
		}
		return x.(encoding.TextUnmarshaler).UnmarshalText(data)
	}
}

// stream lets x read the next value, and no further, by a Decoder of msgpack/v5.
func (d *decoder) stream(x msgpack.CustomDecoder) (err error) {
	s := streams.Get().(*stream)
	start := d.pos
	s.exts = s.exts[:0]
	if d.pos, err = skip(d.b, start, &s.exts); err != nil {
		return err
	}
	s.b, s.pos, s.base = d.b[start:d.pos], 0, start
	s.dec.Reset(s)
	if err := x.DecodeMsgpack(s.dec); err != nil {
		return err
	}
	s.b = nil
	// The Decoder keeps a buffer of the size of the longest string. After an error it is in an unknown state.
	if d.pos-start <= 1<<16 && len(s.exts) <= 1<<10 {
		streams.Put(s)
	}
	return nil
}

var streams = sync.Pool{New: func() any { return &stream{dec: msgpack.NewDecoder(nil)} }}

// stream is the reader of a msgpack/v5 Decoder. Asked for a map, that Decoder takes an extension's header for a prefix
// and the extension's contents for the map's header, whose length nobody has checked. Only then does it read the first
// byte of the contents alone, so that is refused.
type stream struct {
	dec  *msgpack.Decoder
	b    []byte
	pos  int
	base int   // where b begins in the decoder's bytes
	exts []int // where, in the decoder's bytes, contents of extensions begin
}

var errExtension = errors.New("an extension where something else is wanted")

func (s *stream) Read(p []byte) (int, error) {
	if s.pos == len(s.b) {
		return 0, io.EOF
	}
	n := copy(p, s.b[s.pos:])
	s.pos += n
	return n, nil
}

func (s *stream) ReadByte() (byte, error) {
	if s.pos == len(s.b) {
		return 0, io.EOF
	}
	for len(s.exts) > 0 && s.exts[0] < s.base+s.pos {
		s.exts = s.exts[1:]
	}
	if len(s.exts) > 0 && s.exts[0] == s.base+s.pos {
		return 0, errExtension
	}
	s.pos++
	return s.b[s.pos-1], nil
}

func (s *stream) UnreadByte() error {
	if s.pos == 0 {
		return errors.New("nothing to unread")
	}
	s.pos--
	return nil
}
