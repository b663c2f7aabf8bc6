package codec

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/vmihailenco/tagparser/v2"
)

// layout is how a struct is encoded: what msgpack/v5 makes of its fields and tags.
type layout struct {
	fields  []field
	byName  map[string]int // of names and aliases
	asArray bool
	omits   bool // some fields are omitEmpty
}

// field is a field of a struct or of one embedded in it.
type field struct {
	name      string // on the wire
	goName    string // ".Base.ID"
	typ       reflect.Type
	index     []int
	omitEmpty bool // not encoded if it is empty
}

// keys returns the fields' names, encoded.
func (l *layout) keys() (keys [][]byte) {
	for _, f := range l.fields {
		var e encoder
		e.text(f.name)
		keys = append(keys, e.out)
	}
	return keys
}

// layoutOf returns the layout of the struct type t, or why a value would not survive.
func layoutOf(t reflect.Type) (*layout, error) { return layoutWithin(t, nil) }

func layoutWithin(t reflect.Type, outer []reflect.Type) (*layout, error) {
	if slices.Contains(outer, t) {
		return nil, fmt.Errorf("%v embeds itself", t)
	}
	outer = append(outer, t)
	l := &layout{byName: make(map[string]int, t.NumField())}
	omitEmpty := false
	for i := range t.NumField() {
		f := t.Field(i)
		tag := tagparser.Parse(f.Tag.Get("msgpack"))
		if tag.Name == "-" {
			continue
		}
		if f.Name == "_msgpack" {
			l.asArray = tag.HasOption("as_array") || tag.HasOption("asArray")
			omitEmpty = omitEmpty || tag.HasOption("omitempty")
			continue
		}
		if f.Name == "_" {
			continue
		}
		if err := l.add(f, tag, omitEmpty, outer); err != nil {
			return nil, at("."+f.Name, err)
		}
	}
	return l, nil
}

func (l *layout) add(f reflect.StructField, tag *tagparser.Tag, omitEmpty bool, outer []reflect.Type) error {
	if !f.IsExported() && !f.Anonymous {
		return errors.New("an unexported field would be lost: export it, tag it `msgpack:\"-\"`, or give its struct EncodeMsgpack and DecodeMsgpack")
	}
	if tag.HasOption("intern") {
		return errors.New("the tag option intern is not supported")
	}
	if omitEmpty = omitEmpty || tag.HasOption("omitempty"); omitEmpty {
		if err := checkOmitEmpty(f.Type); err != nil {
			return err
		}
	}
	name := tag.Name
	if name == "" {
		name = f.Name
	}
	if f.Anonymous && !tag.HasOption("noinline") {
		inlined, err := l.inline(f, tag.HasOption("inline"), outer)
		if err != nil {
			return err
		}
		if inlined {
			return l.reserve(name, -1)
		}
	}
	if !f.IsExported() {
		return errors.New("an embedded field of an unexported type can't be set from outside: export it or name it")
	}
	l.fields = append(l.fields, field{name, "." + f.Name, f.Type, f.Index, omitEmpty})
	l.omits = l.omits || omitEmpty
	if err := l.reserve(name, len(l.fields)-1); err != nil {
		return err
	}
	if alias, ok := tag.Options["alias"]; ok {
		return l.reserve(alias, len(l.fields)-1)
	}
	return nil
}

// inline adds the fields of an embedded struct as if they were l's, unless one of their names is taken already.
// If that is asked for by tag, those taken are left out instead.
func (l *layout) inline(f reflect.StructField, asked bool, outer []reflect.Type) (done bool, err error) {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return false, nil
	}
	if how, _, err := formOf(t); (how != formNone || err != nil) && !asked {
		return false, nil
	}
	if f.Type.Kind() == reflect.Pointer && (asked || !f.IsExported()) {
		return false, errors.New("an embedded pointer must be to an exported type and without the tag option inline")
	}
	inner, err := layoutWithin(t, outer)
	if err != nil {
		return false, err
	}
	taken := func(in field) bool { _, ok := l.byName[in.name]; return ok }
	if !asked && slices.ContainsFunc(inner.fields, taken) {
		return false, nil
	}
	for _, in := range inner.fields {
		if taken(in) {
			continue
		}
		in.index = slices.Concat(f.Index, in.index)
		in.goName = "." + f.Name + in.goName
		l.fields = append(l.fields, in)
		l.omits = l.omits || in.omitEmpty
		l.byName[in.name] = len(l.fields) - 1
	}
	return true, nil
}

// reserve refuses a name on the wire that two fields have; i < 0 takes it without a field.
func (l *layout) reserve(name string, i int) error {
	if _, ok := l.byName[name]; ok {
		return fmt.Errorf("two fields have the name %q in the encoding", name)
	}
	l.byName[name] = i
	return nil
}

// checkOmitEmpty refuses omitempty where msgpack/v5 takes a value for empty that is not: a struct with an encoding of
// its own counts as empty if it has no exported fields.
func checkOmitEmpty(t reflect.Type) error {
	if t.Kind() != reflect.Struct {
		return nil
	}
	if how, _, _ := formOf(t); how == formNone || t.Implements(reflect.TypeFor[interface{ IsZero() bool }]()) {
		return nil
	}
	return fmt.Errorf("omitempty can't tell whether a %v is empty: drop it, or give the type a method IsZero() bool", t)
}
