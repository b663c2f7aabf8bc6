package codec

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

type base struct{ ID int }

type Exported struct{ Note string }

type everything struct {
	base
	*Exported
	B    bool
	I    int
	I8   int8
	U    uint64
	F    float64
	F32  float32
	S    string `msgpack:"s,alias:text"`
	By   []byte
	Arr  [4]byte
	Ints [3]int
	L    []string
	M    map[string]int
	IM   map[int]string
	P    *everything
	PP   **int
	A    any
	E    error
	T    time.Time
	PT   *time.Time
	D    time.Duration
	Addr netip.Addr
	URL  url.URL
	Skip chan int `msgpack:"-"`
	Omit []int    `msgpack:",omitempty"`
	Raw  msgpack.RawMessage
	TM   map[time.Time]time.Time
	_    struct{}
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := Msgpack.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func roundTrip[T any](t testing.TB, v T) (got T) {
	t.Helper()
	if err := Msgpack.Decode(encode(t, v), &got); err != nil {
		t.Fatalf("decoding %#v: %v", v, err)
	}
	return got
}

func TestEveryKindSurvivesTheRoundTrip(t *testing.T) {
	seven := 7
	p := &seven
	when := time.Date(2021, 6, 3, 1, 2, 3, 4, time.UTC)
	u, _ := url.Parse("https://u:p@example.com/a?b=c")
	v := everything{
		base: base{5}, Exported: &Exported{"n"}, B: true, I: -1 << 30, I8: -128, U: math.MaxUint64, F: 1.5, F32: 2.5,
		S: "ä", By: []byte{1}, Arr: [4]byte{1, 2, 3, 4}, Ints: [3]int{1, -2, 300}, L: []string{"", "x"},
		M: map[string]int{"a": 1}, IM: map[int]string{-5: "b"}, P: &everything{T: when, Arr: [4]byte{9}, Raw: msgpack.RawMessage{7}}, PP: &p,
		A: map[string]any{"n": int64(5)}, E: errors.New("oops"), T: when, PT: &when, D: time.Second,
		Addr: netip.MustParseAddr("::1"), URL: *u, Raw: msgpack.RawMessage{0x93, 1, 2, 3},
		TM: map[time.Time]time.Time{when: when},
	}
	v.P.E = nil
	got := roundTrip(t, v)
	if got.E.Error() != "oops" {
		t.Errorf("error: %v", got.E)
	}
	v.P.Addr = got.P.Addr
	if !reflect.DeepEqual(got, v) {
		t.Errorf("got  %+v\nwant %+v", got, v)
	}
	var ptr *everything
	if err := Msgpack.Decode(encode(t, &v), &ptr); err != nil || !reflect.DeepEqual(*ptr, v) {
		t.Errorf("by pointer: %v", err)
	}
}

// C70
func TestUntypedNumbersHaveOneTypeEach(t *testing.T) {
	in := map[string]any{"a": 5, "b": 200, "c": int8(-5), "d": uint16(300), "e": uint64(math.MaxUint64), "f": float32(1.5),
		"g": 2.5, "h": int64(math.MinInt64), "i": uint64(math.MaxInt64), "j": time.Second}
	want := map[string]any{"a": int64(5), "b": int64(200), "c": int64(-5), "d": int64(300), "e": uint64(math.MaxUint64),
		"f": 1.5, "g": 2.5, "h": int64(math.MinInt64), "i": int64(math.MaxInt64), "j": int64(time.Second)}
	if got := roundTrip(t, in); !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v", got)
	}
	if got := roundTrip[any](t, in); !reflect.DeepEqual(got, any(want)) {
		t.Errorf("any: got %#v", got)
	}
}

func TestNumbersThatDoNotFitAreErrors(t *testing.T) {
	for _, c := range []struct {
		in  any
		ptr any
	}{
		{128, new(int8)}, {-129, new(int8)}, {256, new(uint8)}, {-1, new(uint)}, {-1, new(uint64)}, {1 << 15, new(int16)},
		{1 << 16, new(uint16)}, {int64(1 << 31), new(int32)}, {int64(1 << 32), new(uint32)}, {uint64(1 << 63), new(int64)},
		{1e39, new(float32)}, {int64(1<<53 + 1), new(float64)}, {1<<24 + 1, new(float32)}, {1.0, new(int)}, {[]int{1, 300}, new([]int8)},
		{map[string]int{"x": 300}, new(map[string]int8)}, {map[string]int{"X": -3}, new(struct{ X uint8 })},
		{map[int]int{300: 1}, new(map[int8]int)}, {[]int{1, 2}, new([3]int)}, {[]int{1, 2}, new([1]int)}, {[]byte{1}, new([2]byte)},
	} {
		err := Msgpack.Decode(encode(t, c.in), c.ptr)
		if !errors.Is(err, ErrDecode) {
			t.Errorf("%v into %T: %v, %v", c.in, c.ptr, reflect.ValueOf(c.ptr).Elem(), err)
		}
		if !reflect.ValueOf(c.ptr).Elem().IsZero() {
			t.Errorf("%v into %T left %v", c.in, c.ptr, reflect.ValueOf(c.ptr).Elem())
		}
	}
	for _, c := range []struct{ in, ptr any }{
		{127, new(int8)}, {255, new(uint8)}, {uint64(math.MaxUint64), new(uint64)}, {int64(1 << 60), new(float64)}, {int64(math.MinInt64), new(float64)},
		{int64(math.MinInt64), new(int64)}, {1.1, new(float32)}, {math.Inf(1), new(float32)}, {float32(1), new(float64)},
	} {
		if err := Msgpack.Decode(encode(t, c.in), c.ptr); err != nil {
			t.Errorf("%v into %T: %v", c.in, c.ptr, err)
		}
	}
}

