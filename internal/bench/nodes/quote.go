package nodes

import (
	"encoding/binary"
	"errors"
	"math"
)

// quote is a message of some 100 bytes in msgpack.
type quote struct {
	Number uint64
	Symbol string
	Price  float64
	Note   string
}

func aQuote() quote {
	return quote{Symbol: "TRPE", Price: 1066.25, Note: "as of noon in the place where it was made, as we know"}
}

var quotes cargo = kind[quote]{
	blank:     aQuote,
	setNumber: func(m *quote, number uint64) { m.Number = number },
	number:    func(m *quote) uint64 { return m.Number },
	pack:      msgpackOf[quote],
	unpacked:  ofMsgpack[quote],
}

// ownQuote is a quote that encodes itself, without names of fields; the note makes up for them.
type ownQuote quote

func anOwnQuote() ownQuote {
	m := ownQuote(aQuote())
	m.Note += ", in a zone of their own"
	return m
}

var ownQuotes cargo = kind[ownQuote]{
	blank:     anOwnQuote,
	setNumber: func(m *ownQuote, number uint64) { m.Number = number },
	number:    func(m *ownQuote) uint64 { return m.Number },
	pack:      msgpackOf[ownQuote],
	unpacked:  ofMsgpack[ownQuote],
}

// MarshalMsg appends an array of the fields: the strings after their lengths in a byte, the numbers in eight bytes.
func (q ownQuote) MarshalMsg(dst []byte) ([]byte, error) {
	dst = binary.BigEndian.AppendUint64(append(dst, 0x94, 0xcf), q.Number)
	dst = append(append(dst, 0xd9, byte(len(q.Symbol))), q.Symbol...)
	dst = binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(q.Price))
	return append(append(dst, 0xd9, byte(len(q.Note))), q.Note...), nil
}

var errQuote = errors.New("this is no quote of its own")

func (q *ownQuote) UnmarshalMsg(b []byte) (rest []byte, err error) {
	const number, symbol = 2, 10
	if len(b) < symbol || b[0] != 0x94 || b[1] != 0xcf {
		return b, errQuote
	}
	q.Number = binary.BigEndian.Uint64(b[number:])
	if q.Symbol, b, err = cutString(b[symbol:]); err != nil || len(b) < 9 || b[0] != 0xcb {
		return b, errQuote
	}
	q.Price = math.Float64frombits(binary.BigEndian.Uint64(b[1:]))
	q.Note, b, err = cutString(b[9:])
	return b, err
}

func cutString(b []byte) (s string, rest []byte, err error) {
	if len(b) < 2 || b[0] != 0xd9 || len(b)-2 < int(b[1]) {
		return "", b, errQuote
	}
	end := 2 + int(b[1])
	return string(b[2:end]), b[end:], nil
}
