package zmtp

import "time"

// EventKind says what happened.
type EventKind uint8

// What can happen.
const (
	Listening       EventKind = iota + 1 // an address was bound
	Accepted                             // a connection was accepted and is in use
	Connected                            // a connection was dialled and is in use
	HandshakeFailed                      // a stream ended before it was a connection in use: Err says why
	Disconnected                         // a connection that was Accepted or Connected ended: Err says why
	Retrying                             // dialling failed, or the connection was lost: it is tried again after Wait
	Closed                               // an address is not listened on, or dialled, any more
)

// Event is something that happened to a Listener, a Dialer or one of their connections.
type Event struct {
	Kind    EventKind
	Network string // of Address: "tcp", "unix" or "inproc"
	Address string // that is listened on, or dialled
	Remote  string // where the other end of the connection is, if there is one
	Peer    Peer   // who it is, once the handshake is done
	Err     error
	Wait    time.Duration
}

// source tells Config.Event what happens at one address.
type source struct {
	event            func(Event) // nil: nobody wants to know
	network, address string
}

// tell completes e and reports it.
func (s *source) tell(e Event) {
	if s.event == nil {
		return
	}
	e.Network, e.Address = s.network, s.address
	s.event(e)
}

// failed tells that a stream to remote did not become a connection.
func (s *source) failed(remote string, err error) {
	s.tell(Event{Kind: HandshakeFailed, Remote: remote, Err: err})
}

// begin lets c's Up tell that it is in use.
func (s *source) begin(kind EventKind, c *Conn) {
	if s.event == nil {
		return
	}
	c.onUp = func() { s.tell(Event{Kind: kind, Remote: c.peer.Address, Peer: c.peer}) }
}

// ended tells that c, which was served and has ended, is no more.
func (s *source) ended(c *Conn) {
	if s.event == nil {
		return
	}
	e := Event{Kind: Disconnected, Remote: c.peer.Address, Peer: c.peer, Err: c.Err()}
	if c.leaving.Load() { // the peer may have been the first to close, but it was asked to
		e.Err = ErrClosed
	}
	if c.onUp != nil { // Up was not called
		e.Kind = HandshakeFailed
		if e.Err == ErrClosed {
			return
		}
	}
	s.tell(e)
}

// Up says that the connection is in use from now on, which is an event: Accepted or Connected. It is called by serve,
// once. A connection that ends without is one whose handshake failed.
func (c *Conn) Up() {
	if up := c.onUp; up != nil {
		c.onUp = nil
		up()
	}
}

// Call sets what events from now on give as the identity of the peer, which gave itself none. It is called before Up.
func (c *Conn) Call(identity []byte) { c.peer.Identity = identity }

// Refuse ends the connection because of err, which is what its Err will be.
func (c *Conn) Refuse(err error) { c.fail(err) }
