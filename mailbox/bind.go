package mailbox

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Bind accepts connections at endpoint from now until Unbind or Close, besides others that are bound or connected already.
// It returns the endpoint with its port filled in if that was left open, fit for another socket's Connect. ctx bounds the
// binding.
//
// It fails with an error that wraps ErrEndpoint if endpoint can't be read (see ParseEndpoint), and with the system's
// error if the address is taken or not this machine's. An ipc file that a dead process left behind is replaced; one in
// use, and any other file, is respected. The file is removed by Unbind and Close.
//
// If the endpoint can be reached from other machines, and Config.Security is nil, the log gets a warning.
func (s *Socket) Bind(ctx context.Context, endpoint string) (Endpoint, error) {
	if ctx == nil {
		return Endpoint{}, errNoContext
	}
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		return e, err
	}
	if s.closed.Load() {
		return Endpoint{}, ErrClosed
	}
	cfg := s.cfg.zmtp(s.typ, func() any { return s })
	cfg.Event = s.events(e)
	pl := s.newPlace(e)
	l, err := zmtp.Listen(ctx, cfg, e.Network, e.Address, func(c *zmtp.Conn) { s.accepted(c, pl) })
	if err != nil {
		pl.cancel()
		host, _, _ := net.SplitHostPort(e.Address)
		if _, no := net.InterfaceByName(host); e.Network == "tcp" && no == nil {
			return refuse(endpoint, "interfaces have no name here: write the address of %s, or * for all of them", host)
		}
		return Endpoint{}, fmt.Errorf("mailbox: bind %s: %w", e, err)
	}
	s.mu.Lock()
	if s.closed.Load() {
		s.mu.Unlock()
		l.Close()
		return Endpoint{}, ErrClosed
	}
	pl.listener, pl.Endpoint = l, e.Bound(l.Addr())
	s.places = append(s.places, pl)
	s.mu.Unlock()
	s.warn(pl.Endpoint, l.Addr())
	return pl.Endpoint, nil
}

// Connect makes a connection to endpoint, and another whenever one is lost, until Disconnect or Close, besides others
// that are bound or connected already, even to the same endpoint. It returns at once: whether anybody is there yet does
// not matter. Up to Config.SendHWM messages wait for the connection to come up (none with Config.Immediate).
//
// It fails with ErrClosed, with an error that wraps ErrEndpoint if endpoint can't be read or names no one peer (a host
// of * or a port of 0), and with one that wraps ErrState on a PAIR that has its peer.
func (s *Socket) Connect(endpoint string) error {
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		return err
	}
	if _, port, _ := net.SplitHostPort(e.Address); e.Network == "tcp" {
		if strings.HasPrefix(endpoint, "tcp://*:") {
			_, err = refuse(endpoint, "* is for Bind: write the peer's host, tcp://localhost:%s on this machine", port)
			return err
		}
		if port == "0" {
			_, err = refuse(endpoint, "an open port is for Bind: write the peer's")
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return ErrClosed
	}
	p := s.newPeer(e.Network == "inproc", true)
	p.at = s.newPlace(e)
	if pr, ok := s.pattern.(*pair); ok && !pr.claim(p) {
		p.at.cancel()
		return fmt.Errorf("%w: %w", ErrState, errPaired)
	}
	s.peers[p] = struct{}{}
	s.pattern.join(p)
	cfg := s.cfg.zmtp(s.typ, p.attach)
	cfg.Event = s.events(e)
	p.at.dialer = zmtp.Dial(cfg, e.Network, e.Address, p.dialed)
	s.places = append(s.places, p.at)
	s.room.wake()
	return nil
}

// warn says that everybody can talk to what is bound at e.
func (s *Socket) warn(e Endpoint, bound net.Addr) {
	if e.Network != "tcp" || s.cfg.Security != nil {
		return
	}
	host, _, _ := net.SplitHostPort(bound.String())
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsLoopback() { // no address: a network of the process's own
		return
	}
	s.cfg.Log.Warn("bound beyond this machine without security: whoever reaches the port can send and receive; "+
		"set Config.Security, or bind to 127.0.0.1", "socket", string(s.typ), "endpoint", e.String())
}
