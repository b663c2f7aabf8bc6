package actor

import "time"

// Kind is what an Envelope carries.
type Kind uint8

// The kinds of envelopes.
const (
	Tell  Kind = iota + 1 // a message
	Ask                   // a message whose sender waits for a reply with its correlation
	Reply                 // the reply to an Ask
	Fail                  // the error that answers an Ask: Type is its registered name or "", the body its text
)

// MetaCause is the key in a Fail's Meta under which the registered name of a failing handler's own error travels; the
// Fail's Type is then that of ErrFailed.
const MetaCause = "cause"

// Envelope is a message on its way between nodes. On the way out Value holds what is to be encoded with codec.Msgpack
// and Body is nil; on the way in Body holds that encoding.
type Envelope struct {
	Kind        Kind
	Target      PID
	Sender      PID               // an actor, or a node itself (id zero)
	Correlation uint64            // of an Ask and of what answers it; unique across incarnations
	Deadline    time.Time         // when an Ask's sender stops waiting; zero = never
	Type        string            // registered or derived name of the value's type; "" = nil
	Body        []byte            // msgpack
	Meta        map[string]string // may be nil
	Value       any               // outgoing only
	Wait        time.Duration     // outgoing only: how long Send may wait for room; zero = not at all
	Full        *Crowded          // incoming only: set by Deliver if the target's mailbox was full
}

// Crowded is a mailbox that was full when a message from another node came. Its policy is to wait or to refuse, so
// senders should hear of it.
type Crowded struct{ box box }

// Low has f called once, when the mailbox holds no more than half of its limit, or its actor is gone: at once, or later
// by the goroutine that brings it about. F must be quick, and must not call the System.
func (c *Crowded) Low(f func()) { c.box.low(f) }

// Remote is the way to other nodes.
type Remote interface {
	// Send takes an envelope for another node. Nil means accepted, with the promises of Tell; an error (ErrFull,
	// ErrUnreachable, ErrNoNode, a codec error) means not accepted. It must not keep Value after it returned, and
	// must not call back into the System before it returned.
	Send(*Envelope) error
}
