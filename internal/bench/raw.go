package bench

import (
	"bytes"
	"fmt"
	"net"
	"strings"

	"github.com/troupe-go/troupe/internal/bench/contest"
	"github.com/troupe-go/troupe/internal/bench/raw"
)

// stream is the raw side's link: a connection, or several that all get what is sent and starts with topic.
type stream struct {
	conns []*raw.Conn
	topic []byte
}

func (s *stream) Send(msg []byte) error {
	if !bytes.HasPrefix(msg, s.topic) {
		return nil
	}
	for _, c := range s.conns {
		if err := c.Send(msg); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) Flush() error {
	for _, c := range s.conns {
		if err := c.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) Recv() ([]byte, error) { return s.conns[0].Recv() }

func (s *stream) Dropped() int { return 0 }

// address splits an endpoint for package net.
func address(endpoint string) (network, addr string) {
	network, addr, _ = strings.Cut(endpoint, "://")
	if network == "ipc" {
		network = "unix"
	}
	return network, addr
}

func rawBind(sp contest.Spec) (link, error) {
	network, addr := address(sp.Endpoint)
	if network == "inproc" {
		return bindChannel(sp), nil
	}
	l, err := net.Listen(network, strings.Replace(addr, "*", "0", 1))
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if network == "tcp" {
		addr = l.Addr().String()
	}
	transport, _, _ := strings.Cut(sp.Endpoint, "://")
	contest.Bound(transport + "://" + addr)
	s := &stream{}
	for range sp.Subscribers {
		c, err := l.Accept()
		if err != nil {
			return nil, err
		}
		s.conns = append(s.conns, raw.NewConn(c))
	}
	if sp.Pattern == "pub-sub-filter" {
		if s.topic, err = s.Recv(); err != nil {
			return nil, fmt.Errorf("receiving the subscription: %w", err)
		}
	}
	return s, nil
}

func rawConnect(sp contest.Spec) (link, error) {
	network, addr := address(sp.Endpoint)
	if network == "inproc" {
		return connectChannel(), nil
	}
	c, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	s := &stream{conns: []*raw.Conn{raw.NewConn(c)}}
	if sp.Pattern == "pub-sub-filter" {
		if err := s.Send(topic); err != nil {
			return nil, err
		}
		if err := s.Flush(); err != nil {
			return nil, err
		}
	}
	return s, nil
}
