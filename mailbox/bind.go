package mailbox

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Bind accepts connections at endpoint from now until Close, besides others that are bound or connected already. It
// returns the endpoint with its port filled in if that was left open, fit for another socket's Connect. ctx bounds the
// binding.
//
// It fails with an error that wraps ErrEndpoint if endpoint can't be read (see ParseEndpoint), and with the system's
// error if the address is taken or not this machine's. An ipc file that a dead process left behind is replaced; one in
// use, and any other file, is respected. The file is removed by Close.
func (s *Socket) Bind(ctx context.Context, endpoint string) (Endpoint, error) {
	e, err := ParseEndpoint(endpoint)
	if err != nil {
		return e, err
	}
	if s.closed.Load() {
		return Endpoint{}, ErrClosed
	}
	cfg := s.cfg.zmtp(s.typ, func() any { return s })
	l, err := zmtp.Listen(ctx, cfg, e.Network, e.Address, s.accepted)
	if err != nil {
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
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	return e.Bound(l.Addr()), nil
}

// Connect makes a connection to endpoint, and another whenever one is lost, until Close, besides others that are bound
// or connected already. It returns at once: whether anybody is there yet does not matter. Up to Config.SendHWM messages
// wait for the connection to come up.
//
// It fails with ErrClosed, or with an error that wraps ErrEndpoint if endpoint can't be read or names no one peer
// (a host of * or a port of 0).
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
	p := s.newPeer(true)
	if e.Network != "inproc" {
		p.out.Weigh()
	}
	s.peers[p] = struct{}{}
	s.pattern.join(p)
	s.dialers = append(s.dialers, zmtp.Dial(s.cfg.zmtp(s.typ, p.attach), e.Network, e.Address, p.dialed))
	s.room.wake()
	return nil
}
