package node

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Kinds of link messages; see PROTOCOL.md, also for the numbers that are reserved.
const (
	kindHello  = 1
	kindBye    = 2
	kindAck    = 3
	kindPing   = 4
	kindPause  = 5
	kindResume = 6
	kindPart   = 7
	kindTell   = 16
	kindAsk    = 17
	kindReply  = 18
	kindFail   = 19

	kindWatch      = 32
	kindUnwatch    = 33
	kindTerminated = 34
	kindLink       = 35
	kindUnlink     = 36
	kindSpawn      = 48
	kindSpawned    = 49
	kindStop       = 50

	kindResolve  = 64
	kindNodeInfo = 65
)

// Flags of a message.
const (
	mustUnderstand = 1 // a receiver that does not know its kind must not ignore it
	lastPart       = 2 // of a PART: the message is whole with it
)

// Limits of a header.
const (
	headerFields  = 10
	maxName       = 255  // bytes in the name of a node
	maxPath       = 1024 // bytes in the name of an actor, with those of its parents
	maxType       = 1024 // bytes in the name of a type
	maxMetaPairs  = 32
	maxMeta       = 4096 // bytes in all keys and values of meta
	maxText       = 8192 // bytes of the text in a FAIL that are sent
	maxExtraDepth = 8    // levels in elements that are skipped
)

// Where the parts of a frame made by appendHeader start, whose numbers are written when it goes out, later than the rest of
// it: kind and flags have a byte each.
const (
	kindAt   = 1
	flagsAt  = 2
	seqAt    = 3
	ackAt    = seqAt + 9
	targetAt = ackAt + 9
)

// number writes seq and ack into a frame made by appendHeader.
func number(frame []byte, seq, ack uint64) {
	binary.BigEndian.PutUint64(frame[seqAt+1:], seq)
	binary.BigEndian.PutUint64(frame[ackAt+1:], ack)
}

var errHeader = errors.New("node: malformed header")

// header is the first part of a frame. It is plain data: nothing in it depends on which node reads it.
type header struct {
	kind, flags    uint64
	seq, ack       uint64
	target, sender address
	correlation    uint64
	deadline       uint64 // milliseconds, 0 = none
	typ            string
	meta           map[string]string

	tail   []byte // what follows ack, if the next frame may be read by it, see again
	looked bool   // that this is the same as in the frame before has been looked at
}

// address is a PID as it travels.
type address struct {
	form        form
	id          uint64    // form byID, whole
	name        string    // form byName, whole
	node        string    // form whole
	incarnation uuid.UUID // form whole; zero = nil
}

type form byte

const (
	nobody form = iota
	byID
	byName
	whole
)

func appendHeader(dst []byte, h *header) []byte {
	dst = appendArray(dst, headerFields)
	dst = appendUint(dst, h.kind)
	dst = appendUint(dst, h.flags)
	dst = appendUint64(dst, h.seq)
	dst = appendUint64(dst, h.ack)
	dst = appendAddress(dst, &h.target)
	dst = appendAddress(dst, &h.sender)
	dst = appendUint(dst, h.correlation)
	dst = appendUint(dst, h.deadline)
	if h.typ == "" {
		dst = appendNil(dst)
	} else {
		dst = appendStr(dst, h.typ)
	}
	if len(h.meta) == 0 {
		return appendNil(dst)
	}
	dst = appendMap(dst, len(h.meta))
	for k, v := range h.meta {
		dst = appendStr(appendStr(dst, k), v)
	}
	return dst
}

func appendAddress(dst []byte, a *address) []byte {
	switch a.form {
	case byID:
		return appendUint(dst, a.id)
	case byName:
		return appendStr(dst, a.name)
	case whole:
		dst = appendStr(appendArray(dst, 4), a.node)
		if a.incarnation == uuid.Nil {
			dst = appendNil(dst)
		} else {
			dst = appendBin(dst, a.incarnation[:])
		}
		return appendUint(appendStr(dst, a.name), a.id)
	}
	return appendNil(dst)
}

// fits reports what in h is longer than a receiver accepts.
func (h *header) fits() error {
	if len(h.typ) > maxType {
		return fmt.Errorf("the type name %.40q... has more than %d bytes", h.typ, maxType)
	}
	if len(h.meta) == 0 {
		return nil
	}
	size := 0
	for k, v := range h.meta {
		size += len(k) + len(v)
	}
	if len(h.meta) > maxMetaPairs || size > maxMeta {
		return fmt.Errorf("meta has %d pairs of %d bytes, more than %d or %d", len(h.meta), size, maxMetaPairs, maxMeta)
	}
	return nil
}

