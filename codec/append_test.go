package codec

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// pair encodes itself with methods as github.com/tinylib/msgp generates them.
type pair struct{ a, b byte }

func (p *pair) MarshalMsg(dst []byte) ([]byte, error) {
	if p.a == 0xff {
		return dst[:0], nil
	}
	return append(dst, 0x92, p.a, p.b), nil
}

func (p *pair) UnmarshalMsg(b []byte) ([]byte, error) {
	if len(b) < 3 || b[0] != 0x92 {
		return b, errors.New("no pair")
	}
	p.a, p.b = b[1], b[2]
	return b[3:], nil
}

// It may be anywhere in a value.
func TestTypesThatAppendThemselves(t *testing.T) {
	type box struct {
		One  pair
		Many []*pair
		Last *pair
	}
	check(t, pair{1, 2})
	check(t, &pair{1, 2})
	check(t, box{pair{1, 2}, []*pair{{3, 4}, nil}, &pair{5, 6}})
	check(t, map[string]*pair{"x": {1, 2}})
}

func check[V any](t *testing.T, v V) {
	t.Helper()
	var have V
	if err := Msgpack.Decode(encode(t, v), &have); err != nil || !reflect.DeepEqual(v, have) {
		t.Errorf("%+v came back as %+v, %v", v, have, err)
	}
}

func TestTypesThatAppendSomethingElseAreRefused(t *testing.T) {
	if out, err := Msgpack.Append([]byte("before"), pair{a: 0xff}); !errors.Is(err, ErrEncode) || string(out) != "before" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := Msgpack.Append([]byte("before"), overwriter("1234567")); !errors.Is(err, ErrEncode) || string(out) != "before" {
		t.Errorf("%q, %v", out, err)
	}
	for _, data := range [][]byte{{0x93, 1, 2, 3}, {0x91, 1}, {0x92, 1, 0xcd, 1, 2}} {
		if err := Msgpack.Decode(data, new(pair)); !errors.Is(err, ErrDecode) {
			t.Errorf("%x: %v", data, err)
		}
	}
}

// overwriter forgets to append.
type overwriter string

func (o overwriter) MarshalMsg([]byte) ([]byte, error) { return []byte(o), nil }

func (o *overwriter) UnmarshalMsg(b []byte) ([]byte, error) { return nil, nil }

// chooser sets options of the Encoder that it is given.
type chooser struct{}

func (chooser) EncodeMsgpack(e *msgpack.Encoder) error {
	e.UseArrayEncodedStructs(true)
	e.UseCompactInts(false)
	e.SetOmitEmpty(true)
	return e.EncodeNil()
}

func (*chooser) DecodeMsgpack(d *msgpack.Decoder) error { return d.DecodeNil() }

// plainly encodes a struct by the Encoder as it is.
type plainly struct{}

func (plainly) EncodeMsgpack(e *msgpack.Encoder) error { return e.Encode(struct{ A, B int64 }{1, 0}) }

func (*plainly) DecodeMsgpack(d *msgpack.Decoder) error { return d.Skip() }

// An option that one value's method sets is not there for another's.
func TestOptionsOfAnEncoderAreNotKept(t *testing.T) {
	want := encode(t, plainly{})
	for range 10 { // whichever of a pool it is
		encode(t, chooser{})
		if have := encode(t, plainly{}); !bytes.Equal(have, want) {
			t.Fatalf("%x, before it was %x", have, want)
		}
	}
}

// What an any holds may be a struct of which only its own method knows whether it is empty: then it is not left out.
func TestOmitEmptyKeepsWhatAnAnyHolds(t *testing.T) {
	type holder struct {
		A any `msgpack:",omitempty"`
	}
	for _, v := range []any{netip.MustParseAddr("10.0.0.1"), custom{}, plainly{}} {
		if b := encode(t, holder{v}); b[0] != 0x81 {
			t.Errorf("%T is left out: %x", v, b)
		}
	}
}
