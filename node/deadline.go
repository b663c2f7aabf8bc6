package node

import (
	"encoding/binary"
	"time"
)

// shorten takes the time for which an ask or a SPAWN has been queued off that which is left for its answer. Patience is that
// of the outbox.
func (it *item) shorten(patience time.Duration) {
	if kind := it.frame[kindAt]; kind != kindAsk && kind != kindSpawn {
		return
	}
	u := unpacker{b: it.frame[targetAt:]}
	u.skip(maxExtraDepth) // target
	u.skip(maxExtraDepth) // sender
	u.uint()              // correlation
	at := it.frame[len(it.frame)-len(u.b):]
	deadline := u.uint()
	if u.err != nil || deadline == 0 || deadline > maxDeadline {
		return
	}
	left := time.Duration(deadline) * time.Millisecond
	queued := it.expires - min(patience, left-early(left))
	left = max(time.Millisecond, left-(ticks()-queued))
	shrink(at, uint64((left+time.Millisecond-1)/time.Millisecond))
}

// early is how long before its deadline an ask that could not be sent expires, so that the asker learns that the node is
// unreachable, rather than that time is up.
func early(left time.Duration) time.Duration { return min(left/10, unreachableBefore) }

// shrink writes a number in the place of one made by appendUint that is no smaller.
func shrink(b []byte, n uint64) {
	switch b[0] {
	case 0xcc:
		b[1] = byte(n)
	case 0xcd:
		binary.BigEndian.PutUint16(b[1:], uint16(n))
	case 0xce:
		binary.BigEndian.PutUint32(b[1:], uint32(n))
	case 0xcf:
		binary.BigEndian.PutUint64(b[1:], n)
	default:
		b[0] = byte(n)
	}
}
