package actor

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"sync"

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
	Undecodable Reason = "undecodable"   // its bytes are not a value of the actor's type
	UnknownType Reason = "unknown type"  // its type is not the actor's, or not registered
	NoReply     Reason = "no reply"      // a request from a socket whose handler gave no reply that can be sent
	Expired     Reason = "expired"       // waited too long for its node to be reachable
	Unconfirmed Reason = "unconfirmed"   // sent to a node that is gone, which may or may not have handled it
	Unreachable Reason = "unreachable"   // its node was lost before it was sent
)

// deadLetters counts exactly and logs at debug level.
type deadLetters struct {
	mu     sync.Mutex
	counts map[Reason]uint64
	log    *slog.Logger
}

func (d *deadLetters) add(reason Reason, target, sender PID, typeName func() string) {
	d.mu.Lock()
	if d.counts == nil {
		d.counts = map[Reason]uint64{}
	}
	d.counts[reason]++
	d.mu.Unlock()
	if d.log.Enabled(context.Background(), slog.LevelDebug) {
		d.log.Debug("dead letter", "reason", string(reason), "target", target, "sender", sender, "type", typeName())
	}
}

// DeadLetters returns how many dead letters there were, by reason.
func (s *System) DeadLetters() map[Reason]uint64 {
	s.dead.mu.Lock()
	defer s.dead.mu.Unlock()
	if s.dead.counts == nil {
		return map[Reason]uint64{}
	}
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
