package codec

import (
	"errors"
	"reflect"
	"testing"
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
	for _, data := range [][]byte{{0x93, 1, 2, 3}, {0x91, 1}, {0x92, 1, 0xcd, 1, 2}} {
		if err := Msgpack.Decode(data, new(pair)); !errors.Is(err, ErrDecode) {
			t.Errorf("%x: %v", data, err)
		}
	}
}
