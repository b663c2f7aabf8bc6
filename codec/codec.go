package codec

import (
	"errors"
	"reflect"
)

// Codec turns values into bytes and back. A Codec is used by many goroutines at once.
type Codec interface {
	// Name is the codec's name, as in logs and errors: "msgpack", "raw".
	Name() string

	// Append appends the encoding of v to dst and returns the longer slice, which shares no memory with v. On an error,
	// which wraps ErrEncode, it returns dst as it was.
	Append(dst []byte, v any) ([]byte, error)

	// Decode decodes data, which must be exactly one encoded value, into what ptr points to, a variable of the wanted
	// type. Whatever ptr pointed to before is not looked at and not kept, and the result shares no memory with data.
	// Decode does not panic; on an error, which wraps ErrDecode, the variable is zero.
	Decode(data []byte, ptr any) error

	// Check tells before anything is sent whether values of type t survive the way there and back, with an error that
	// names the field that does not. What a type alone can't tell, such as what an interface holds, Append checks.
	Check(t reflect.Type) error
}

// ErrEncode is wrapped by the errors of Append and Check: the value or the type can't be encoded.
var ErrEncode = errors.New("codec: cannot encode")

// ErrDecode is wrapped by the errors of Decode: the bytes are not one value of the wanted type.
var ErrDecode = errors.New("codec: cannot decode")

// ErrLimit is wrapped, beside ErrEncode or ErrDecode, by errors about values that are nested too deeply (a value that
// holds itself among them) or would take too much memory.
var ErrLimit = errors.New("codec: over the limit")

// ErrRegistered is wrapped by the errors of Register and RegisterError: the name or the type has been taken.
var ErrRegistered = errors.New("codec: already registered")