// readHeader splits a frame. The strings of h are copies, body is a part of frame.
func readHeader(frame []byte) (h header, body []byte, err error) {
	body, err = h.read(frame, nil)
	return h, body, err
}

// read is readHeader with a lexicon, which may be nil. With one, h remembers what it has read last.
func (h *header) read(frame []byte, lex *lexicon) (body []byte, err error) {
	if h.again(frame) {
		return frame[targetAt+len(h.tail):], nil
	}
	*h = header{tail: h.tail[:0]}
	u := unpacker{b: frame, lex: lex}
	u.enter("array")
	n := u.array()
	if n < headerFields {
		u.fail()
	}
	u.enter("kind")
	if h.kind = u.uint(); h.kind == 0 || h.kind > 255 {
		u.fail()
	}
	u.enter("flags")
	h.flags = u.uint()
	u.enter("seq")
	if h.seq = u.uint(); h.seq > maxSeq {
		u.fail()
	}
	u.enter("ack")
	h.ack = u.uint()
	u.enter("target")
	u.address(&h.target)
	u.enter("sender")
	u.address(&h.sender)
	u.enter("correlation")
	h.correlation = u.uint()
	u.enter("deadline_ms")
	h.deadline = u.uint()
	u.enter("type")
	if !u.isNil() {
		h.typ = u.word(maxType)
	}
	u.enter("meta")
	h.meta = u.meta()
	u.enter("extra element")
	for ; n > headerFields && u.err == nil; n-- {
		u.skip(maxExtraDepth)
	}
	if u.err != nil {
		*h = header{}
		return nil, fmt.Errorf("%w: %s: %w", errHeader, u.at, u.err)
	}
	if tail := frame[:len(frame)-len(u.b)]; lex != nil && plain(tail) && h.kind < 1<<7 && h.meta == nil && len(tail) <= maxTail {
		h.tail = append(h.tail, tail[targetAt:]...)
	}
	return u.b, nil
}

const maxTail = 512 // bytes of a header that are remembered

// plain reports whether the beginning of a frame is as appendHeader writes it.
func plain(frame []byte) bool {
	return len(frame) > targetAt && frame[0] == 0x90|headerFields && frame[kindAt] < 1<<7 && frame[flagsAt] < 1<<7 &&
		frame[seqAt] == 0xcf && frame[ackAt] == 0xcf
}

// again reads a header that differs from the one before in flags, seq and ack alone, as in a stream of messages from one
// actor to another. It returns false if it is none.
func (h *header) again(frame []byte) bool {
	n := targetAt + len(h.tail)
	if n == targetAt || len(frame) < n || !plain(frame) || uint64(frame[kindAt]) != h.kind || string(frame[targetAt:n]) != string(h.tail) {
		return false
	}
	seq := binary.BigEndian.Uint64(frame[seqAt+1:])
	if seq > maxSeq {
		return false
	}
	h.flags, h.seq, h.ack = uint64(frame[flagsAt]), seq, binary.BigEndian.Uint64(frame[ackAt+1:])
	return true
}

func (u *unpacker) address(a *address) {
	switch {
	case u.isNil():
	case u.isUint():
		a.form, a.id = byID, u.uint()
	case u.isStr():
		if a.form, a.name = byName, u.word(maxPath); a.name == "" {
			u.fail()
		}
	default:
		u.whole(a)
	}
}

func (u *unpacker) whole(a *address) {
	n := u.array()
	a.form, a.node = whole, u.str(maxName)
	if !u.isNil() {
		copy(a.incarnation[:], u.bin(16))
	}
	a.name, a.id = u.str(maxPath), u.uint()
	exact := a.incarnation != uuid.Nil
	if n < 4 || u.err == nil && checkNode(a.node) != nil || exact != (a.name == "") || !exact && a.id != 0 {
		u.fail()
	}
	for ; n > 4 && u.err == nil; n-- {
		u.skip(maxExtraDepth)
	}
}

func (u *unpacker) meta() map[string]string {
	if u.isNil() {
		return nil
	}
	n := u.pairs()
	if n > maxMetaPairs {
		u.fail()
	}
	if n == 0 || u.err != nil {
		return nil
	}
	meta, left := make(map[string]string, n), maxMeta
	for range n {
		k := u.str(left)
		left -= len(k)
		v := u.str(left)
		left -= len(v)
		meta[k] = v
	}
	return meta
}
