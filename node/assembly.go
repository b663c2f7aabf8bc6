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
	last  int                 // bytes in the last that was whole
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
	a.open[h.correlation] = a.joined(pieces, body)
	a.bytes += int64(len(body))
	if h.flags&lastPart == 0 {
		return nil, nil
	}
	pieces = a.open[h.correlation]
	a.drop(h.correlation)
	a.last = 0
	for _, piece := range pieces {
		a.last += len(piece)
	}
	if only := pieces[0]; len(pieces) == 1 && cap(only) <= 2*len(only) {
		return only, nil
	}
	return bytes.Join(pieces, nil), nil
}

const (
	smallPiece = 4 << 10 // bytes, at least, in one piece of memory for parts,
	largePiece = 4 << 20 // and at most
)

// joined copies a part to the others of its message. The first piece of memory is as large as the last message was, which
// the next one most likely is.
func (a *assembly) joined(pieces [][]byte, body []byte) [][]byte {
	last := len(pieces) - 1
	if last < 0 || cap(pieces[last])-len(pieces[last]) < len(body) {
		size := a.last
		if last >= 0 {
			size = 2 * cap(pieces[last])
		}
		size = max(len(body), smallPiece, min(size, largePiece))
		pieces, last = append(pieces, make([]byte, 0, size)), last+1
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
