package pipe

import (
	"errors"
	"fmt"
	"time"
)

// ping is a command that means nothing.
var ping = []byte("PING")

var errCredit = errors.New("more tasks than there was credit for")

// hello says who this end is. A bound end greets everybody who connects, so that those whose socket connects anew by
// itself learn that they have to begin anew.
func (w *Wire) hello(peer []byte) {
	w.send(peer, []byte(cmdHello), []byte(Protocol), []byte(w.place.Edge), []byte(w.side), []byte(w.place.Name))
}

// greet reads a HELLO. It reports true if a peer of this bound end begins a session by it.
func (w *Wire) greet(peer []byte, m *message, side string) bool {
	if !w.agrees(peer, m, side) {
		return false
	}
	if !w.place.Bind && w.greeted { // it has forgotten us
		w.end("")
	}
	w.greeted = true
	return w.place.Bind
}

// agrees checks a HELLO, and refuses the peer if its edge is not this one, seen from the other side.
func (w *Wire) agrees(peer []byte, m *message, side string) bool {
	var reason string
	switch {
	case m.protocol != Protocol:
		reason = fmt.Sprintf("one end speaks %q, the other %q", Protocol, m.protocol)
	case m.edge != w.place.Edge:
		reason = fmt.Sprintf("one end is of edge %q, the other of %q", w.place.Edge, m.edge)
	case m.side == w.side:
		reason = fmt.Sprintf("both ends say that they are the one that %s", m.side)
	case m.side != side:
		reason = fmt.Sprintf("a side %q; it is %q or %q", m.side, sideGives, sideTakes)
	default:
		return true
	}
	w.complain(peer, errors.New(reason))
	return false
}

// complain refuses a peer, and logs it, but not more often than every ten seconds.
func (w *Wire) complain(peer []byte, reason error) {
	w.send(peer, []byte(cmdBye), []byte(reason.Error()))
	if now := time.Now(); now.Sub(w.complained) >= 10*time.Second {
		w.complained = now
		w.log.Warn("peer refused", "reason", reason)
	}
	if !w.place.Bind {
		w.refuse()
	}
}

// stranger lets a peer begin anew that did not say HELLO, or was forgotten.
func (w *Wire) stranger(peer []byte) {
	if w.place.Bind {
		w.hello(peer)
	}
}

// dismissed is called when a peer has said BYE.
func (w *Wire) dismissed(peer []byte, text string) {
	if w.place.Bind {
		w.end(string(peer))
		return
	}
	if w.farewell != text {
		w.farewell = text
		w.log.Warn("refused by the other end; trying again", "endpoint", w.place.Endpoint, "reason", text)
	}
	w.refuse()
}
