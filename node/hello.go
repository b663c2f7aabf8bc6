package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
)

// Versions of the protocol that this library speaks.
const (
	lowestVersion  = 1
	highestVersion = 1
)

const (
	helloTimeout = 10 * time.Second
	maxHello     = 16 << 10   // bytes in a HELLO's body
	maxList      = 64         // features, endpoints, limits, kinds in a HELLO
	maxKinds     = 4 << 10    // bytes in all kinds that are told
	maxSeq       = 1 << 62    // number of a message
	maxResume    = maxSeq / 2 // that a HELLO may say has arrived: what follows leaves numbers enough
)

var (
	errHello   = errors.New("node: bad HELLO")
	errVersion = errors.New("node: no version of the link protocol in common")
)

// hello is what two nodes tell each other before anything else.
type hello struct {
	lowest, highest uint64
	node            string
	incarnation     uuid.UUID
	features        []string
	library         string
	endpoints       []string
	heartbeat       uint64 // milliseconds, 0 = none promised
	limits          map[string]uint64
	kinds           []string
	resume          memory
}

// memory is what a HELLO says has come from the node that is to read it.
type memory struct {
	kept bool      // else its sender may have forgotten
	of   uuid.UUID // the incarnation that it has had a link with last; zero: no message has come from any
	seq  uint64    // the number of the last message from it
}

// covers reports whether it says what has come from an incarnation.
func (m memory) covers(incarnation uuid.UUID) bool {
	return m.kept && (m.of == uuid.Nil || m.of == incarnation)
}

func appendHello(dst []byte, h *hello) []byte {
	keys := 8
	if len(h.kinds) > 0 {
		keys++
	}
	if h.resume.kept {
		keys++
	}
	dst = appendMap(dst, keys)
	if len(h.kinds) > 0 {
		dst = appendStrs(appendStr(dst, "kinds"), h.kinds)
	}
	if h.resume.kept {
		dst = appendBin(appendArray(appendStr(dst, "resume"), 2), h.resume.of[:])
		dst = appendUint(dst, h.resume.seq)
	}
	dst = appendUint(appendUint(appendArray(appendStr(dst, "version"), 2), h.lowest), h.highest)
	dst = appendStr(appendStr(dst, "node"), h.node)
	dst = appendBin(appendStr(dst, "incarnation"), h.incarnation[:])
	dst = appendStrs(appendStr(dst, "features"), h.features)
	dst = appendStr(appendStr(dst, "library"), h.library)
	dst = appendStrs(appendStr(dst, "endpoints"), h.endpoints)
	dst = appendUint(appendStr(dst, "heartbeat"), h.heartbeat)
	dst = appendMap(appendStr(dst, "limits"), len(h.limits))
	for k, v := range h.limits {
		dst = appendUint(appendStr(dst, k), v)
	}
	return dst
}

func appendStrs(dst []byte, list []string) []byte {
	dst = appendArray(dst, len(list))
	for _, s := range list {
		dst = appendStr(dst, s)
	}
	return dst
}

// toldKinds returns as many kinds as a HELLO has room for.
func toldKinds(kinds []string) []string {
	size := 0
	for i, k := range kinds {
		if size += len(k); i == maxList || size > maxKinds {
			return kinds[:i]
		}
	}
	return kinds
}

// readHello reads a HELLO's body and checks that it says who speaks.
func readHello(body []byte) (h hello, err error) {
	if len(body) > maxHello {
		return h, fmt.Errorf("%w: %d bytes, more than %d", errHello, len(body), maxHello)
	}
	u := unpacker{b: body}
	u.enter("map")
	for n := u.pairs(); n > 0 && u.err == nil; n-- {
		u.enter("key")
		key := u.str(maxName)
		u.enter(key)
		switch key {
		case "version":
			if n := u.array(); n != 2 {
				u.fail()
			}
			h.lowest, h.highest = u.uint(), u.uint()
		case "node":
			h.node = u.str(maxName)
		case "incarnation":
			copy(h.incarnation[:], u.bin(16))
		case "features":
			h.features = u.strs()
		case "library":
			h.library = u.str(maxName)
		case "endpoints":
			h.endpoints = u.strs()
		case "heartbeat":
			h.heartbeat = u.uint()
		case "limits":
			h.limits = u.limits()
		case "resume":
			if n := u.array(); n != 2 {
				u.fail()
			}
			h.resume.kept = true
			copy(h.resume.of[:], u.bin(16))
			if h.resume.seq = u.uint(); h.resume.seq > maxResume || h.resume.of == uuid.Nil && h.resume.seq > 0 {
				u.fail()
			}
		case "kinds":
			h.kinds = u.strs()
		default:
			u.skip(maxExtraDepth)
		}
	}
	switch {
	case u.err != nil:
		return hello{}, fmt.Errorf("%w: %q: %w", errHello, u.at, u.err)
	case h.lowest == 0 || h.highest < h.lowest || h.node == "" || h.incarnation == uuid.Nil:
		return hello{}, fmt.Errorf("%w: version, node or incarnation is missing", errHello)
	case checkNode(h.node) != nil:
		return hello{}, fmt.Errorf("%w: %w", errHello, checkNode(h.node))
	case h.lowest > highestVersion || h.highest < lowestVersion:
		return hello{}, fmt.Errorf("%w: node %q speaks %d to %d, this one %d to %d",
			errVersion, h.node, h.lowest, h.highest, lowestVersion, highestVersion)
	}
	return h, nil
}

// checkNode refuses what cannot be the name of a node.
func checkNode(name string) error {
	_, err := actor.ParsePID("x@" + name)
	return err
}

func (u *unpacker) strs() (list []string) {
	n := u.array()
	if n > maxList {
		u.fail()
	}
	for ; n > 0 && u.err == nil; n-- {
		list = append(list, u.str(maxType))
	}
	return list
}

func (u *unpacker) limits() map[string]uint64 {
	n := u.pairs()
	if n > maxList {
		u.fail()
	}
	limits := make(map[string]uint64)
	for ; n > 0 && u.err == nil; n-- {
		k := u.str(maxName)
		limits[k] = u.uint()
	}
	return limits
}
