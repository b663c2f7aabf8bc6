package actor

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/troupe-go/troupe/codec"
)

// message is a letter whose type of message is not known.
type message struct {
	value any   // a program's value; nil if there is more.alien
	from  *cell // nil: from outside, or from elsewhere (see body)
	more  *more // nil: a Tell
}

// more is what a letter has that is not a Tell of what its actor takes.
type more struct {
	hand   Context // of the handler; its turn has who asks, if anybody does
	alien  any     // in the value's place: a *body, a foreign, a stopMark, or a *callback
	urgent bool    // goes before what is not
	post   *post   // what it is part of, if that is used again when this is handled
}

// foreign is a value that the actor doesn't take.
type foreign struct{ value any }

// control reports whether it is the runtime's own, and no message.
func (x *more) control() bool {
	switch x.alien.(type) {
	case stopMark, *callback:
		return true
	}
	return false
}

func (m *message) asker() asker {
	if m.more == nil {
		return nil
	}
	return m.more.hand.turn.asker
}

// anew is x for another handler than the one that has just returned, whose Context is of no use any more.
func (x *more) anew() *more {
	if x == nil {
		return nil
	}
	next := &more{alien: x.alien, urgent: x.urgent}
	next.hand.turn.asker = x.hand.turn.end()
	return next
}

// asker is who waits for the reply to a message: in this process, behind a link, or behind a socket. Of its methods one
// is called, once.
type asker interface {
	// reply takes the answer. An error means that v can't travel; the asker waits on.
	reply(v any) error
	// refuse takes the error that the handler gave to Reply.
	refuse(err error)
	// fail takes an error of the runtime: why there is no reply.
	fail(err error)
}

// bodyMessage is the message of what came encoded. The asker may be nil.
func bodyMessage(b *body, asker asker) message {
	m := message{more: &more{alien: b}}
	m.more.hand.turn.asker = asker
	return m
}

// stopMark ends the actor when its turn comes.
type stopMark struct{}

// body is an encoded value and how to decode it.
type body struct {
	codec    codec.Codec // nil: codec.Msgpack, and typeName says of what type the value is
	typeName string
	data     []byte
	sender   PID
	own      bool // nobody else has data, or will have it: the value may be a part of it
	opened   bool // it is decoded, where the letter has its value
}

// misfit is the error of a message that its actor doesn't take. The actor has not failed.
type misfit struct {
	reason Reason
	err    error
}

func (m *misfit) Error() string { return m.err.Error() }
func (m *misfit) Unwrap() error { return m.err }

// typeNameOf is how M is called on the wire, "" if M is an interface, which has many names.
func typeNameOf[M any]() string {
	if t := reflect.TypeFor[M](); t.Kind() != reflect.Interface {
		return codec.TypeName(t)
	}
	return ""
}

// errStopMark is what handling a stopMark comes to.
var errStopMark = errors.New("stop")

// open makes what was queued, or came as an answer, an M, whose type is called typeName. Its errors are misfits.
func open[M any](value any, typeName string) (m M, err error) {
	switch alien := value.(type) {
	case *body:
		err = decode(alien, typeName, &m)
		return m, err
	case foreign:
		value = alien.value
	}
	m, ok := value.(M)
	if !ok && (value != nil || !nillable(reflect.TypeFor[M]())) {
		return m, misfitf(UnknownType, "%w: %T is not %v", ErrType, value, reflect.TypeFor[M]())
	}
	return m, nil
}

// decode makes what came encoded an M, in m, which is zero.
func decode[M any](b *body, typeName string, m *M) error {
	switch {
	case b.codec != nil:
		return undecodable(b.codec.Decode(b.data, m))
	case b.typeName == "" && nillable(reflect.TypeFor[M]()):
		return nil
	case typeName == "": // an interface
		value, err := b.decodeAny()
		if err == nil {
			*m, err = open[M](value, typeName)
		}
		return err
	case b.typeName != typeName:
		return misfitf(UnknownType, "%w: %q is not %s", ErrType, clip(b.typeName), typeName)
	}
	if p, ok := any(m).(*[]byte); ok && b.own {
		if *p, ok = codec.BytesIn(b.data); ok {
			return nil
		}
	}
	return undecodable(codec.Msgpack.Decode(b.data, m))
}

func undecodable(err error) error {
	if err == nil {
		return nil
	}
	return misfitf(Undecodable, "%w: %w", ErrType, err)
}

// decodeAny makes the value of the type that the body names.
func (b *body) decodeAny() (any, error) {
	if b.typeName == "" {
		return nil, nil
	}
	t, ok := codec.TypeByName(b.typeName)
	if !ok {
		return nil, misfitf(UnknownType, "%w: no type %q is registered", ErrType, clip(b.typeName))
	}
	p := reflect.New(t)
	if err := codec.Msgpack.Decode(b.data, p.Interface()); err != nil {
		return nil, misfitf(Undecodable, "%w: %w", ErrType, err)
	}
	return p.Elem().Interface(), nil
}

func misfitf(reason Reason, format string, args ...any) *misfit {
	return &misfit{reason, fmt.Errorf(format, args...)}
}

// nillable says whether nil, which has no type of its own, is a value of t.
func nillable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		return true
	}
	return false
}

// encode is the way of a local message through the codec, for Config.CopyMessages.
func encode(v any, from PID) (*body, error) {
	data, err := codec.Msgpack.Append(nil, v)
	if err != nil {
		return nil, err
	}
	return &body{typeName: codec.TypeName(reflect.TypeOf(v)), data: data, sender: from}, nil
}
