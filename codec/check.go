package codec

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
)

// typeInfo is what Msgpack knows of a type of values handed to it.
type typeInfo struct {
	err     error   // why the type is refused
	dynamic bool    // reaches interfaces, or itself: values must be looked at before they are encoded
	custom  bool    // reaches encoding methods: what they wrote must be looked at
	address bool    // reaches, within the value itself, an encoding method with a pointer receiver
	layout  *layout // of a struct without an encoding of its own
	encode  encodeFunc
	decode  decodeFunc
}

// infos remembers infoOf's results; reflect.Type to *typeInfo.
var (
	infos      sync.Map
	earlyInfos early[*typeInfo]
)

func infoOf(t reflect.Type) *typeInfo {
	if info, ok := earlyInfos.get(t); ok {
		return info
	}
	info := knownInfo(t)
	earlyInfos.put(t, info)
	return info
}

func knownInfo(t reflect.Type) *typeInfo {
	if info, ok := infos.Load(t); ok {
		return info.(*typeInfo)
	}
	info := new(typeInfo)
	c := checker{info: info, done: map[visit]bool{}}
	if info.err = c.check(t, inValue); info.err == nil {
		info.encode, info.decode = encoders{}.compile(t), compile(t)
		if how, _, _ := formOf(t); t.Kind() == reflect.Struct && how == formNone {
			info.layout, _ = layoutOf(t)
		}
	}
	have, _ := infos.LoadOrStore(t, info)
	return have.(*typeInfo)
}

// place says whether the values of a type have an address when they are encoded.
type place uint8

const (
	inValue place = iota // the outermost value, its fields and its arrays' elements: if it is copied to a variable first
	behind               // behind a pointer or in a slice: yes
	inMap                // a map's keys and elements: no
)

type visit struct {
	t reflect.Type
	p place
}

// checker walks a type and what it is made of.
type checker struct {
	info *typeInfo
	done map[visit]bool // false while it is being walked
}

func (c *checker) check(t reflect.Type, p place) error {
	if done, ok := c.done[visit{t, p}]; ok {
		if !done {
			c.info.dynamic = true
		}
		return nil
	}
	c.done[visit{t, p}] = false
	err := c.kind(t, p)
	c.done[visit{t, p}] = true
	return err
}

func (c *checker) kind(t reflect.Type, p place) error {
	switch t.Kind() {
	case reflect.Pointer:
		return c.pointer(t)
	case reflect.Interface:
		if t != errorType && t.NumMethod() > 0 {
			return fmt.Errorf("the receiver can't know what to make for an interface with methods, %v: use any or a concrete type", t)
		}
		c.info.dynamic = true
		return nil
	}
	how, byAddress, err := formOf(t)
	if err != nil {
		return err
	}
	if how != formNone {
		if how != formTime {
			c.info.custom = true
		}
		switch {
		case byAddress && p == inMap:
			return fmt.Errorf("in a map it must be *%v, since its encoding methods have pointer receivers", t)
		case byAddress && p == inValue:
			c.info.address = true
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil
	case reflect.Slice:
		return step("[]", c.check(t.Elem(), behind))
	case reflect.Array:
		return step("[]", c.check(t.Elem(), p))
	case reflect.Map:
		if err := c.check(t.Key(), inMap); err != nil {
			return at("[key]", err)
		}
		return step("[]", c.check(t.Elem(), inMap))
	case reflect.Struct:
		return c.fields(t, p)
	}
	return fmt.Errorf("a %v can't be sent", t)
}

// pointer follows pointers to pointers by hand: msgpack/v5 never ends on type P *P.
func (c *checker) pointer(t reflect.Type) error {
	elem := t.Elem()
	for range 8 {
		if elem.Kind() != reflect.Pointer {
			return c.check(elem, behind)
		}
		elem = elem.Elem()
	}
	return errors.New("too many pointers to pointers")
}

func (c *checker) fields(t reflect.Type, p place) error {
	l, err := layoutOf(t)
	if err != nil {
		return err
	}
	for _, f := range l.fields {
		in := p
		for s, i := t, 0; i < len(f.index)-1; i++ {
			if s = s.Field(f.index[i]).Type; s.Kind() == reflect.Pointer {
				s, in = s.Elem(), behind
			}
		}
		if err := c.check(f.typ, in); err != nil {
			return at(f.goName, err)
		}
	}
	return nil
}

func step(s string, err error) error {
	if err == nil {
		return nil
	}
	return at(s, err)
}
