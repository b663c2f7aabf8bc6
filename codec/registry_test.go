package codec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
)

type first struct{ A int }
type second struct{ A int }

const here = "github.com/troupe-go/troupe/codec."

// C79
func TestATakenNameOrTypeIsRefused(t *testing.T) {
	var r Registry
	one, two := reflect.TypeFor[first](), reflect.TypeFor[second]()
	steps := []struct {
		t    reflect.Type
		name string
		want error
	}{
		{one, "", nil}, {one, "", nil}, {one, here + "first", nil}, {two, here + "first", ErrRegistered}, {one, "other", ErrRegistered},
		{two, "two", nil}, {two, "two", nil}, {two, "", ErrRegistered}, {reflect.TypeFor[*second](), "", nil}, {reflect.TypeFor[*second](), "x", ErrRegistered},
		{reflect.TypeFor[string](), "", nil}, {reflect.TypeFor[string](), "s", ErrRegistered}, {reflect.TypeFor[[]first](), "string", ErrRegistered},
		{reflect.TypeFor[hidden](), "", ErrEncode}, {reflect.TypeFor[any](), "", ErrEncode}, {nil, "", ErrEncode},
	}
	for i, s := range steps {
		if err := r.Register(s.t, s.name); !errors.Is(err, s.want) {
			t.Errorf("%d: %v as %q: %v", i, s.t, s.name, err)
		}
	}
	for _, name := range []string{strings.Repeat("x", 256), "a\nb"} {
		if r.Register(reflect.TypeFor[[]second](), name) == nil {
			t.Errorf("%q was taken", name)
		}
	}
	for name, want := range map[string]reflect.Type{here + "first": one, "two": two, "*two": reflect.TypeFor[*second](), "time.Time": timeType,
		"[]byte": reflect.TypeFor[[]byte](), "map[string]any": reflect.TypeFor[map[string]any](), "*string": reflect.TypeFor[*string]()} {
		if got, ok := r.TypeByName(name); !ok || got != want {
			t.Errorf("%q is %v", name, got)
		}
		if got := r.TypeName(want); got != name {
			t.Errorf("%v is %q, not %q", want, got, name)
		}
	}
	for _, name := range []string{"", "*", "**two", "three", "[]two", here + "second"} {
		if got, ok := r.TypeByName(name); ok {
			t.Errorf("%q is %v", name, got)
		}
	}
	if r.TypeName(nil) != "" {
		t.Error("nil has a name")
	}
}

func TestDefaultNamesHaveTheWholePath(t *testing.T) {
	for typ, want := range map[reflect.Type]string{
		reflect.TypeFor[first]():               here + "first",
		reflect.TypeFor[*first]():              "*" + here + "first",
		reflect.TypeFor[[]first]():             "[]" + here + "first",
		reflect.TypeFor[[2]first]():            "[2]" + here + "first",
		reflect.TypeFor[map[string]*first]():   "map[string]*" + here + "first",
		reflect.TypeFor[Box[first]]():          here + "Box[" + here + "first]",
		reflect.TypeFor[[]byte]():              "[]byte",
		reflect.TypeFor[map[string]struct{}](): "map[string]struct{}",
		reflect.TypeFor[any]():                 "interface {}",
	} {
		if got := new(Registry).TypeName(typ); got != want {
			t.Errorf("%v is %q, not %q", typ, got, want)
		}
	}
}

var errSentinel = errors.New("sentinel")

func TestTheDefaultRegistryIsUsedByManyAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := Register[first](); err != nil {
				t.Error(err)
			}
			if err := Register[second]("a", "b"); err == nil {
				t.Error("two names were taken")
			}
			if err := RegisterError(errSentinel, "registry_test.sentinel"); err != nil {
				t.Error(err)
			}
			if got, ok := TypeByName(TypeName(reflect.TypeFor[first]())); !ok || got != reflect.TypeFor[first]() {
				t.Error(got)
			}
			if err := ErrorByName(ErrorName(errSentinel), "text"); !errors.Is(err, errSentinel) || err.Error() != "text" {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

type incomparable []string

func (incomparable) Error() string { return "" }

func TestErrorsKeepTheirIdentityByName(t *testing.T) {
	var r Registry
	general := errors.New("general")
	special := fmt.Errorf("special: %w", general)
	for i, s := range []struct {
		err  error
		name string
		ok   bool
	}{
		{special, "special", true}, {general, "general", true}, {io.EOF, "eof", true}, {io.EOF, "eof", true}, {io.EOF, "end", false},
		{context.Canceled, "eof", false}, {nil, "nil", false}, {context.Canceled, "", false}, {incomparable{}, "i", false},
	} {
		if err := r.RegisterError(s.err, s.name); (err == nil) != s.ok {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := r.RegisterError(io.EOF, "end"); !errors.Is(err, ErrRegistered) {
		t.Error(err)
	}
	for err, want := range map[error]string{nil: "", general: "general", special: "special", fmt.Errorf("at 5: %w", special): "special",
		errors.Join(errors.New("x"), general): "general", errors.New("general"): "", fmt.Errorf("%w", io.EOF): "eof"} {
		if got := r.ErrorName(err); got != want {
			t.Errorf("%v is %q, not %q", err, got, want)
		}
	}
	if err := r.ErrorByName("special", "special: far away"); !errors.Is(err, special) || !errors.Is(err, general) || err.Error() != "special: far away" || r.ErrorName(err) != "special" {
		t.Error(err)
	}
	if err := r.ErrorByName("eof", "EOF"); err != io.EOF {
		t.Error(err)
	}
	if err := r.ErrorByName("", "text"); err == nil || err.Error() != "text" {
		t.Error(err)
	}
	if err := r.ErrorByName("unknown", ""); err == nil {
		t.Error("nil")
	}
}