func TestADecodeErrorNamesThePlace(t *testing.T) {
	type line struct{ N []int8 }
	type order struct{ Lines map[string]line }
	in := map[string]any{"Lines": map[string]any{"x": map[string]any{"N": []int{1, 300}}}}
	err := Msgpack.Decode(encode(t, in), new(order))
	if err == nil || !strings.Contains(err.Error(), "codec.order.Lines[\"x\"].N[1]: 300 does not fit int8") {
		t.Error(err)
	}
}

// C74
func TestMapsInAnyHaveStringKeysOrAnyKeys(t *testing.T) {
	for _, c := range []struct{ in, want any }{
		{map[int]string{1: "a"}, map[any]any{int64(1): "a"}},
		{map[string]int{"a": 1}, map[string]any{"a": int64(1)}},
		{map[any]any{"a": 1, 2: "b", true: nil}, map[any]any{"a": int64(1), int64(2): "b", true: nil}},
		{map[string]any{}, map[string]any{}},
		{[]any{map[uint8]any{}}, []any{map[string]any{}}},
	} {
		if got := roundTrip(t, c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v: got %#v", c.in, got)
		}
		got := roundTrip(t, struct{ A any }{c.in})
		if !reflect.DeepEqual(got.A, c.want) {
			t.Errorf("field %#v: got %#v", c.in, got)
		}
	}
}

// C75
func TestTimesArriveInUTC(t *testing.T) {
	local := time.Local
	time.Local = time.FixedZone("Asia/Tokyo", 9*3600)
	defer func() { time.Local = local }()
	east := time.Date(2021, 6, 3, 0, 0, 0, 123456789, time.FixedZone("", 5*3600))
	for _, in := range []time.Time{east, {}, time.Unix(0, 0), time.Date(1905, 1, 1, 0, 0, 0, 1, time.Local), time.Date(2600, 1, 1, 0, 0, 0, 0, time.UTC), time.Now()} {
		check := func(where string, got time.Time) {
			t.Helper()
			if !got.Equal(in) || got.Location() != time.UTC || got.IsZero() != in.IsZero() || got != in.UTC().Round(0) {
				t.Errorf("%s: %v became %#v", where, in, got)
			}
		}
		type nested struct {
			T  time.Time
			P  *time.Time
			L  []time.Time
			A  [1]time.Time
			M  map[string]time.Time
			An any
		}
		got := roundTrip(t, nested{in, &in, []time.Time{in}, [1]time.Time{in}, map[string]time.Time{"": in}, in})
		check("root", roundTrip(t, in))
		check("any", roundTrip[any](t, in).(time.Time))
		check("any in any", roundTrip[any](t, map[string]any{"x": []any{in}}).(map[string]any)["x"].([]any)[0].(time.Time))
		check("field", got.T)
		check("pointer", *got.P)
		check("slice", got.L[0])
		check("array", got.A[0])
		check("map", got.M[""])
		check("interface", got.An.(time.Time))
	}
}

