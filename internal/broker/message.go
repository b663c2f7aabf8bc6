package broker

import (
	"encoding/binary"
	"time"
)

// Protocol is the name and the version of what is spoken, as HELLO and WHO say it.
const Protocol = "troupe-service/1"

// The kinds of messages. topology/SERVICE.md says who sends which when.
const (
	who     = 'W' // front to all: say HELLO; the protocol
	hello   = 'H' // n slots, of a caller none; the protocol, the service's name
	refused = 'N' // front to all: a text that says why
	call    = 'C' // id, n credit, ms, flags; the request
	cancel  = 'X' // id
	more    = 'M' // id, n more credit
	reply   = 'R' // id; the reply
	part    = 'P' // id, n number; a part of the reply
	end     = 'E' // id
	fail    = 'F' // id; the error's name, its text
	busy    = 'B' // front to caller: id
	gone    = 'G' // front to caller: id
	leave   = 'L' // a server wants no more calls; the front has nothing more of its
)

// headerSize is the length of a header, the first frame of every entry.
const headerSize = 20

// flagOnce marks a call that no second server may get.
const flagOnce = 1

const (
	maxName    = 255      // of a service's or an error's name, in bytes
	maxText    = 4 << 10  // of an error's text
	maxEntries = 128      // in a message that is sent
	maxPacked  = 64 << 10 // bytes in one that has several entries
)

// header is what the first frame of an entry says: the kind (a byte), how many frames follow (1), flags (1), nothing (1),
// n (4), ms (4) and the number of the call (8), big endian. What a kind has no use for is zero.
type header struct {
	kind byte
	once bool
	n    uint32
	ms   uint32 // how long the call may take from now on, 0: for ever
	id   uint64
}

// entry is one thing that is said. A message is one entry or several.
type entry struct {
	header
	frames [2][]byte // as many as the kind has
}

// frameCount returns how many frames follow a header of a kind.
func frameCount(kind byte) int {
	switch kind {
	case who, refused, call, reply, part:
		return 1
	case hello, fail:
		return 2
	}
	return 0
}

// append appends the header's frame to b.
func (h *header) append(b []byte) []byte {
	flags := byte(0)
	if h.once {
		flags = flagOnce
	}
	b = append(b, h.kind, byte(frameCount(h.kind)), flags, 0)
	b = binary.BigEndian.AppendUint32(b, h.n)
	b = binary.BigEndian.AppendUint32(b, h.ms)
	return binary.BigEndian.AppendUint64(b, h.id)
}

// next reads the first entry of a message, and returns the frames behind it. It reports false if there is none, and for
// a message that is none: its rest is to be left alone. An entry may have more frames than its kind needs, and a longer
// header, in later versions.
func next(frames [][]byte) (e entry, rest [][]byte, ok bool) {
	if len(frames) == 0 || len(frames[0]) < headerSize {
		return e, nil, false
	}
	b := frames[0]
	e.header = header{
		kind: b[0],
		once: b[2]&flagOnce != 0,
		n:    binary.BigEndian.Uint32(b[4:]),
		ms:   binary.BigEndian.Uint32(b[8:]),
		id:   binary.BigEndian.Uint64(b[12:]),
	}
	n, need := int(b[1]), frameCount(e.kind)
	if n < need || len(frames) < 1+n {
		return e, nil, false
	}
	copy(e.frames[:need], frames[1:])
	return e, frames[1+n:], true
}

// packer makes messages of entries. What it was given must not change before the message is sent.
type packer struct {
	frames [][]byte
	heads  []byte
	count  int
	bytes  int
}

// fits says whether e goes into the same message.
func (p *packer) fits(e *entry) bool {
	return p.count == 0 || p.count < maxEntries && p.bytes+e.size() <= maxPacked
}

func (p *packer) add(e *entry) {
	at := len(p.heads)
	p.heads = e.append(p.heads)
	p.frames = append(p.frames, p.heads[at:])
	p.frames = append(p.frames, e.frames[:frameCount(e.kind)]...)
	p.count++
	p.bytes += e.size()
}

// reset empties the packer, once its message was sent. The frame first is what the next one starts with, if not nil.
func (p *packer) reset(first []byte) {
	clear(p.frames)
	p.frames, p.heads, p.count, p.bytes = p.frames[:0], p.heads[:0], 0, 0
	if first != nil {
		p.frames = append(p.frames, first)
	}
}

func (e *entry) size() int { return headerSize + len(e.frames[0]) + len(e.frames[1]) }

// millis is a time left as a call says it: at least one millisecond, as none stands for ever.
func millis(left time.Duration) uint32 {
	ms := (left + time.Millisecond - 1) / time.Millisecond
	return uint32(min(max(ms, 1), 1<<32-1))
}

// cut returns at most n bytes of text.
func cut(text []byte, n int) []byte { return text[:min(len(text), n)] }
