package nodes

import (
	"context"
	"encoding/binary"
	"net"
	"strings"

	"github.com/troupe-go/troupe/internal/bench/contest"
	"github.com/troupe-go/troupe/internal/bench/raw"
)

func rawBind(w worker) error {
	const scheme = "tcp://"
	l, err := net.Listen("tcp", strings.Replace(strings.TrimPrefix(w.Endpoint, scheme), "*", "0", 1))
	if err != nil {
		return err
	}
	contest.Bound(l.Addr().String())
	done := make(chan burst, w.pairs)
	for range max(1, w.pairs) {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		conn := raw.NewConn(c)
		if w.tells == nil {
			go func() { contest.Fail(rawEcho(conn)) }()
			continue
		}
		go func() { contest.Fail(rawReceive(conn, w.tells, &receiver{done: done})) }()
	}
	if w.tells == nil {
		return w.serve()
	}
	return w.receive(done)
}

func rawReceive(conn *raw.Conn, tells cargo, r *receiver) error {
	for {
		data, err := conn.Recv()
		if err != nil {
			return err
		}
		number, err := tells.unpack(data)
		if err != nil {
			return err
		}
		r.got(number)
	}
}

func rawEcho(conn *raw.Conn) error {
	for {
		msg, err := conn.Recv()
		if err != nil {
			return err
		}
		if err := conn.Send(msg); err != nil {
			return err
		}
		if conn.Waits() {
			if err := conn.Flush(); err != nil {
				return err
			}
		}
	}
}

func rawConnect(w worker) error {
	senders := make([]sender, max(1, w.pairs))
	for i := range senders {
		c, err := net.Dial("tcp", w.Endpoint)
		if err != nil {
			return err
		}
		conn := raw.NewConn(c)
		switch {
		case w.tells != nil:
			senders[i] = rawSender(conn, w.tells.packer())
		case w.clients == 1:
			return w.ask(func(_ context.Context, _ int, msg []byte) ([]byte, error) { return rawAsk(conn, msg) })
		default:
			return w.ask(share(conn, w.clients).ask)
		}
	}
	return w.send(senders)
}

func rawSender(conn *raw.Conn, pack func(number uint64) ([]byte, error)) sender {
	return sender{flush: conn.Flush, send: func(number uint64) error {
		data, err := pack(number)
		if err != nil {
			return err
		}
		return conn.Send(data)
	}}
}

func rawAsk(conn *raw.Conn, msg []byte) ([]byte, error) {
	if err := conn.Send(msg); err != nil {
		return nil, err
	}
	if err := conn.Flush(); err != nil {
		return nil, err
	}
	return conn.Recv()
}

// shared is a connection for many clients.
type shared struct {
	out     chan []byte
	replies []chan []byte // for each client
}

func share(conn *raw.Conn, clients int) *shared {
	s := &shared{out: make(chan []byte, clients)}
	for range clients {
		s.replies = append(s.replies, make(chan []byte, 1))
	}
	go func() { contest.Fail(s.write(conn)) }()
	go func() { contest.Fail(s.read(conn)) }()
	return s
}

func (s *shared) ask(_ context.Context, client int, msg []byte) ([]byte, error) {
	s.out <- msg
	return <-s.replies[client], nil
}

// write flushes when nobody has more to send.
func (s *shared) write(conn *raw.Conn) error {
	for {
		if err := conn.Send(<-s.out); err != nil {
			return err
		}
		if len(s.out) == 0 {
			if err := conn.Flush(); err != nil {
				return err
			}
		}
	}
}

func (s *shared) read(conn *raw.Conn) error {
	for {
		msg, err := conn.Recv()
		if err != nil {
			return err
		}
		s.replies[binary.BigEndian.Uint32(msg)] <- msg
	}
}
