package codec

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
)

// tree reaches itself in every way a type can.
type tree struct {
	Kids []tree
	Next *tree
	M    map[string]*tree
	A    any
}

type custom struct{ fail string }

func (c custom) EncodeMsgpack(e *msgpack.Encoder) error {
	switch c.fail {
	case "panic":
		panic("on purpose")
	case "error":
		return errors.New("on purpose")
	case "two":
		return e.EncodeMulti(1, 2)
	case "none":
		return nil
	}
	return e.EncodeString(c.fail)
}

func (c *custom) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	if c.fail, err = d.DecodeString(); c.fail == "decode panic" {
		panic("on purpose")
	}
	return err
}

// mapper decodes itself with msgpack/v5's maps, which take extensions for headers.
type mapper struct{ M map[string]any }

func (m mapper) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeMap(m.M) }
func (m *mapper) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	m.M, err = d.DecodeMap()
	return err
}

// targets returns a new variable of every kind.
func targets() []any {
	return []any{new(any), new([]any), new(map[string]any), new(map[any]any), new([]int), new([]tree), new([]byte), new(string),
		new(int8), new(uint64), new(float32), new(bool), new(tree), new(*tree), new(everything), new(time.Time), new(error), new([4]byte), new([2]int),
		new(map[string]string), new(map[[1]any]int), new(custom), new(mapper), new(map[int8]*custom), new([][1 << 16]byte), new(struct{}), new([]struct{}),
		new(map[struct{}]struct{}), new(msgpack.RawMessage)}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// hostile are payloads that must be refused for every type: the bytes of C72, C73 and C80 among them.
var hostile = map[string]string{
	"array32 of 200 million": "\xdd\x0b\xeb\xc2\x00",
	"bin32 of 1 GiB":         "\xc6\x40\x00\x00\x00",
	"map32 of 20 million":    "\xdf\x01\x31\x2d\x00",
	"str32 of 4 GiB":         "\xdb\xff\xff\xff\xff",
	"array32 of 4 billion":   "\xdd\xff\xff\xff\xff",
	"map32 of 4 billion":     "\xdf\xff\xff\xff\xff",
	"ext32 of 4 GiB":         "\xc9\xff\xff\xff\xff\xff",
	"map16":                  "\xde\xff\xff",
	"nothing":                "",
	"reserved":               "\xc1",
	"reserved within":        "\x91\xc1",
	"two values":             "\x01\x02",
	"trailing byte":          "\x80\x00",
	"half a number":          "\xcf\x00\x00",
	"half an extension":      "\xd6\xff\x00",
	"extension without type": "\xd4",
	"half a map":             "\x81\xa1a",
	"5 MB of nesting":        strings.Repeat("\x91", 5_000_000),
	"nested in maps":         strings.Repeat("\x81\x01", 1000) + "\x01",
	"one level too deep":     strings.Repeat("\x91", MaxDepth) + "\x90",
	"map header in ext8":     "\xc7\x05\x00\xdf\xff\xff\xff\xff",
	"arrays in arrays":       strings.Repeat("\xdd\x00\x00\xff\xff", 100) + strings.Repeat("\xc0", 1<<17),
}

// C72, C73
func TestHostileBytesAreRefusedWithoutMemory(t *testing.T) {
	for name, payload := range hostile {
		for _, ptr := range targets() {
			Msgpack.Decode([]byte{0xc0}, ptr) // the first use of a type costs memory
			var err error
			if n := allocated(func() { err = Msgpack.Decode([]byte(payload), ptr) }); n > 1<<20+uint64(len(payload)) {
				t.Errorf("%s into %T: %d bytes allocated", name, ptr, n)
			}
			if name == "map header in ext8" && err == nil {
				if _, ok := ptr.(*msgpack.RawMessage); ok {
					continue
				}
			}
			if !errors.Is(err, ErrDecode) {
				t.Errorf("%s into %T: %v", name, ptr, err)
			}
		}
	}
	if err := Msgpack.Decode([]byte(hostile["5 MB of nesting"]), new(any)); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
}

// C80
func TestOddShapesAreErrorsNotPanics(t *testing.T) {
	for _, payload := range []string{"\x81\x81\xa1x\xc3\xc3", "\x81\x91\x01\x01", "\x81\xc4\x01a\x01", "\xd4\x05\x01", "\xd6\x80\x00\x00\x00\x00", "\xc7\x03\xff\x01\x02\x03"} {
		if err := Msgpack.Decode([]byte(payload), new(any)); !errors.Is(err, ErrDecode) {
			t.Errorf("%x: %v", payload, err)
		}
	}
	for _, payload := range []string{"\x81\x81\xa1x\xc3\xc3", "\x91\xc0", "\x81\xc0\xc0", "\x91\x91\xc0", "\x82\xa4Kids\x91\xc0\xa4Next\xc0",
		"\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\xc0", "\x81\xa1A\x81\x81\xa1x\xc3\xc3"} {
		for _, ptr := range targets() {
			if err := Msgpack.Decode([]byte(payload), ptr); err != nil && !errors.Is(err, ErrDecode) {
				t.Errorf("%x into %T: %v", payload, ptr, err)
			}
		}
	}
	if err := Msgpack.Decode([]byte("\x81\x91\x91\x01\x01"), new(map[[1]any]int)); err == nil {
		t.Error("a key that can't be compared was taken")
	}
}

// An error of a type's own method may quote what a peer sent; it ends up in logs and in answers.
func TestErrorsDoNotGrowWithTheData(t *testing.T) {
	data := encode(t, strings.Repeat("ä", 1<<20))
	var n big.Int
	err := Msgpack.Decode(data, &n)
	if !errors.Is(err, ErrDecode) || len(err.Error()) > 2*maxText || !utf8.ValidString(err.Error()) {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestALittleDataForABigTypeIsRefused(t *testing.T) {
	type big struct {
		A [1 << 12]int
		B *big
	}
	data := append([]byte{0xdd, 0, 1, 0, 0}, bytes.Repeat([]byte{0x80}, 1<<16)...)
	for _, ptr := range []any{new([]big), new([]*big)} {
		var err error
		n := allocated(func() { err = Msgpack.Decode(data, ptr) })
		if !errors.Is(err, ErrLimit) || n > 256*uint64(len(data)) {
			t.Errorf("%T: %v, %d bytes", ptr, err, n)
		}
	}
}

func TestAnExtensionIsNoMapHeaderForTheLibrary(t *testing.T) {
	const header = "\xdf\x00\x10\x00\x00" // of a map of a million
	ext8, ext12, field := "\xd7\xff"+header+"123", "\xc7\x0c\xff"+header+"1234567", "\x81\xa1M"
	for _, c := range []struct {
		payload string
		ptr     any
	}{
		{ext8, new(mapper)}, {ext12, new(mapper)}, {field + ext8, new(struct{ M mapper })}, {field + ext12, new(struct{ M mapper })},
		{"\x92" + field + "\x80" + field + ext8, new([]struct{ M mapper })},
	} {
		var err error
		n := allocated(func() { err = Msgpack.Decode([]byte(c.payload), c.ptr) })
		if !errors.Is(err, errExtension) || n > 1<<20 {
			t.Errorf("%x into %T: %v, %d bytes allocated", c.payload, c.ptr, err, n)
		}
	}
	got := roundTrip(t, []mapper{{map[string]any{"t": time.Unix(935329792, 935329792)}}, {map[string]any{"x": int8(1)}}})
	if len(got) != 2 || got[0].M["t"].(time.Time).Unix() != 935329792 || got[1].M["x"] != int8(1) {
		t.Errorf("%v", got)
	}
}

func nest(depth int) any {
	var v any = "core"
	for range depth {
		v = []any{v}
	}
	return v
}

// C72
func TestCyclicAndDeepValuesAreRefusedByAppend(t *testing.T) {
	ring := &tree{}
	ring.Next = ring
	kids := tree{Kids: make([]tree, 1)}
	kids.Kids[0].Kids = kids.Kids
	m := map[string]any{}
	m["me"] = []any{m}
	var itself any
	itself = &itself
	branches := &tree{}
	branches.M = map[string]*tree{"a": branches, "b": branches}
	type list []list
	l := make(list, 1)
	l[0] = l
	for i, v := range []any{ring, *ring, kids, m, itself, &itself, branches, l, nest(MaxDepth + 1), map[string]any{"x": nest(MaxDepth)}} {
		before := []byte("before")
		b, err := Msgpack.Append(before, v)
		if !errors.Is(err, ErrEncode) || !errors.Is(err, ErrLimit) || string(b) != "before" {
			t.Errorf("%d (%T): %v, %q", i, v, err, b)
		}
	}
	if got := roundTrip(t, nest(MaxDepth)); fmt.Sprint(got) != fmt.Sprint(nest(MaxDepth)) {
		t.Errorf("got %v", got)
	}
	long := &tree{}
	for range MaxDepth {
		long = &tree{Next: long, A: &struct{ X any }{1}}
	}
	if _, err := Msgpack.Append(nil, long); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
	if b, err := Msgpack.Append(nil, long.Next); err != nil || Msgpack.Decode(b, new(tree)) != nil {
		t.Error(err)
	}
}

// C77
func TestWhatAppendRefusesLeavesNoTrace(t *testing.T) {
	for _, v := range []any{make(chan int), func() {}, map[string]any{"x": make(chan int)}, []any{1, struct{ a int }{1}}, complex(1, 2),
		any(errors.New("x")), map[string]any{"e": errors.New("x")}, custom{"panic"}, custom{"error"}, custom{"two"}, custom{"none"},
		struct{ A, B any }{custom{"two"}, 1}, []custom{{"two"}, {"x"}}, struct{ S any }{struct{ U ptrCustom }{}}} {
		b, err := Msgpack.Append([]byte("before"), v)
		if !errors.Is(err, ErrEncode) || string(b) != "before" {
			t.Errorf("%T %v: %v, %q", v, v, err, b)
		}
		if b, err := Msgpack.Append([]byte{1}, "ok"); err != nil || string(b) != "\x01\xa2ok" {
			t.Errorf("after %T: %x, %v", v, b, err)
		}
	}
	if err := Msgpack.Decode(encode(t, "decode panic"), new(custom)); !errors.Is(err, ErrDecode) || !strings.Contains(err.Error(), "on purpose") {
		t.Error(err)
	}
	if err := Msgpack.Decode(encode(t, 5), new(custom)); !errors.Is(err, ErrDecode) {
		t.Error(err)
	}
	if got := roundTrip(t, []custom{{"a"}, {"b"}}); got[0].fail != "a" || got[1].fail != "b" {
		t.Errorf("%v", got)
	}
}
