package codec

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"
)

// ptrCustom has an encoding of its own with pointer receivers.
type ptrCustom struct{ s string }

func (p *ptrCustom) MarshalText() ([]byte, error) { return []byte(p.s), nil }
func (p *ptrCustom) UnmarshalText(b []byte) error { p.s = string(b); return nil }

type encodesOnly struct{ A int }

func (encodesOnly) EncodeMsgpack(*msgpack.Encoder) error { return nil }

type decodesOnly struct{ A int }

func (*decodesOnly) UnmarshalBinary([]byte) error { return nil }

type stamped struct {
	time.Time
	Name string
}

type stampedOwn struct {
	time.Time
	Name string
}

func (s stampedOwn) MarshalText() ([]byte, error)   { return []byte(s.Name), nil }
func (s *stampedOwn) UnmarshalText(b []byte) error  { s.Name = string(b); return nil }
func (s stampedOwn) MarshalBinary() ([]byte, error) { return s.MarshalText() }
func (s *stampedOwn) UnmarshalBinary(b []byte) error {
	return s.UnmarshalText(b)
}

type itself *itself

type embedsItself struct{ *embedsItself }

type hidden struct {
	A int
	b int
}

var _ = hidden{}.b

type recursive struct {
	Next  *recursive
	Other map[string][]recursive
	Bad   []struct{ C chan int }
}

type wraps struct{ hidden }

type Box[T any] struct{ V T }

type unsafeInt int

// C76
func TestCheckRefusesWhatWouldBeLostAndNamesIt(t *testing.T) {
	for _, c := range []struct {
		t    reflect.Type
		says string
	}{
		{reflect.TypeFor[hidden](), "codec.hidden.b: an unexported field"},
		{reflect.TypeFor[*hidden](), ".b: "},
		{reflect.TypeFor[wraps](), ".hidden.b: "},
		{reflect.TypeFor[map[string][]hidden](), "[][].b: "},
		{reflect.TypeFor[map[hidden]int](), "[key].b: "},
		{reflect.TypeFor[struct{ C chan int }](), ".C: a chan int can't be sent"},
		{reflect.TypeFor[chan int](), "chan int"},
		{reflect.TypeFor[struct{ F func() }](), ".F: "},
		{reflect.TypeFor[struct{ U unsafe.Pointer }](), ".U: "},
		{reflect.TypeFor[struct{ U uintptr }](), ".U: "},
		{reflect.TypeFor[[]complex64](), "[]: a complex64"},
		{reflect.TypeFor[recursive](), ".Bad[].C: "},
		{reflect.TypeFor[Box[hidden]](), ".V.b: "},
		{reflect.TypeFor[struct{ S fmt.Stringer }](), ".S: the receiver can't know"},
		{reflect.TypeFor[encodesOnly](), "DecodeMsgpack"},
		{reflect.TypeFor[decodesOnly](), "MarshalBinary"},
		{reflect.TypeFor[stamped](), ".Time: its MarshalBinary, embedded"},
		{reflect.TypeFor[itself](), "pointers"},
		{reflect.TypeFor[embedsItself](), "an embedded pointer must be"},
		{reflect.TypeFor[EmbedsItself](), "embeds itself"},
		{reflect.TypeFor[map[string]ptrCustom](), "[]: in a map it must be *codec.ptrCustom"},
		{reflect.TypeFor[struct {
			A int `msgpack:"x"`
			B int `msgpack:"x"`
		}](), `two fields have the name "x"`},
		{reflect.TypeFor[struct {
			A string `msgpack:",intern"`
		}](), "intern"},
		{reflect.TypeFor[struct {
			A custom `msgpack:",omitempty"`
		}](), ".A: omitempty"},
		{reflect.TypeFor[struct{ *base }](), ".base: an embedded pointer"},
		{reflect.TypeFor[struct{ unsafeInt }](), ".unsafeInt: "},
		{reflect.TypeFor[struct{ error }](), ".error: "},
		{reflect.TypeFor[sync.Mutex](), ": "},
		{reflect.TypeFor[big.Float](), ""},
	} {
		err := Msgpack.Check(c.t)
		if c.says == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, ErrEncode) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.t, err)
		}
		if err := Msgpack.Decode([]byte{0xc0}, reflect.New(c.t).Interface()); !errors.Is(err, ErrDecode) {
			t.Errorf("Decode into %v: %v", c.t, err)
		}
		if _, err := Msgpack.Append(nil, reflect.Zero(c.t).Interface()); !errors.Is(err, ErrEncode) {
			t.Errorf("Append of %v: %v", c.t, err)
		}
	}
}

