package codec

import (
	"errors"
	"reflect"
	"testing"
)

type text string
type blob []byte

func TestRawPassesBytesOn(t *testing.T) {
	for _, v := range []any{"World", []byte("World"), text("World"), blob("World")} {
		b, err := Raw.Append([]byte("Hello "), v)
		if err != nil || string(b) != "Hello World" {
			t.Errorf("%T: %q, %v", v, b, err)
		}
		if err := Raw.Check(reflect.TypeOf(v)); err != nil {
			t.Error(err)
		}
		p := reflect.New(reflect.TypeOf(v))
		if err := Raw.Decode(b[6:], p.Interface()); err != nil || !reflect.DeepEqual(p.Elem().Interface(), v) {
			t.Errorf("%T: %v, %v", v, p.Elem(), err)
		}
	}
}

func TestRawCopies(t *testing.T) {
	data := []byte("abc")
	b, x := []byte("old"), blob("old")
	oldB := b
	if Raw.Decode(data, &b) != nil || Raw.Decode(data, &x) != nil {
		t.Fatal("not decoded")
	}
	data[0] = 'X'
	if string(b) != "abc" || string(x) != "abc" || string(oldB) != "old" {
		t.Errorf("%s %s %s", b, x, oldB)
	}
	if err := Raw.Decode(nil, &b); err != nil || b == nil || len(b) != 0 {
		t.Errorf("%v, %v", b, err)
	}
}

func TestRawRefusesOtherTypes(t *testing.T) {
	for _, v := range []any{nil, 5, []string{"a"}, struct{}{}, []int8{1}, new(string), [2]byte{}} {
		if b, err := Raw.Append([]byte("x"), v); !errors.Is(err, ErrEncode) || string(b) != "x" {
			t.Errorf("%T: %v", v, err)
		}
		if err := Raw.Check(reflect.TypeOf(v)); !errors.Is(err, ErrEncode) {
			t.Errorf("%T: %v", v, err)
		}
	}
	n := 5
	if err := Raw.Decode([]byte("x"), &n); !errors.Is(err, ErrDecode) || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	var x any
	if err := Raw.Decode([]byte("x"), &x); !errors.Is(err, ErrDecode) {
		t.Error(err)
	}
}
