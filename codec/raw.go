package codec

import (
	"fmt"
	"reflect"
)

// Raw passes a string's or a byte slice's bytes on as they are, for peers that agree on nothing else. Types whose
// underlying type is string or []byte work too; all others are refused. A nil slice arrives empty.
var Raw Codec = raw{}

type raw struct{}

func (raw) Name() string { return "raw" }

func (raw) Append(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return append(dst, v...), nil
	case []byte:
		return append(dst, v...), nil
	case nil:
		return dst, fmt.Errorf("%w: raw: nil is neither a string nor a []byte", ErrEncode)
	}
	r := reflect.ValueOf(v)
	switch rawKind(r.Type()) {
	case reflect.String:
		return append(dst, r.String()...), nil
	case reflect.Slice:
		return append(dst, r.Bytes()...), nil
	}
	return dst, rawRefuses(r.Type(), ErrEncode)
}

func (raw) Decode(data []byte, ptr any) error {
	switch p := ptr.(type) {
	case *string:
		if p != nil {
			*p = string(data)
			return nil
		}
	case *[]byte:
		if p != nil {
			*p = append([]byte{}, data...)
			return nil
		}
	}
	v, err := target(ptr)
	if err != nil {
		return err
	}
	switch rawKind(v.Type()) {
	case reflect.String:
		v.SetString(string(data))
	case reflect.Slice:
		v.SetBytes(append([]byte{}, data...))
	default:
		v.SetZero()
		return rawRefuses(v.Type(), ErrDecode)
	}
	return nil
}

func (raw) Check(t reflect.Type) error {
	if t == nil || rawKind(t) == reflect.Invalid {
		return rawRefuses(t, ErrEncode)
	}
	return nil
}

// rawKind returns String or Slice for the types that Raw takes and Invalid for all others.
func rawKind(t reflect.Type) reflect.Kind {
	switch {
	case t.Kind() == reflect.String:
		return reflect.String
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return reflect.Slice
	}
	return reflect.Invalid
}

func rawRefuses(t reflect.Type, sentinel error) error {
	return fmt.Errorf("%w: raw: %v is neither a string nor a []byte", sentinel, t)
}

// target returns the variable that ptr, an argument of Decode, points to.
func target(ptr any) (reflect.Value, error) {
	v := reflect.ValueOf(ptr)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return v, fmt.Errorf("%w: into %T: it must be a pointer, and not nil", ErrDecode, ptr)
	}
	return v.Elem(), nil
}
