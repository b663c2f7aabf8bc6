package codec

import (
	"bytes"
	"reflect"
)

// structDecoder decodes structs of one type.
type structDecoder struct {
	layout *layout
	fields []decodeFunc
	keys   [][]byte // the fields' names, encoded as they mostly are
	typ    reflect.Type
}

func (c compiler) structs(t reflect.Type) decodeFunc {
	l, _ := layoutOf(t)
	s := &structDecoder{layout: l, typ: t, fields: make([]decodeFunc, len(l.fields)), keys: l.keys()}
	for i, f := range l.fields {
		s.fields[i] = c.compile(f.typ)
	}
	return s.decode
}

// decode takes a map, whose keys that name no field are ignored, or an array if the struct is tagged as_array, whose
// surplus elements are ignored. Fields that are missing are zero.
func (s *structDecoder) decode(d *decoder, v reflect.Value) error {
	v.SetZero()
	k, n := d.head()
	switch {
	case k == kindNil:
	case k == kindMap:
		next := 0 // fields mostly come in order
		for ; n > 0; n-- {
			i := s.find(d, next)
			if i < 0 {
				if err := d.skip(); err != nil {
					return err
				}
				continue
			}
			if err := s.field(d, v, i); err != nil {
				return err
			}
			next = i + 1
		}
	case k == kindArray && s.layout.asArray:
		for i := range int(n) {
			if i >= len(s.fields) {
				if err := d.skip(); err != nil {
					return err
				}
			} else if err := s.field(d, v, i); err != nil {
				return err
			}
		}
	default:
		return mismatch(k, s.typ)
	}
	return nil
}

// find reads a key and returns the index of the field that it names, most likely next, or -1.
func (s *structDecoder) find(d *decoder, next int) int {
	if next < len(s.keys) && bytes.HasPrefix(d.b[d.pos:], s.keys[next]) {
		d.pos += len(s.keys[next])
		return next
	}
	k, n, end := head(d.b, d.pos)
	if k != kindString && k != kindBytes {
		d.pos, _ = skip(d.b, d.pos, nil)
		return -1
	}
	d.pos = end
	name := d.bytes(n)
	if i, ok := s.layout.byName[string(name)]; ok {
		return i
	}
	return -1
}

func (s *structDecoder) field(d *decoder, v reflect.Value, i int) error {
	f := &s.layout.fields[i]
	for j, x := range f.index {
		if j > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if d.isNil() {
					return nil // what msgpack/v5 writes for the fields of an embedded pointer that is nil
				}
				if err := d.charge(1, v.Type().Elem().Size()); err != nil {
					return err
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	if err := s.fields[i](d, v); err != nil {
		return at(f.goName, err)
	}
	return nil
}
