// Package codec turns values into bytes and back, and types and errors into names and back.
//
// Msgpack is the codec that Troupe's own links speak; Raw hands strings and byte slices on as they are. Both are values of
// the interface Codec, and so can others be.
//
// # What Msgpack does with Go values
//
// It encodes them as github.com/vmihailenco/msgpack/v5 does, whose field tags and interfaces it knows: types may have
// EncodeMsgpack and DecodeMsgpack, MarshalMsgpack, MarshalBinary or MarshalText and their counterparts. Not supported
// are its tag option intern and types given to its RegisterExt. Fastest are types with MarshalMsg and UnmarshalMsg, which
// github.com/tinylib/msgp generates: the one appends to a slice, the other must copy what it keeps of one.
//
//   - A type of which something would be lost is refused by Check, Append and Decode alike, and the field named:
//     channels, functions, complex numbers, unsafe pointers, interfaces with methods, unexported fields of structs
//     without an encoding of their own (tag them `msgpack:"-"` to leave them behind), a struct with the methods of an
//     embedded field, which know nothing of its other fields.
//   - Structs are maps by field name. Fields that the receiver doesn't know are ignored, those that are missing are zero.
//   - A number that does not fit the variable, or a length that does not fit the array, is an error. An integer may
//     arrive in a float that holds it exactly, a float64 in a float32 with less precision.
//   - nil pointers, slices and maps arrive as nil; nil arrives in any other variable as its zero value.
//   - A time.Time is the same instant to the nanosecond, in UTC, whatever the zones of sender and receiver; IsZero is
//     kept, a monotonic reading is not.
//   - A field of type error arrives with the error's text alone.
//   - What an interface holds arrives as nil, bool, int64, uint64 (above the greatest int64 only), float64, string, []byte,
//     time.Time, []any, map[string]any, or map[any]any if a key is no string.
//   - A decoded value is fresh: it keeps nothing of what was in the variable and shares no memory with the data.
//
// # What Msgpack does with bytes
//
// Any bytes may be given to Decode. Before anything else happens they are checked to be exactly one complete value,
// nested at most MaxDepth deep, so no length in them can claim more than is there. Decoding allocates at most about 128
// bytes for each byte of data, and 1 MiB, where a variable's type would let it take more. A panic in a method of the
// value's becomes an error. Values that hold themselves are refused by Append.
package codec
