package codec

import "reflect"

// encoders makes the encodeFunc of types that check found good. It remembers those that it has begun, so that types may
// reach themselves.
type encoders map[reflect.Type]*encodeFunc

func (c encoders) compile(t reflect.Type) encodeFunc {
	if p, ok := c[t]; ok {
		if *p != nil {
			return *p
		}
		return func(e *encoder, v reflect.Value) error { return (*p)(e, v) }
	}
	p := new(encodeFunc)
	c[t] = p
	*p = c.build(t)
	return *p
}

func (c encoders) build(t reflect.Type) encodeFunc {
	switch t.Kind() {
	case reflect.Pointer:
		return c.pointer(t)
	case reflect.Interface:
		if t == errorType {
			return encodeError
		}
		return encodeAny
	}
	if how, _, _ := formOf(t); how == formTime {
		return encodeTime
	} else if how != formNone {
		return encodeCustom(how)
	}
	switch t.Kind() {
	case reflect.Bool:
		return encodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return encodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return encodeUint
	case reflect.Float32:
		return encodeFloat32
	case reflect.Float64:
		return encodeFloat
	case reflect.String:
		return encodeString
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return encodeBytes
		}
		return c.slice(t)
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return encodeByteArray
		}
		return c.slice(t)
	case reflect.Map:
		return c.maps(t)
	}
	return c.structs(t)
}

func (c encoders) pointer(t reflect.Type) encodeFunc {
	elem := c.compile(t.Elem())
	return func(e *encoder, v reflect.Value) error {
		if v.IsNil() {
			return e.null()
		}
		return elem(e, v.Elem())
	}
}

// slice is for arrays, too.
func (c encoders) slice(t reflect.Type) encodeFunc {
	elem := c.compile(t.Elem())
	return func(e *encoder, v reflect.Value) error {
		if v.Kind() == reflect.Slice && v.IsNil() {
			return e.null()
		}
		n := v.Len()
		e.array(n)
		for i := range n {
			if err := elem(e, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func (c encoders) maps(t reflect.Type) encodeFunc {
	if t == reflect.TypeFor[map[string]any]() {
		return encodeAny
	}
	key, elem := c.compile(t.Key()), c.compile(t.Elem())
	return func(e *encoder, v reflect.Value) error {
		if v.IsNil() {
			return e.null()
		}
		e.pairs(v.Len())
		x, y := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for m := v.MapRange(); m.Next(); {
			x.SetIterKey(m)
			if err := key(e, x); err != nil {
				return err
			}
			y.SetIterValue(m)
			if err := elem(e, y); err != nil {
				return err
			}
		}
		return nil
	}
}

// structEncoder encodes structs of one type.
type structEncoder struct {
	layout *layout
	fields []encodeFunc
	keys   [][]byte // the fields' names, encoded
}

func (c encoders) structs(t reflect.Type) encodeFunc {
	l, _ := layoutOf(t)
	s := &structEncoder{layout: l, keys: l.keys()}
	for _, f := range l.fields {
		s.fields = append(s.fields, c.compile(f.typ))
	}
	return s.encode
}

func (s *structEncoder) encode(e *encoder, v reflect.Value) error {
	l := s.layout
	switch {
	case l.asArray:
		e.array(len(s.fields))
	case l.omits:
		return s.encodeSome(e, v)
	default:
		e.pairs(len(s.fields))
	}
	for i, encode := range s.fields {
		if !l.asArray {
			e.out = append(e.out, s.keys[i]...)
		}
		in, ok := l.fields[i].of(v)
		if !ok {
			e.null()
			continue
		}
		if err := encode(e, in); err != nil {
			return err
		}
	}
	return nil
}

// encodeSome leaves out the fields that are empty, of those that may be.
func (s *structEncoder) encodeSome(e *encoder, v reflect.Value) error {
	kept := make([]int, 0, len(s.fields))
	for i := range s.layout.fields {
		if !s.layout.fields[i].omitted(v) {
			kept = append(kept, i)
		}
	}
	e.pairs(len(kept))
	for _, i := range kept {
		e.out = append(e.out, s.keys[i]...)
		in, _ := s.layout.fields[i].of(v)
		if err := s.fields[i](e, in); err != nil {
			return err
		}
	}
	return nil
}

// of returns the field of a struct; false if an embedded pointer on the way to it is nil.
func (f *field) of(v reflect.Value) (reflect.Value, bool) {
	for j, x := range f.index {
		if j > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

// omitted reports whether the field of a struct, of which some may be left out, is left out.
func (f *field) omitted(v reflect.Value) bool {
	v, ok := f.of(v)
	return !ok || f.omitEmpty && empty(v)
}

// empty says what the tag option omitempty takes for empty.
func empty(v reflect.Value) bool {
	for v.Kind() == reflect.Interface {
		if v.IsNil() {
			return true
		}
		v = v.Elem()
	}
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
		return nillable(v.Kind()) && v.IsNil() || z.IsZero()
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		l := infoOf(v.Type()).layout
		if l == nil { // nobody but its own method knows
			return false
		}
		for i := range l.fields {
			if !l.omits || !l.fields[i].omitted(v) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

func nillable(k reflect.Kind) bool {
	return k == reflect.Pointer || k == reflect.Map || k == reflect.Slice
}
