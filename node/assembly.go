package node

import (
	"bytes"
	"errors"
)

// assembly joins the parts of large messages of one incarnation of a peer. What it has of them outlives a connection. It
// belongs to the goroutine that reads.
type assembly struct {
	most  int64 // bytes in a message, and in all that are not whole
	bytes int64
	open  map[uint64][][]byte // by correlation
}

var errParts = errors.New("node: more or larger messages in parts than are accepted")

// add takes a part. It returns the message when it is whole.
func (a *assembly) add(h *header, body []byte) (frame []byte, err error) {
	pieces, begun := a.open[h.correlation]
	if a.bytes+int64(len(body)) > a.most || !begun && len(a.open) == maxLarges {
		return nil, errParts
	}
	if a.open == nil {
		a.open = make(map[uint64][][]byte)
	}
	a.open[h.correlation] = joined(pieces, body)
	a.bytes += int64(len(body))
	if h.flags&lastPart == 0 {
		return nil, nil
	}
	pieces = a.open[h.correlation]
	a.drop(h.correlation)
	return bytes.Join(pieces, nil), nil
}

const smallPiece = 4 << 10 // bytes; pieces of fewer are copied together, or many would take more memory than they have

func joined(pieces [][]byte, body []byte) [][]byte {
	if len(body) >= smallPiece {
		return append(pieces, body)
	}
	last := len(pieces) - 1
	if last < 0 || cap(pieces[last])-len(pieces[last]) < len(body) {
		pieces, last = append(pieces, make([]byte, 0, smallPiece)), last+1
	}
	pieces[last] = append(pieces[last], body...)
	return pieces
}

func (a *assembly) drop(id uint64) {
	for _, piece := range a.open[id] {
		a.bytes -= int64(len(piece))
	}
	delete(a.open, id)
}
