package codec

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

func TestTheWireFormIsThatOfTheLibrary(t *testing.T) {
	type inner struct {
		X int
	}
	type plain struct {
		Exported
		A     int    `msgpack:"a"`
		B     string `msgpack:",omitempty"`
		In    inner
		Named Exported `msgpack:"named,inline"`
		L     []inner
	}
	v := plain{Exported{"e"}, 70000, "", inner{1}, Exported{"n"}, []inner{{2}, {3}}}
	want, err := msgpack.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var got plain
	if err := Msgpack.Decode(want, &got); err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("from the library: %+v, %v", got, err)
	}
	got = plain{}
	if err := msgpack.Unmarshal(encode(t, v), &got); err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("to the library: %+v, %v", got, err)
	}
}

// Strings and bytes have a way of their own through Append, which must come to the same as msgpack/v5's.
func TestStringsAndBytesAreEncodedAsMsgpackDoes(t *testing.T) {
	for _, n := range []int{0, 1, 31, 32, 255, 256, 65535, 65536} {
		text := strings.Repeat("x", n)
		for _, v := range []any{text, []byte(text)} {
			want, err := msgpack.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Msgpack.Append([]byte("before"), v)
			if err != nil || string(got) != "before"+string(want) {
				t.Errorf("%T of %d: head % x, want % x, %v", v, n, got[6:min(len(got), 12)], want[:min(len(want), 6)], err)
			}
		}
	}
	if got, err := Msgpack.Append(nil, []byte(nil)); err != nil || string(got) != "\xc0" {
		t.Errorf("nil bytes: % x, %v", got, err)
	}
}

// Values are encoded here, and not by msgpack/v5, but as it would: byte for byte, where a map has no more than one key.
func TestEncodesAsMsgpackV5(t *testing.T) {
	type inner struct {
		A int `msgpack:"a,omitempty"`
		B string
	}
	type Base struct{ ID uint16 }
	type outer struct {
		*Base
		Bool    bool
		Ints    [3]int64
		Small   int8
		Float   float32
		Double  float64
		Text    string `msgpack:"t,alias:text"`
		Bytes   []byte
		Hash    [4]byte
		At      time.Time
		For     time.Duration
		Maybe   *inner
		List    []inner
		Map     map[string]*inner
		Any     any
		Empty   inner `msgpack:",omitempty"`
		Skipped int   `msgpack:"-"`
		Err     error
		Custom  custom
	}
	type array struct {
		_msgpack struct{} `msgpack:",as_array"`
		X, Y     int
	}
	_ = array{}._msgpack
	full := outer{&Base{7}, true, [3]int64{-1, math.MinInt64, math.MaxInt64}, -33, 1.5, math.Pi, strings.Repeat("x", 40), []byte{1},
		[4]byte{1, 2, 3, 4}, time.Unix(1<<35, 5), time.Hour, &inner{1, "b"}, []inner{{}, {2, "c"}}, map[string]*inner{"k": nil},
		map[string]any{"deep": []any{nil, true, 1, int64(-200), 2.5, "s", []byte{9}, uint8(200), inner{3, "d"}}}, inner{4, ""}, 1,
		errors.New("oh"), custom{}}
	for _, v := range []any{
		nil, true, 0, -1, -32, -33, -129, -40000, 1 << 20, -1 << 40, uint(127), uint(128), uint64(math.MaxUint64), float32(0.5), 2.5, "", "é",
		strings.Repeat("x", 300), strings.Repeat("x", 70000), []byte(nil), []byte{}, make([]byte, 70000), []string(nil), []string{"a"},
		make([]int, 20), make([]int, 70000), map[string]any(nil), map[string]int{"a": 1}, map[int]bool{1: true}, []any(nil),
		time.Time{}, time.Unix(0, 0), time.Unix(1, 1), time.Unix(1<<34, 0), time.Unix(-1, 0), time.Minute,
		outer{}, &outer{}, full, &full, array{X: 1, Y: -1}, (*outer)(nil), [2]bool{true}, [3]byte{1, 2, 3},
	} {
		have, err := Msgpack.Append(nil, v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
			continue
		}
		var want bytes.Buffer
		e := msgpack.NewEncoder(&want)
		e.UseCompactInts(true)
		p := v
		if r := reflect.ValueOf(v); v != nil && r.Kind() == reflect.Struct {
			x := reflect.New(r.Type())
			x.Elem().Set(r)
			p = x.Interface()
		}
		if err := e.Encode(p); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want.Bytes()) {
			t.Errorf("%T is %x, msgpack/v5 makes it %x", v, have, want.Bytes())
		}
	}
}
