package codec

import (
	"fmt"
	"reflect"
)

// pathError says where within a value or a type something is wrong.
type pathError struct {
	path string // `.Items[3]["price"]`
	err  error
}

func (e *pathError) Error() string { return e.path + ": " + e.err.Error() }
func (e *pathError) Unwrap() error { return e.err }

// at puts step before the path of err. Of long paths the end is cut off.
func at(step string, err error) error {
	p, ok := err.(*pathError)
	if !ok {
		return &pathError{step, err}
	}
	const most = 160
	path := step + p.path
	if len(path) > most {
		path = path[:most] + "…"
	}
	return &pathError{path, p.err}
}

// atKey is at for the element of a map.
func atKey(key any, err error) error {
	if v, ok := key.(reflect.Value); ok && v.Kind() == reflect.String {
		key = v.String()
	}
	step := fmt.Sprintf("[%v]", key)
	if s, ok := key.(string); ok {
		step = fmt.Sprintf("[%q]", s[:min(len(s), 40)])
	}
	return at(step[:min(len(step), 160)], err)
}
