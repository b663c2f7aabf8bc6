package mailbox

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// place is an endpoint that the socket is bound or connected to.
type place struct {
	Endpoint                    // with its port filled in
	written  Endpoint           // as Bind or Connect got it
	listener *zmtp.Listener     // of a Bind
	dialer   *zmtp.Dialer       // of a Connect
	ctx      context.Context    // ends with the socket's, or when the place is left and nothing lingers any more
	cancel   context.CancelFunc // of ctx
	left     atomic.Bool        // Unbind or Disconnect was called; set under Socket.mu
}

func (s *Socket) newPlace(e Endpoint) *place {
	pl := &place{Endpoint: e, written: e}
	pl.ctx, pl.cancel = context.WithCancel(s.ctx)
	return pl
}

// rest lets no new connection be made by dialling.
func (pl *place) rest() {
	if pl.dialer != nil {
		pl.dialer.Rest()
	}
}

// close gives up what the place holds, and returns when all its connections have ended.
func (pl *place) close() {
	if pl.dialer != nil {
		pl.dialer.Close()
	}
	if pl.listener != nil {
		pl.listener.Close()
	}
	pl.cancel()
}

// Unbind ends what Bind began: no more connections are accepted at endpoint, and those that were end. endpoint is what
// Bind was given or what it returned. What is queued for these connections is still sent, until ctx ends or
// Config.Linger has passed; what came over them can still be received. When Unbind returns the port, file or name is
// free. Other endpoints and their connections are left alone.
//
// If messages were left that could not be sent, the error wraps ErrUnsent and says how many; they are counted as
// dropped. It wraps ErrEndpoint if the socket is not bound to endpoint.
func (s *Socket) Unbind(ctx context.Context, endpoint string) error {
	return s.leavePlace(ctx, endpoint, true)
}

// Disconnect ends what Connect began, as Unbind does: the connection to endpoint, or the attempts to make it. A socket
// that was connected several times to the same endpoint has as many connections, and Disconnect ends the oldest. (In
// libzmq, zmq_disconnect ends all of them.) The request of a REQ that went there fails with ErrPeerLost.
func (s *Socket) Disconnect(ctx context.Context, endpoint string) error {
	return s.leavePlace(ctx, endpoint, false)
}

func (s *Socket) leavePlace(ctx context.Context, endpoint string, bound bool) error {
	if ctx == nil {
		return errNoContext
	}
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed.Load() {
		s.mu.Unlock()
		return ErrClosed
	}
	pl, err := s.find(endpoint, e, bound)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	pl.left.Store(true)
	peers := s.peersAt(pl)
	s.mu.Unlock()
	for _, p := range peers {
		s.pattern.leave(p)
	}
	ctx, cancel := context.WithTimeout(ctx, max(s.cfg.Linger, 0))
	defer cancel()
	unsent := s.linger(ctx, peers)
	pl.cancel()
	pl.rest()
	s.hangUp(ctx, pl)
	pl.close()
	if pl.dialer != nil {
		s.leave(peers[0])
	}
	s.mu.Lock()
	s.places = slices.DeleteFunc(s.places, func(other *place) bool { return other == pl })
	s.mu.Unlock()
	if unsent > 0 {
		return fmt.Errorf("%w: %d", ErrUnsent, unsent)
	}
	return nil
}

// find returns the oldest place at e, which was written as endpoint, that is bound or is not. s.mu is held.
func (s *Socket) find(endpoint string, e Endpoint, bound bool) (*place, error) {
	otherwise := false
	for _, pl := range s.places {
		switch {
		case pl.left.Load() || pl.Endpoint != e && pl.written != e:
		case (pl.listener != nil) == bound:
			return pl, nil
		default:
			otherwise = true
		}
	}
	hint := "the socket is not connected there"
	switch {
	case bound && otherwise:
		hint = "the socket is connected there, not bound: that is for Disconnect"
	case bound:
		hint = "the socket is not bound there"
	case otherwise:
		hint = "the socket is bound there, not connected: that is for Unbind"
	}
	_, err := refuse(endpoint, "%s", hint)
	return nil, err
}

// peersAt returns the peers at a place, or all. s.mu is held.
func (s *Socket) peersAt(pl *place) []*peer {
	var peers []*peer
	for p := range s.peers {
		if pl == nil || p.at == pl {
			peers = append(peers, p)
		}
	}
	return peers
}

// leaving says whether p is only to get what is queued for it.
func (p *peer) leaving() bool { return p.s.closed.Load() || p.at.left.Load() }
