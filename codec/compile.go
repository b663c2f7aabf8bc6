package codec

import (
	"fmt"
	"reflect"
	"strconv"
)

// compile returns the decodeFunc of a type that check found good.
func compile(t reflect.Type) decodeFunc {
	c := compiler{}
	return c.compile(t)
}

// compiler remembers the types that it has begun, so that types may reach themselves.
type compiler map[reflect.Type]*decodeFunc

func (c compiler) compile(t reflect.Type) decodeFunc {
	if p, ok := c[t]; ok {
		if *p != nil {
			return *p
		}
		return func(d *decoder, v reflect.Value) error { return (*p)(d, v) }
	}
	p := new(decodeFunc)
	c[t] = p
	*p = c.build(t)
	return *p
}

func (c compiler) build(t reflect.Type) decodeFunc {
	switch t.Kind() {
	case reflect.Pointer:
		return c.pointer(t)
	case reflect.Interface:
		if t == errorType {
			return decodeError
		}
		return decodeAny
	}
	if how, _, _ := formOf(t); how == formTime {
		return decodeTime
	} else if how != formNone {
		return decodeCustom(how)
	}
	switch t.Kind() {
	case reflect.Bool:
		return decodeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return decodeUint
	case reflect.Float32, reflect.Float64:
		return decodeFloat
	case reflect.String:
		return decodeString
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return decodeBytes
		}
		return c.slice(t)
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return decodeByteArray
		}
		return c.array(t)
	case reflect.Map:
		return c.maps(t)
	}
	return c.structs(t)
}

func (c compiler) pointer(t reflect.Type) decodeFunc {
	elem := c.compile(t.Elem())
	return func(d *decoder, v reflect.Value) error {
		if d.isNil() {
			v.SetZero()
			return nil
		}
		if err := d.charge(1, t.Elem().Size()); err != nil {
			return err
		}
		v.Set(reflect.New(t.Elem()))
		return elem(d, v.Elem())
	}
}

func (c compiler) slice(t reflect.Type) decodeFunc {
	elem := c.compile(t.Elem())
	size := t.Elem().Size()
	return func(d *decoder, v reflect.Value) error {
		k, n := d.head()
		v.SetZero()
		switch {
		case k == kindNil:
			return nil
		case k != kindArray:
			return mismatch(k, t)
		case n == 0:
			v.Set(reflect.MakeSlice(t, 0, 0))
			return nil
		}
		if err := d.charge(n, size); err != nil {
			return err
		}
		v.Grow(int(n))
		v.SetLen(int(n))
		return d.elements(elem, v)
	}
}

func (c compiler) array(t reflect.Type) decodeFunc {
	elem := c.compile(t.Elem())
	return func(d *decoder, v reflect.Value) error {
		k, n := d.head()
		switch {
		case k == kindNil:
			v.SetZero()
			return nil
		case k != kindArray:
			return mismatch(k, t)
		case n != uint64(t.Len()):
			return fmt.Errorf("an array of %d is no %v", n, t)
		}
		return d.elements(elem, v)
	}
}

func (d *decoder) elements(elem decodeFunc, v reflect.Value) error {
	for i := range v.Len() {
		if err := elem(d, v.Index(i)); err != nil {
			return at("["+strconv.Itoa(i)+"]", err)
		}
	}
	return nil
}

func (c compiler) maps(t reflect.Type) decodeFunc {
	key, elem := c.compile(t.Key()), c.compile(t.Elem())
	size := t.Key().Size() + t.Elem().Size()
	return func(d *decoder, v reflect.Value) error {
		k, n := d.head()
		switch {
		case k == kindNil:
			v.SetZero()
			return nil
		case k != kindMap:
			return mismatch(k, t)
		}
		if err := d.charge(n, size); err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(t, int(min(n, 1024)))
		x, y := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for ; n > 0; n-- {
			if err := key(d, x); err != nil {
				return at("[key]", err)
			}
			if !x.Comparable() {
				return fmt.Errorf("a %T can't be a map's key", x.Interface())
			}
			if err := elem(d, y); err != nil {
				return atKey(x, err)
			}
			m.SetMapIndex(x, y)
		}
		v.Set(m)
		return nil
	}
}
