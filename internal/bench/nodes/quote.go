package nodes

import "github.com/vmihailenco/msgpack/v5"

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

const quoteFields = 4

func (q ownQuote) EncodeMsgpack(e *msgpack.Encoder) error {
	if err := e.EncodeArrayLen(quoteFields); err != nil {
		return err
	}
	if err := e.EncodeUint(q.Number); err != nil {
		return err
	}
	if err := e.EncodeString(q.Symbol); err != nil {
		return err
	}
	if err := e.EncodeFloat64(q.Price); err != nil {
		return err
	}
	return e.EncodeString(q.Note)
}

func (q *ownQuote) DecodeMsgpack(d *msgpack.Decoder) (err error) {
	if _, err = d.DecodeArrayLen(); err != nil {
		return err
	}
	if q.Number, err = d.DecodeUint64(); err != nil {
		return err
	}
	if q.Symbol, err = d.DecodeString(); err != nil {
		return err
	}
	if q.Price, err = d.DecodeFloat64(); err != nil {
		return err
	}
	q.Note, err = d.DecodeString()
	return err
}