type EmbedsItself struct {
	*EmbedsItself
	A int
}

func TestCheckTakesWhatSurvives(t *testing.T) {
	type tagged struct {
		A int
		b int      `msgpack:"-"`
		C chan int `msgpack:"-"`
		_ int
	}
	_ = tagged{}.b
	for _, typ := range []reflect.Type{
		reflect.TypeFor[tree](), reflect.TypeFor[everything](), reflect.TypeFor[tagged](), reflect.TypeFor[any](), reflect.TypeFor[error](),
		reflect.TypeFor[time.Time](), reflect.TypeFor[struct{ time.Time }](), reflect.TypeFor[stampedOwn](), reflect.TypeFor[netip.Addr](), reflect.TypeFor[uuid.UUID](),
		reflect.TypeFor[*big.Int](), reflect.TypeFor[[]ptrCustom](), reflect.TypeFor[map[string]*ptrCustom](), reflect.TypeFor[Box[Box[int]]](),
		reflect.TypeFor[map[netip.Addr]bool](), reflect.TypeFor[struct{ base }](), reflect.TypeFor[struct{}](),
		reflect.TypeFor[struct {
			T time.Time `msgpack:",omitempty"`
			A netip.Addr
			base
			Exported `msgpack:",noinline"`
		}](),
	} {
		if err := Msgpack.Check(typ); err != nil {
			t.Error(err)
		}
	}
	if got := roundTrip(t, stampedOwn{Name: "n"}); got.Name != "n" {
		t.Error(got)
	}
	if got := roundTrip(t, struct {
		A [1]ptrCustom
		B int
	}{[1]ptrCustom{{"x"}}, 1}); got.A[0].s != "x" {
		t.Error(got)
	}
}

func TestShadowedFieldsOfEmbeddedStructsAreNested(t *testing.T) {
	type shadows struct {
		Note string
		Exported
	}
	v := shadows{"outer", Exported{"inner"}}
	if got := roundTrip(t, v); got != v {
		t.Errorf("%+v", got)
	}
	var lib shadows
	if err := msgpack.Unmarshal(encode(t, v), &lib); err != nil || lib != v {
		t.Errorf("%+v, %v", lib, err)
	}
}

func TestTypesAreLearnedByManyAtOnce(t *testing.T) {
	type a struct{ X *tree }
	type b struct {
		A []a
		Y any
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := Msgpack.Check(reflect.TypeFor[b]()); err != nil {
				t.Error(err)
			}
			if _, err := Msgpack.Append(nil, []any{b{Y: hidden{}}}); err == nil || !strings.Contains(err.Error(), "[]interface {}[0].Y.b: ") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// shout has the form MarshalMsgpack, whose bytes must be a value by themselves.
type shout struct{ s string }

func (s shout) MarshalMsgpack() ([]byte, error) {
	if s.s == "" {
		return []byte{0xc1}, nil
	}
	return Msgpack.Append(nil, []any{s.s, map[string]any{"loud": true}})
}

func (s *shout) UnmarshalMsgpack(b []byte) error {
	var parts []any
	if err := Msgpack.Decode(b, &parts); err != nil {
		return err
	}
	s.s = parts[0].(string)
	return nil
}

func TestTypesWithAFormOfTheirOwnKeepIt(t *testing.T) {
	type all struct {
		A shout
		B map[string]shout
		C *shout
		U uuid.UUID
		N *big.Int
		L []netip.Addr
	}
	v := all{shout{"a"}, map[string]shout{"b": {"b"}}, &shout{"c"}, uuid.New(), big.NewInt(-1234567), []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	if got := roundTrip(t, v); !reflect.DeepEqual(got, v) {
		t.Errorf("got %+v, want %+v", got, v)
	}
	if _, err := Msgpack.Append(nil, shout{}); !errors.Is(err, ErrEncode) {
		t.Error(err)
	}
	for _, c := range []struct{ in, ptr any }{{5, new(uuid.UUID)}, {"short", new(uuid.UUID)}, {"x", new(big.Int)}, {[]any{}, new(shout)}, {[]any{5}, new(shout)}} {
		if err := Msgpack.Decode(encode(t, c.in), c.ptr); !errors.Is(err, ErrDecode) {
			t.Errorf("%v into %T: %v", c.in, c.ptr, err)
		}
	}
}