// C81
func TestEveryDecodedValueIsFresh(t *testing.T) {
	type m struct {
		M map[string]int
		A int
		L []int
		P *int
		S struct{ X, Y int }
	}
	one := 1
	var v m
	if err := Msgpack.Decode(encode(t, m{map[string]int{"old": 1}, 9, []int{1, 2}, &one, struct{ X, Y int }{1, 2}}), &v); err != nil {
		t.Fatal(err)
	}
	first := v
	if err := Msgpack.Decode(encode(t, map[string]any{"M": map[string]int{"new": 2}, "L": []int{3}, "P": 2, "S": map[string]int{"Y": 4}}), &v); err != nil {
		t.Fatal(err)
	}
	if v.A != 0 || len(v.M) != 1 || v.M["new"] != 2 || v.S.X != 0 || v.S.Y != 4 || len(v.L) != 1 || *v.P != 2 {
		t.Errorf("second: %+v", v)
	}
	if len(first.M) != 1 || first.M["old"] != 1 || first.L[0] != 1 || *first.P != 1 {
		t.Errorf("the first changed: %+v", first)
	}
	data := encode(t, []byte("abc"))
	var b []byte
	if err := Msgpack.Decode(data, &b); err != nil {
		t.Fatal(err)
	}
	data[2] = 'x'
	if string(b) != "abc" {
		t.Errorf("shares the data's memory: %s", b)
	}
	x := any(&one)
	if err := Msgpack.Decode([]byte{0x05}, &x); err != nil || x != int64(5) || one != 1 {
		t.Errorf("into an interface that holds a pointer: %v, %v, %v", x, one, err)
	}
	// The same key twice: the last wins, whole.
	twice := []byte("\x82\xa1M\x81\xa1a\x01\xa1M\x81\xa1b\x02")
	if err := Msgpack.Decode(twice, &v); err != nil || len(v.M) != 1 || v.M["b"] != 2 {
		t.Errorf("twice: %+v, %v", v.M, err)
	}
}

func TestNilsAreSensible(t *testing.T) {
	for _, v := range []any{nil, (*int)(nil), map[string]int(nil), []int(nil), []byte(nil), (*everything)(nil)} {
		if got := encode(t, v); !bytes.Equal(got, []byte{0xc0}) {
			t.Errorf("%T became %x", v, got)
		}
	}
	for _, p := range []any{new(int), new(uint8), new(string), new([]byte), new([2]byte), new([2]int), new(float32), new(bool), new(time.Time),
		new(map[string]int), new(everything), new(*everything), new(any), new(error), new(netip.Addr), new([]int)} {
		if err := Msgpack.Decode([]byte{0xc0}, p); err != nil || !reflect.ValueOf(p).Elem().IsZero() {
			t.Errorf("nil into %T: %v, %v", p, reflect.ValueOf(p).Elem(), err)
		}
	}
	for _, p := range []any{nil, 5, (*int)(nil), everything{}} {
		if err := Msgpack.Decode([]byte{5}, p); !errors.Is(err, ErrDecode) {
			t.Errorf("into %T: %v", p, err)
		}
		if err := Raw.Decode([]byte{5}, p); !errors.Is(err, ErrDecode) {
			t.Errorf("raw into %T: %v", p, err)
		}
	}
	if got := roundTrip(t, struct{ *Exported }{}); got.Exported != nil {
		t.Errorf("an embedded nil became %v", got.Exported)
	}
	if got := roundTrip(t, []*int{nil}); len(got) != 1 || got[0] != nil {
		t.Errorf("got %v", got)
	}
	if got := roundTrip(t, []int{}); got == nil {
		t.Error("an empty slice became nil")
	}
	if err := Msgpack.Check(nil); !errors.Is(err, ErrEncode) {
		t.Error(err)
	}
}

// C78
func TestUnknownFieldsAreIgnoredAndMissingOnesZero(t *testing.T) {
	type old struct{ A, B int }
	in := map[any]any{"A": 1, "new": []any{map[string]any{"x": 1}}, 5: "key of another kind", "C": time.Now()}
	var got old
	if err := Msgpack.Decode(encode(t, in), &got); err != nil || got != (old{A: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStructsAsArraysMayGrow(t *testing.T) {
	type two struct {
		_msgpack struct{} `msgpack:",as_array"`
		A        int
		B        string
	}
	type three struct {
		_msgpack struct{} `msgpack:",as_array"`
		A        int
		B        string
		C        []int
	}
	_, _ = two{}._msgpack, three{}._msgpack
	if b := encode(t, two{A: 1, B: "x"}); !bytes.Equal(b, []byte{0x92, 1, 0xa1, 'x'}) {
		t.Errorf("%x", b)
	}
	var a two
	if err := Msgpack.Decode(encode(t, three{A: 1, B: "b", C: []int{2}}), &a); err != nil || a.A != 1 || a.B != "b" {
		t.Errorf("%+v, %v", a, err)
	}
	var b three
	if err := Msgpack.Decode(encode(t, two{A: 1, B: "b"}), &b); err != nil || b.A != 1 || b.B != "b" || b.C != nil {
		t.Errorf("%+v, %v", b, err)
	}
}

type holder struct{ X any }

func TestInterfacesInUnexportedEmbeddedStructsAreLookedAt(t *testing.T) {
	if got := roundTrip(t, struct{ holder }{holder{[]any{5, holder{true}}}}); !reflect.DeepEqual(got.X, []any{int64(5), map[string]any{"X": true}}) {
		t.Errorf("%#v", got)
	}
	if _, err := Msgpack.Append(nil, struct{ holder }{holder{hidden{}}}); err == nil || !strings.Contains(err.Error(), "holder.X.b: ") {
		t.Error(err)
	}
}
