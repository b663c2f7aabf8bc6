package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/troupe-go/troupe/codec"
)

// guide is the form in which the Guide's programs write an update: the zip code, the temperature and the humidity, with a
// space between. A subscription to "10001 " is one to that zip code.
type guide struct{}

func (guide) Name() string { return "guide" }

func (guide) Check(t reflect.Type) error {
	if t != reflect.TypeFor[Update]() {
		return fmt.Errorf("%w: %v is no weather update", codec.ErrEncode, t)
	}
	return nil
}

func (guide) Append(b []byte, v any) ([]byte, error) {
	u, ok := v.(Update)
	if !ok {
		return b, fmt.Errorf("%w: %T is no weather update", codec.ErrEncode, v)
	}
	b = append(b, zip(u.Zip)...)
	b = strconv.AppendInt(append(b, ' '), int64(u.Temperature), 10)
	return strconv.AppendInt(append(b, ' '), int64(u.Humidity), 10), nil
}

func (guide) Decode(text []byte, v any) error {
	u, ok := v.(*Update)
	if !ok {
		return fmt.Errorf("%w: an update into a %T", codec.ErrDecode, v)
	}
	*u = Update{}
	fields := strings.Split(string(text), " ")
	if len(fields) != 3 {
		return fmt.Errorf("%w: %q is no weather update", codec.ErrDecode, text)
	}
	var read Update
	for i, n := range []*int{&read.Zip, &read.Temperature, &read.Humidity} {
		var err error
		if *n, err = strconv.Atoi(fields[i]); err != nil {
			return fmt.Errorf("%w: %w", codec.ErrDecode, err)
		}
	}
	*u = read
	return nil
}
