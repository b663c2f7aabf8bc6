package nodes

import (
	"encoding/binary"
	"math"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
)

// cargo is a kind of messages. Each has a number.
type cargo interface {
	// spawn starts an actor that gives the number of each message to got.
	spawn(in actor.Scope, name string, got func(number uint64), options ...actor.Option) error
	// teller returns a function, for one goroutine, that tells an actor the message of a number.
	teller(in actor.Scope, to actor.PID) func(number uint64) error
	// packer returns a function, for one goroutine, that makes the message of a number in bytes, which are its own.
	packer() func(number uint64) ([]byte, error)
	// unpack returns the number of a message in bytes, which are its own.
	unpack(data []byte) (uint64, error)
}

// kind is a cargo of the type M.
type kind[M any] struct {
	blank     func() M
	setNumber func(m *M, number uint64)
	number    func(m *M) uint64
	pack      func(dst []byte, m M) ([]byte, error)
	unpacked  func(data []byte) (M, error)
}

func (k kind[M]) spawn(in actor.Scope, name string, got func(number uint64), options ...actor.Option) error {
	_, err := actor.Spawn(in, name, func(_ *actor.Context, m M) error {
		got(k.number(&m))
		return nil
	}, options...)
	return err
}

func (k kind[M]) teller(in actor.Scope, to actor.PID) func(number uint64) error {
	ref, m := actor.RefTo[M](to), k.blank()
	return func(number uint64) error {
		k.setNumber(&m, number)
		return ref.Tell(in, m)
	}
}

func (k kind[M]) packer() func(number uint64) ([]byte, error) {
	var buf []byte
	m := k.blank()
	return func(number uint64) (_ []byte, err error) {
		k.setNumber(&m, number)
		buf, err = k.pack(buf[:0], m)
		return buf, err
	}
}

func (k kind[M]) unpack(data []byte) (uint64, error) {
	m, err := k.unpacked(data)
	return k.number(&m), err
}

// byteSlices are a cargo of []byte, which need no encoding.
func byteSlices(size int) cargo {
	return kind[[]byte]{
		blank:     func() []byte { return make([]byte, size) },
		setNumber: func(m *[]byte, number uint64) { binary.NativeEndian.PutUint64(*m, number) },
		number: func(m *[]byte) uint64 {
			if len(*m) != size {
				return math.MaxUint64 // is never right
			}
			return binary.NativeEndian.Uint64(*m)
		},
		pack:     func(_ []byte, m []byte) ([]byte, error) { return m, nil },
		unpacked: func(data []byte) ([]byte, error) { return data, nil },
	}
}

func msgpackOf[M any](dst []byte, m M) ([]byte, error) { return codec.Msgpack.Append(dst, m) }

func ofMsgpack[M any](data []byte) (m M, err error) {
	err = codec.Msgpack.Decode(data, &m)
	return m, err
}
