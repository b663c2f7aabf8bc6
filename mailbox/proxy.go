package mailbox

import (
	"context"
	"fmt"
)

// Proxy passes messages on between two sockets, both ways, until it is told to end: zmq_proxy, or with a control
// zmq_proxy_steerable. Which device it is follows from the sockets:
//
//   - ROUTER and DEALER: a queue. Clients (REQ, DEALER) at the ROUTER share the servers (REP, ROUTER) at the DEALER.
//   - XPUB and XSUB: a forwarder. Subscribers at the XPUB get what publishers at the XSUB send; their subscriptions pass
//     to the publishers. (Subscribe returns when the proxy knows; WaitSubscribers, when the publisher does.) So also
//     XPUB or XSUB with PAIR or DEALER, half a forwarder each, and SUB with PUB, one way.
//   - PULL and PUSH: a streamer, one way.
//
// Which socket is the front and which the back makes no difference but for the names in ProxyStats. A direction in which
// the one socket can't receive, or the other can't send, is left out. While a socket has no room for more, nothing is
// received from the other: the proxy has no queue of its own. The sockets stay usable, and are the caller's to bind,
// connect and close.
//
// capture, unless nil, is sent a copy of every message, just before that is passed on: it is a PUB, PUSH, DEALER or PAIR.
// It never delays the proxy. (zmq_proxy's does, if it is no PUB.) What it has no room for, and all once it is closed, is
// not captured, and counted as such.
//
// There is at most one control. Proxy returns nil once its Terminate was called, ErrClosed if front or back was closed,
// and ctx.Err() if ctx ended. A message that could not be passed on then is lost, and counted; as nothing is received
// while there is no room, that takes a peer that goes away, or somebody else who sends, at the wrong moment. Messages that
// a socket refuses, such as a reply without an envelope, are counted likewise.
//
// The error wraps ErrUnsupported, and nothing was received, for sockets between which nothing can pass, for REQ and REP,
// which are too strict (DEALER and ROUTER talk to the same peers), for an XPUB with what passes no subscriptions on, and
// for a capture of another pattern. It wraps ErrState if another Proxy uses the control.
func Proxy(ctx context.Context, front, back, capture *Socket, controls ...*ProxyControl) error {
	if ctx == nil {
		return errNoContext
	}
	flows, err := flowsBetween(front, back, capture)
	if err != nil {
		return err
	}
	control := new(ProxyControl)
	switch {
	case len(controls) > 1:
		return fmt.Errorf("%w: a proxy has one control, not %d", ErrUnsupported, len(controls))
	case len(controls) == 1 && controls[0] != nil:
		control = controls[0]
	}
	return control.run(ctx, front, back, flows)
}

// flowsBetween returns the directions in which messages can pass.
func flowsBetween(front, back, capture *Socket) ([]*flow, error) {
	if front == nil || back == nil || front == back {
		return nil, fmt.Errorf("%w: a proxy has two different sockets", ErrUnsupported)
	}
	for _, s := range []*Socket{front, back} {
		switch s.typ {
		case Req:
			return nil, fmt.Errorf("%w: a REQ in a proxy: use a DEALER", ErrUnsupported)
		case Rep:
			return nil, fmt.Errorf("%w: a REP in a proxy: use a ROUTER", ErrUnsupported)
		}
	}
	if capture != nil {
		if capture == front || capture == back {
			return nil, fmt.Errorf("%w: a proxy's capture is a third socket", ErrUnsupported)
		}
		switch capture.typ {
		case Pub, Push, Dealer, Pair:
		default:
			return nil, fmt.Errorf("%w: a %s for a proxy's capture: use a PUB, PUSH, DEALER or PAIR", ErrUnsupported, capture.typ)
		}
	}
	var flows []*flow
	for _, way := range [][2]*Socket{{front, back}, {back, front}} {
		from, to := way[0], way[1]
		if from.typ == XPub && to.typ != XSub && to.typ != Pair && to.typ != Dealer && to.typ != Push {
			return nil, fmt.Errorf("%w: no subscriptions pass from an XPUB to a %s: use an XSUB, or a PUB", ErrUnsupported, to.typ)
		}
		if from.receives() && to.sends() {
			flows = append(flows, &flow{from: from, to: to, capture: capture})
		}
	}
	if len(flows) == 0 {
		return nil, fmt.Errorf("%w: nothing can pass between a %s and a %s", ErrUnsupported, front.typ, back.typ)
	}
	return flows, nil
}

// receives says whether the pattern does.
func (s *Socket) receives() bool { return s.typ != Push && s.typ != Pub }

// sends says whether the pattern does.
func (s *Socket) sends() bool { return s.typ != Pull && s.typ != Sub }
