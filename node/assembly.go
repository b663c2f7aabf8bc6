package node

import (
	"errors"
	"strconv"
)

// sizeKey is what the first part of a message has in its meta: how long its frame is.
const sizeKey = "size"

const (
	inAdvance = 32      // times as much memory as has come a message gets at first, at most, if it says that it needs so much
	firstMost = 4 << 20 // and if so much has come all of that, so that it is not copied again and again
)

// assembly joins the parts of large messages of one incarnation of a peer. What it has of them outlives a connection. It
// belongs to the goroutine that reads.
type assembly struct {
	most  int64 // bytes in a message, and in all that are not whole
	bytes int64 // of all that are not whole, as they say, or have by now if they don't
	open  map[uint64]*partial
}

// partial is what has come of a message, by its correlation.
type partial struct {
	frame []byte
	size  int // that it will have; 0: it does not say
}

var errParts = errors.New("node: more or larger messages in parts than are accepted")

// add takes a part. It returns the message when it is whole.
func (a *assembly) add(h *header, body []byte) (frame []byte, err error) {
	p := a.open[h.correlation]
	if p == nil {
		if p, err = a.begin(h); err != nil {
			return nil, err
		}
	}
	length := len(p.frame) + len(body)
	if p.size == 0 {
		a.bytes += int64(len(body))
	}
	if a.bytes > a.most || p.size > 0 && length > p.size {
		return nil, errParts
	}
	if p.frame == nil || length > cap(p.frame) {
		room := p.size
		switch {
		case p.size == 0:
			room = 2 * cap(p.frame)
		case length < firstMost:
			room = min(p.size, inAdvance*length)
		}
		p.frame = append(make([]byte, 0, max(room, length)), p.frame...)
	}
	p.frame = append(p.frame, body...)
	if h.flags&lastPart == 0 {
		return nil, nil
	}
	delete(a.open, h.correlation)
	a.bytes -= p.claim()
	return p.frame, nil
}

// begin makes room for the message of a first part.
func (a *assembly) begin(h *header) (*partial, error) {
	p := new(partial)
	if text, says := h.meta[sizeKey]; says {
		n, err := strconv.ParseUint(text, 10, 62)
		if err != nil || int64(n) > a.most {
			return nil, errParts
		}
		p.size = int(n)
		a.bytes += p.claim()
	}
	if len(a.open) == maxLarges {
		return nil, errParts
	}
	if a.open == nil {
		a.open = make(map[uint64]*partial)
	}
	a.open[h.correlation] = p
	return p, nil
}

// claim is what a message counts for.
func (p *partial) claim() int64 {
	if p.size > 0 {
		return int64(p.size)
	}
	return int64(len(p.frame))
}
