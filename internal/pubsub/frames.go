package pubsub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

// version is the protocol's: the first byte of a header.
const version = 1

// protocol is the protocol's name, in a hello.
const protocol = "troupe-topic/1"

// headerSize is a version, an id and two numbers.
const headerSize = 1 + 16 + 8 + 8

// The second byte of a first frame that starts with a zero byte says what it is.
const (
	helloKind   = 'H' // a subscriber's greeting
	requestKind = 'L' // its request for last values
)

// id is what tells publishers from each other, and subscribers: random, made anew for each that starts.
type id [16]byte

// position is an update's among those of the same publisher and key. Positions are in order: first by run, then by
// number. Whenever a publisher begins to count a key it begins a run.
type position struct{ run, number uint64 }

func (p position) before(q position) bool {
	return p.run < q.run || p.run == q.run && p.number < q.number
}

// header is the second frame of an update.
type header struct {
	publisher id
	at        position
}

var (
	errFrames  = errors.New("not the frames of an update")
	errForeign = errors.New("not for this subscriber")
	errVersion = errors.New("another version of the protocol")
)

func (h header) append(b []byte) []byte {
	b = append(b, version)
	b = append(b, h.publisher[:]...)
	b = binary.BigEndian.AppendUint64(b, h.at.run)
	return binary.BigEndian.AppendUint64(b, h.at.number)
}

func readHeader(b []byte) (h header, err error) {
	switch {
	case len(b) == 0:
		return h, errFrames
	case b[0] != version:
		return h, errVersion
	case len(b) != headerSize:
		return h, errFrames
	}
	copy(h.publisher[:], b[1:])
	h.at.run = binary.BigEndian.Uint64(b[17:])
	h.at.number = binary.BigEndian.Uint64(b[25:])
	return h, nil
}

// appendTopic appends the first frame of the updates of key, which is also the subscription to them.
func appendTopic(b []byte, topic, key string) []byte {
	return append(appendPrefix(b, topic, key), 0)
}

// appendPrefix appends the subscription to the updates of all keys that start with prefix.
func appendPrefix(b []byte, topic, prefix string) []byte {
	b = append(b, topic...)
	b = append(b, 0)
	return append(b, prefix...)
}

// selector is what is subscribed to, as the last part of a request has it.
func selector(key string, exact bool) string {
	if exact {
		return key + "\x00"
	}
	return key
}

// hello returns a subscriber's greeting: the topic it subscribes to last.
func hello(from id, topic string) string {
	return "\x00" + string(helloKind) + string(from[:]) + protocol + " " + topic
}

// request returns the topic with which a subscriber asks for the last values of what it subscribes to, and on which it
// gets them.
func request(from id, topic, selector string) string {
	return "\x00" + string(requestKind) + string(from[:]) + topic + "\x00" + selector
}

// control is what a subscriber says by a subscription that starts with a zero byte.
type control struct {
	kind byte
	from id
	rest string
}

func readControl(topic string) (c control, ok bool) {
	if len(topic) < 2+len(c.from) || topic[0] != 0 {
		return c, false
	}
	c.kind = topic[1]
	copy(c.from[:], topic[2:])
	c.rest = topic[2+len(c.from):]
	return c, true
}

// selects says what the rest of a request asks for. It reports false if that is not of topic.
func selects(rest, topic string) (key string, exact, ok bool) {
	rest, ok = strings.CutPrefix(rest, topic)
	if !ok || !strings.HasPrefix(rest, "\x00") {
		return "", false, false
	}
	key, exact = strings.CutSuffix(rest[1:], "\x00")
	return key, exact, CheckKey(key) == nil
}

// update is what a subscriber receives.
type update struct {
	header
	key  []byte
	body []byte
}

// readUpdate reads a message that a subscriber of topic, which calls itself self, got. A mark has no body. The error is
// errForeign if the message is for another subscriber.
func readUpdate(msg [][]byte, topic string, self id) (u update, mark bool, err error) {
	if len(msg[0]) > 0 && msg[0][0] == 0 {
		if len(msg) != 4 || len(msg[0]) < 2+len(self) || msg[0][1] != requestKind || id(msg[0][2:2+len(self)]) != self {
			return u, false, errForeign
		}
		msg = msg[1:]
	}
	mark = len(msg) == 2
	if !mark && len(msg) != 3 {
		return u, false, errFrames
	}
	rest, of := bytes.CutPrefix(msg[0], []byte(topic))
	if !of || len(rest) < 2 || rest[0] != 0 || rest[len(rest)-1] != 0 || len(rest)-2 > MaxKey {
		return u, false, errFrames
	}
	u.key = rest[1 : len(rest)-1]
	if bytes.IndexByte(u.key, 0) >= 0 {
		return u, false, errFrames
	}
	u.header, err = readHeader(msg[1])
	if !mark {
		u.body = msg[2]
	}
	return u, mark, err
}
