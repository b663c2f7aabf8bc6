package node

import (
	"slices"
	"strconv"
)

const (
	maxFrame  = 128 << 10     // bytes in a frame; a message of more goes by parts
	partBody  = maxFrame - 64 // bytes of it in a part
	maxLarges = 8             // messages that go by parts at the same time
)

// large is a message that goes by parts. Between two of them there is room for other messages, but not for those of its
// own pair of sender and receiver, and the end of watches, links and actors, which are held until it has gone, as is what is
// for an actor that a STOP is held for.
type large struct {
	item
	at       int    // bytes of frame that are in flight, or were
	pair     string // sender and receiver, as they are in frame
	held     line[item]
	stopping map[string]struct{} // receivers of the STOPs in held, as they are there
}

// hold keeps it until the message has gone.
func (l *large) hold(it item) {
	l.held.push(it)
	if it.frame[kindAt] == kindStop {
		if l.stopping == nil {
			l.stopping = make(map[string]struct{})
		}
		l.stopping[targetOf(it.frame)] = struct{}{}
	}
}

// before reports whether a message, which is not the end of something, has to wait for it.
func (l *large) before(frame []byte, pair string) bool {
	if l.pair == pair || len(l.stopping) == 0 {
		return l.pair == pair
	}
	_, stops := l.stopping[targetOf(frame)]
	return stops
}

// aside puts it, which was first in the queue, where it waits for its turn, if it is large or has to wait for one that is.
func (o *outbox) aside(it item) bool {
	big := len(it.frame) > maxFrame
	if !big && len(o.larges) == 0 {
		return false
	}
	if it.turn == 0 && (big || it.ends()) {
		if big {
			o.large++
		}
		it.turn = o.large
	}
	pair := pairOf(it.frame)
	for _, l := range slices.Backward(o.larges) {
		if it.ends() && l.turn <= it.turn || !it.ends() && l.before(it.frame, pair) {
			l.hold(it)
			return true
		}
	}
	if big {
		o.larges = append(o.larges, &large{item: it, pair: pair})
	}
	return big
}

// ends reports whether it is the end of something, for which all that was sent before has to be there.
func (it *item) ends() bool {
	switch it.frame[kindAt] {
	case kindTerminated, kindUnwatch, kindUnlink, kindStop:
		return true
	}
	return false
}

// pairOf returns what a frame has as its target and its sender.
func pairOf(frame []byte) string {
	u := unpacker{b: frame[targetAt:]}
	u.skip(maxExtraDepth)
	u.skip(maxExtraDepth)
	return string(frame[targetAt : len(frame)-len(u.b)])
}

// targetOf returns what a frame has as its target.
func targetOf(frame []byte) string {
	u := unpacker{b: frame[targetAt:]}
	u.skip(maxExtraDepth)
	return string(frame[targetAt : len(frame)-len(u.b)])
}

// moving returns how many of the large messages may be under way: the peer has them in memory until they are whole, and
// together they must be no larger than a message may be.
func (o *outbox) moving() int {
	var sum uint64
	for i, l := range o.larges {
		if sum += uint64(len(l.frame)); i == maxLarges || i > 0 && o.largest > 0 && sum > o.largest {
			return i
		}
	}
	return len(o.larges)
}

// launchParts puts the next part of each large message in flight.
func (o *outbox) launchParts() {
	for _, l := range o.larges[:o.moving()] {
		n := min(partBody, len(l.frame)-l.at)
		piece := item{frame: l.frame[l.at : l.at+n], exact: l.exact}
		first := l.at == 0
		l.at += n
		o.launch(sent{item: piece, large: l, first: first, last: l.at == len(l.frame)})
	}
	o.larges = slices.DeleteFunc(o.larges, func(l *large) bool {
		gone := l.at == len(l.frame)
		if gone {
			o.queue.first(l.held.all())
		}
		return gone
	})
}

// appendPart makes the header of a part.
func appendPart(dst []byte, s *sent) []byte {
	h := header{kind: kindPart, correlation: s.large.turn}
	if s.first {
		h.meta = map[string]string{sizeKey: strconv.Itoa(len(s.large.frame))}
	}
	if s.last {
		h.flags = lastPart
	}
	return appendHeader(dst, &h)
}

// stray returns the large messages of which a part has gone but not all, and lets what they held go on without them.
func (o *outbox) stray() (items []item) {
	o.larges = slices.DeleteFunc(o.larges, func(l *large) bool {
		if l.at == 0 {
			return false
		}
		items = append(items, l.item)
		o.queue.first(l.held.all())
		return true
	})
	return items
}

// removeHeld removes what has not begun to go, of the large messages and those behind them.
func (o *outbox) removeHeld(gone func(*item) bool, removed []item) []item {
	o.larges = slices.DeleteFunc(o.larges, func(l *large) bool {
		removed = l.held.remove(gone, removed)
		if l.at > 0 || !gone(&l.item) {
			return false
		}
		removed = append(removed, l.item)
		o.queue.first(l.held.all())
		return true
	})
	return removed
}
