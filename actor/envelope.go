package actor

import "time"

// Kind is what an Envelope carries.
type Kind uint8

// The kinds of envelopes.
const (
	Tell  Kind = iota + 1 // a message
	Ask                   // a message whose sender waits for a reply with its correlation
	Reply                 // the reply to an Ask
	Fail                  // the error that answers an Ask or a KindSpawn: Type is its registered name or "", the body its text

	KindWatch      // Sender wants to hear of the end of Target; Correlation is the watch's number from now on
	KindUnwatch    // the end of that watch
	KindTerminated // the watch or link of that number is over: Type is the Reason. Number 0: all of Target's node are
	KindLink       // a KindWatch that also ties Target to Sender
	KindUnlink     // the end of that link; Type is Failed if Sender has failed and is gone, NodeDown if Target's node is down for it
	KindSpawn      // start an actor: Target has the name that it gets, if any, Meta its kind, the body the argument
	KindSpawned    // what was started for the KindSpawn of that number: the body is its PID
	KindStop       // end what Sender has watched, linked to or spawned by that number; Type "now": without what is queued
)

// Control reports whether k is the runtime's own. Such an envelope must not be refused because too many wait, and takes
// its place in the order of all that is sent to its node.
func (k Kind) Control() bool { return k > Fail }

// MetaCause is the key in a Fail's Meta under which the registered name of a failing handler's own error travels; the
// Fail's Type is then that of ErrFailed.
const MetaCause = "cause"

// MetaKind is the key in a KindSpawn's Meta under which the name of the actor's kind travels.
const MetaKind = "kind"

// Envelope is a message on its way between nodes. On the way out Value holds what is to be encoded with codec.Msgpack,
// unless Body has that already; on the way in Body holds the encoding.
type Envelope struct {
	Kind        Kind
	Target      PID
	Sender      PID               // an actor, or a node itself (id zero)
	Correlation uint64            // of an Ask and of what answers it, and of all that Control reports; unique across incarnations
	Deadline    time.Time         // when the sender of an Ask or a KindSpawn stops waiting; zero = never
	Type        string            // registered or derived name of the value's type; "" = nil
	Body        []byte            // msgpack
	Meta        map[string]string // may be nil
	Value       any               // outgoing only
	Wait        time.Duration     // outgoing only: how long Send may wait for room; zero = not at all
	Lent        bool              // incoming only: Body is the caller's again when Deliver returns
	Full        *Crowded          // incoming only: set by Deliver if the target's mailbox was full
}

// Crowded is a mailbox that was full when a message from another node came. Its policy is to wait or to refuse, so
// senders should hear of it.
type Crowded struct{ box box }

// Low has f called once, when the mailbox holds no more than half of its limit, or its actor is gone: at once, or later
// by the goroutine that brings it about. F must be quick, and must not call the System. Who does not wait for it any more
// calls cancel, or f is kept for as long as the mailbox is full.
func (c *Crowded) Low(f func()) (cancel func()) { return c.box.low(f) }

// Remote is the way to other nodes.
type Remote interface {
	// Send takes an envelope for another node. Nil means accepted, with the promises of Tell; an error (ErrFull,
	// ErrUnreachable, ErrNoNode, a codec error) means not accepted. It must not keep the envelope or its Value after it returned,
	// and must not call back into the System before it returned.
	//
	// What was accepted is delivered at the other node, once and in order, or given to System.DeadLetter. An envelope for
	// which Control holds may be lost only with its node: then System.NodeDown is called, too.
	Send(*Envelope) error
}

// Abandoner is a Remote that wants to know when nobody waits any more for the answer to an Ask that it has accepted. It must
// not call back into the System.
type Abandoner interface {
	Abandon(target PID, correlation uint64)
}
