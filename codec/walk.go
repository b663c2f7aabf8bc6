package codec

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// maxHops is how many pointers, interfaces, arrays and maps one may follow to get to the innermost value: more than any
// value within MaxDepth needs, few enough to notice soon that one holds itself.
const maxHops = 4 * MaxDepth

// walk looks at what only the value can tell before it is encoded: that it doesn't hold itself, and that the types in
// its interfaces can be sent. The types of untyped data go without reflection.
func walk(x any, hops int) error {
	switch x := x.(type) {
	case nil, bool, string, int, int64, float64, []byte:
		return nil
	case map[string]any:
		if hops > maxHops {
			return errHops
		}
		for key, e := range x {
			if err := walk(e, hops+2); err != nil {
				return atKey(key, err)
			}
		}
		return nil
	case []any:
		if hops > maxHops {
			return errHops
		}
		for i, e := range x {
			if err := walk(e, hops+2); err != nil {
				return at("["+strconv.Itoa(i)+"]", err)
			}
		}
		return nil
	}
	v := reflect.ValueOf(x)
	if hops > 0 {
		if err := checkHeld(v.Type()); err != nil {
			return err
		}
	}
	return walkValue(v, hops)
}

var errHops = fmt.Errorf("%w: it is nested too deeply or holds itself", ErrLimit)

func walkValue(v reflect.Value, hops int) error {
	if hops > maxHops {
		return errHops
	}
	if v.Kind() == reflect.Interface {
		if v.IsNil() || v.Type() == errorType {
			return nil
		}
		return walk(v.Elem().Interface(), hops+1)
	}
	info := infoOf(v.Type())
	if info.err != nil || !info.dynamic {
		return info.err
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return walkValue(v.Elem(), hops+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := walkValue(v.Index(i), hops+1); err != nil {
				return at("["+strconv.Itoa(i)+"]", err)
			}
		}
	case reflect.Map:
		for m := v.MapRange(); m.Next(); {
			if err := walkValue(m.Key(), hops+1); err != nil {
				return at("[key]", err)
			}
			if err := walkValue(m.Value(), hops+1); err != nil {
				return atKey(m.Key(), err)
			}
		}
	case reflect.Struct:
		for _, f := range info.layout.fields {
			in, err := v.FieldByIndexErr(f.index)
			if err != nil {
				continue // an embedded pointer that is nil
			}
			if err := walkValue(in, hops+1); err != nil {
				return at(f.goName, err)
			}
		}
	}
	return nil
}

// checkHeld refuses the types that fail in an interface alone, and errors, for which there is a better way.
func checkHeld(t reflect.Type) error {
	info := infoOf(t)
	switch {
	case info.address:
		return fmt.Errorf("in an interface it must be *%v, since encoding methods within have pointer receivers", t)
	case info.err != nil && t.Implements(errorType):
		return errors.New("an error in an any can't be sent: make the field an error, or send its text")
	}
	return nil
}
