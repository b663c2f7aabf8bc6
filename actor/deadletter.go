package actor

import (
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/troupe-go/troupe/codec"
)

// Reason says why an accepted message, or a reply, was not handled. The network may have reasons of its own.
type Reason string

// The reasons of dead letters.
const (
	NoActor     Reason = "no such actor" // came from another node for an actor that is not there
	Stopped     Reason = "stopped"       // queued when its actor stopped
	Failed      Reason = "failed"        // its handler returned an error or panicked
	Full        Reason = "full"          // the mailbox held its limit, and its policy or the sender's way is not to wait
	LateReply   Reason = "late reply"    // a reply, not an error, after its Ask had ended
	Undecodable Reason = "undecodable"   // its bytes are not a value of the actor's type, or, from a Proxy, it can't be made bytes
	UnknownType Reason = "unknown type"  // its type is not the actor's, or not registered
	NoReply     Reason = "no reply"      // a request from a socket whose handler gave no reply that can be sent
	Expired     Reason = "expired"       // waited too long for its node to be reachable
	Unconfirmed Reason = "unconfirmed"   // sent to a node that is gone, which may or may not have handled it
	NoNode      Reason = "no such node"  // its node is not known here, nor to any peer
	Unreachable Reason = "unreachable"   // its node was lost before it was sent
)

// deadLetters counts exactly. It logs the first few of each while, and of the others only how many there were.
type deadLetters struct {
	mu     sync.Mutex
	counts map[Reason]uint64
	lines  int               // logged in this while
	rest   map[Reason]uint64 // not logged in this while
	timer  *time.Timer       // ends the while; nil before the first
	closed bool
	log    *slog.Logger
	events *events
}

const (
	deadLines = 5
	deadWhile = 10 * time.Second
)

func (d *deadLetters) add(reason Reason, target, sender PID, typeName func() string) {
	d.mu.Lock()
	d.counts[reason]++
	logged := d.lines < deadLines && !d.closed
	if logged {
		d.lines++
	} else {
		d.rest[reason]++
	}
	if d.lines == 1 && logged {
		d.again()
	}
	d.mu.Unlock()
	if logged {
		d.log.Warn("dead letter", "reason", string(reason), "target", target, "sender", sender, "type", typeName())
	}
	if d.events.wanted() {
		d.events.publish(DeadLetter{reason, target, sender, typeName()})
	}
}

// again begins a while.
func (d *deadLetters) again() {
	if d.timer == nil {
		d.timer = time.AfterFunc(deadWhile, d.summarize)
	} else {
		d.timer.Reset(deadWhile)
	}
}

// summarize is the end of a while.
func (d *deadLetters) summarize() {
	d.mu.Lock()
	rest := d.rest
	d.rest, d.lines = map[Reason]uint64{}, 0
	if len(rest) > 0 && !d.closed {
		d.lines = 1
		d.again()
	}
	d.mu.Unlock()
	if len(rest) == 0 {
		return
	}
	attrs := make([]any, 0, len(rest))
	for _, reason := range slices.Sorted(maps.Keys(rest)) {
		attrs = append(attrs, slog.Uint64(string(reason), rest[reason]))
	}
	d.log.Warn("more dead letters", slog.Group("reasons", attrs...))
}

func (d *deadLetters) close() {
	d.mu.Lock()
	d.closed = true
	if d.timer != nil {
		d.timer.Stop()
	}
	d.mu.Unlock()
	d.summarize()
}

// DeadLetters returns how many dead letters there were, by reason. The counts are exact. The log, at level Warn, shows the
// first five of each ten seconds and how many more there were; Subscribe shows each.
func (s *System) DeadLetters() map[Reason]uint64 {
	s.dead.mu.Lock()
	defer s.dead.mu.Unlock()
	return maps.Clone(s.dead.counts)
}

// drop makes a dead letter of a message to c, and tells its asker why.
func (c *cell) drop(m message, reason Reason, err error) {
	if m.more != nil && m.more.control() {
		return
	}
	c.sys.dead.add(reason, c.self, m.sender(), m.typeName)
	if m.more != nil {
		if waits := m.more.hand.turn.end(); waits != nil {
			waits.fail(err)
		}
	}
}

func (m *message) sender() PID {
	if m.from != nil {
		return m.from.self
	}
	if m.more != nil {
		if b, ok := m.more.alien.(*body); ok {
			return b.sender
		}
	}
	return PID{}
}

func (m *message) typeName() string {
	value := m.value
	if m.more != nil {
		switch alien := m.more.alien.(type) {
		case *body:
			return alien.typeName
		case foreign:
			value = alien.value
		}
	}
	return codec.TypeName(reflect.TypeOf(value))
}
