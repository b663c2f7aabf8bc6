package actor

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
	"unique"

	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"
)

// PID says where messages for one actor go. It is comparable, 16 bytes long, and has a text form that travels in
// messages. Its zero value names no actor.
//
// An exact PID belongs to one actor and dies with it (a restart keeps it): its text is "alpha:<incarnation>:<id>". A
// named PID is a name at a node, resolved where it lives, when a message arrives: "greeter@alpha".
type PID struct {
	at unique.Handle[place]
	id uint64 // slot<<32 | random tag; 0 in a named PID and in the PID of a node itself
}

// place is what many PIDs share.
type place struct {
	node        string
	incarnation uuid.UUID // zero in a named PID
	name        string    // "" in an exact PID
}

// ExactPID returns the PID of one actor in one incarnation of a node, as it came over the wire. An id of zero is the
// node itself: what is sent from outside of any actor comes from it.
func ExactPID(node string, incarnation uuid.UUID, id uint64) PID {
	return PID{at: unique.Make(place{node: node, incarnation: incarnation}), id: id}
}

// Other returns the PID of another actor of p's incarnation, of which p must be an exact one.
func (p PID) Other(id uint64) PID { return PID{at: p.at, id: id} }

// Named returns the PID that a text form stands for, mostly "name@node". A text that is none makes a PID whose every
// use fails with ErrName; ParsePID tells at once.
func Named(text string) PID {
	pid, err := ParsePID(text)
	if err != nil {
		return PID{at: unique.Make(place{name: text})} // no node: not a PID that ParsePID makes
	}
	return pid
}

// ParsePID reads the text form of a PID. The empty text is the zero PID. It fails with ErrName.
func ParsePID(text string) (PID, error) {
	if text == "" {
		return PID{}, nil
	}
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		name, node := text[:i], text[i+1:]
		if err := checkPath(name); err != nil {
			return PID{}, err
		}
		if err := checkName("node name", node); err != nil {
			return PID{}, err
		}
		return PID{at: unique.Make(place{node: node, name: name})}, nil
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 || len(parts[2]) != 16 {
		return PID{}, fmt.Errorf("%w: %q is neither name@node nor node:incarnation:id", ErrName, text)
	}
	if err := checkName("node name", parts[0]); err != nil {
		return PID{}, err
	}
	incarnation, err := uuid.Parse(parts[1])
	if err != nil || len(parts[1]) != 36 {
		return PID{}, fmt.Errorf("%w: %q has no valid incarnation", ErrName, text)
	}
	var id [8]byte
	if _, err := hex.Decode(id[:], []byte(parts[2])); err != nil {
		return PID{}, fmt.Errorf("%w: %q has no valid id", ErrName, text)
	}
	return ExactPID(parts[0], incarnation, binary.BigEndian.Uint64(id[:])), nil
}

func (p PID) place() place {
	if p.IsZero() {
		return place{}
	}
	return p.at.Value()
}

// IsZero reports whether p is the zero PID, which names no actor.
func (p PID) IsZero() bool { return p.at == unique.Handle[place]{} }

// Node returns the name of the node where p's actor lives.
func (p PID) Node() string { return p.place().node }

// Incarnation returns which run of its node an exact PID belongs to; zero for a named one.
func (p PID) Incarnation() uuid.UUID { return p.place().incarnation }

// Name returns the name in a named PID, "" in an exact one.
func (p PID) Name() string { return p.place().name }

// ID returns the number of an exact PID's actor within its incarnation; zero for a named one.
func (p PID) ID() uint64 { return p.id }

// String returns the text form.
func (p PID) String() string {
	at := p.place()
	switch {
	case p.IsZero():
		return ""
	case at.node == "":
		return at.name
	case at.name != "":
		return at.name + "@" + at.node
	}
	return fmt.Sprintf("%s:%s:%016x", at.node, at.incarnation, p.id)
}

// MarshalText returns the text form.
func (p PID) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the text form, as ParsePID.
func (p *PID) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePID(string(text))
	return err
}

// EncodeMsgpack writes the text form as a string.
func (p PID) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeString(p.String()) }

// DecodeMsgpack reads what EncodeMsgpack wrote.
func (p *PID) DecodeMsgpack(d *msgpack.Decoder) error {
	text, err := d.DecodeString()
	if err != nil {
		return err
	}
	return p.UnmarshalText([]byte(text))
}

const (
	maxName = 255  // bytes of a name given by a program
	maxPath = 1024 // bytes of the names of an actor and of its parents, joined
)

// checkName refuses what can't be the name of an actor or a node.
func checkName(what, name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("%w: a %s has 1 to %d bytes, %q has %d", ErrName, what, maxName, clip(name), len(name))
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("%w: %s %q is not UTF-8", ErrName, what, name)
	}
	for _, r := range name {
		if strings.ContainsRune("@:/ ", r) || !unicode.IsPrint(r) {
			return fmt.Errorf("%w: %s %q contains %q", ErrName, what, name, r)
		}
	}
	return nil
}

// checkPath refuses what can't be the registered name of an actor: names joined by "/", after a leading "/" when the
// first is the number of an unnamed actor.
func checkPath(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("%w: %q... has %d bytes, more than %d", ErrName, clip(path), len(path), maxPath)
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if err := checkName("name", name); err != nil {
			return err
		}
	}
	return nil
}

func clip(s string) string { return s[:min(len(s), 40)] }
