package bench

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
)

const bufferSize = 64 << 10

// stream is the raw side's link: messages after their lengths over a connection, or over several that all get what is sent
// and starts with topic.
type stream struct {
	conns []conn
	topic []byte
	head  [4]byte
}

type conn struct {
	r *bufio.Reader
	w *bufio.Writer
}

func (s *stream) add(c net.Conn) {
	s.conns = append(s.conns, conn{bufio.NewReaderSize(c, bufferSize), bufio.NewWriterSize(c, bufferSize)})
}

func (s *stream) Send(msg []byte) error {
	if !bytes.HasPrefix(msg, s.topic) {
		return nil
	}
	binary.LittleEndian.PutUint32(s.head[:], uint32(len(msg)))
	for _, c := range s.conns {
		if _, err := c.w.Write(s.head[:]); err != nil {
			return err
		}
		if _, err := c.w.Write(msg); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) Flush() error {
	for _, c := range s.conns {
		if err := c.w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) Recv() ([]byte, error) {
	r := s.conns[0].r
	if _, err := io.ReadFull(r, s.head[:]); err != nil {
		return nil, err
	}
	msg := make([]byte, binary.LittleEndian.Uint32(s.head[:])) // the caller's, as with the other sides
	_, err := io.ReadFull(r, msg)
	return msg, err
}

func (s *stream) Dropped() int { return 0 }

// address splits an endpoint for package net.
func address(endpoint string) (network, addr string) {
	network, addr, _ = strings.Cut(endpoint, "://")
	if network == "ipc" {
		network = "unix"
	}
	return network, addr
}

func rawBind(sp spec) (link, error) {
	network, addr := address(sp.endpoint)
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
	transport, _, _ := strings.Cut(sp.endpoint, "://")
	say("bound %s://%s", transport, addr)
	s := &stream{}
	for range sp.subscribers {
		c, err := l.Accept()
		if err != nil {
			return nil, err
		}
		s.add(c)
	}
	if sp.pattern == "pub-sub-filter" {
		if s.topic, err = s.Recv(); err != nil {
			return nil, fmt.Errorf("receiving the subscription: %w", err)
		}
	}
	return s, nil
}

func rawConnect(sp spec) (link, error) {
	network, addr := address(sp.endpoint)
	if network == "inproc" {
		return connectChannel(), nil
	}
	c, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	s := &stream{}
	s.add(c)
	if sp.pattern == "pub-sub-filter" {
		if err := s.Send(topic); err != nil {
			return nil, err
		}
		if err := s.Flush(); err != nil {
			return nil, err
		}
	}
	return s, nil
}
