package mailbox

import (
	"errors"
	"strings"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// EventKind says what happened. Its text is that of the constant, in words.
type EventKind uint8

// What a Monitor sees. In brackets, libzmq's names for it.
const (
	Listening       = EventKind(zmtp.Listening)       // Bind took an endpoint [ZMQ_EVENT_LISTENING]
	Accepted        = EventKind(zmtp.Accepted)        // a connection was accepted and is in use [ACCEPTED and HANDSHAKE_SUCCEEDED]
	Connected       = EventKind(zmtp.Connected)       // a connection to where Connect leads is in use, a SUB's subscriptions sent [CONNECTED and HANDSHAKE_SUCCEEDED]
	HandshakeFailed = EventKind(zmtp.HandshakeFailed) // a connection ended before it could be used: Err says why [HANDSHAKE_FAILED_NO_DETAIL, _PROTOCOL and _AUTH]
	Disconnected    = EventKind(zmtp.Disconnected)    // a connection that was Accepted or Connected has ended: Err says why [DISCONNECTED]
	Retrying        = EventKind(zmtp.Retrying)        // there is no connection to where Connect leads; the next attempt is after Wait [CONNECT_RETRIED]
	Closed          = EventKind(zmtp.Closed)          // an endpoint is no longer bound, or no longer connected to [CLOSED]
)

// String names k.
func (k EventKind) String() string {
	switch k {
	case Listening:
		return "listening"
	case Accepted:
		return "accepted"
	case Connected:
		return "connected"
	case HandshakeFailed:
		return "handshake failed"
	case Disconnected:
		return "disconnected"
	case Retrying:
		return "retrying"
	case Closed:
		return "closed"
	}
	return "unknown event"
}

// Event is something that happened to a socket's endpoints or connections.
type Event struct {
	Kind     EventKind
	Time     time.Time
	Endpoint Endpoint      // that was bound or connected to; its String fits Connect
	Remote   string        // the address of the connection's other end, if that has one
	PeerType SocketType    // of a connection's other end, once it has said so
	Identity []byte        // of a connection's other end, if it gave itself one; of one that a ROUTER accepted, what Recv puts before its messages
	Err      error         // why: with HandshakeFailed, Disconnected and Retrying
	Wait     time.Duration // with Retrying: the pause before the next attempt
	Missed   int           // how many events before this one the monitor dropped, because its loop was slow
}

// events returns what reports the events of what is bound or connected to e.
func (s *Socket) events(e Endpoint) func(zmtp.Event) {
	return func(ev zmtp.Event) {
		s.monitors.tell(Event{
			Kind:     EventKind(ev.Kind),
			Time:     time.Now(),
			Endpoint: e.Bound(address(ev.Address)),
			Remote:   ev.Remote,
			PeerType: ev.Peer.Type,
			Identity: ev.Peer.Identity,
			Err:      brief(ev.Err),
			Wait:     ev.Wait,
		})
	}
}

// address is a net.Addr that is known by its text.
type address string

func (address) Network() string  { return "" }
func (a address) String() string { return string(a) }

// longText is how many bytes of an event's error are kept: a peer may have had a say in it.
const longText = 300

// brief returns err, without what makes its text longer than an event should be.
func brief(err error) error {
	if errors.Is(err, zmtp.ErrClosed) {
		return ErrClosed
	}
	if err == nil || len(err.Error()) <= longText {
		return err
	}
	return errors.New(strings.ToValidUTF8(err.Error()[:longText], "") + "...")
}
