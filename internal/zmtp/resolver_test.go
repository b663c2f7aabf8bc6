package zmtp

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// nameServer answers each question for an IPv4 address with those that it has now, and others with none.
type nameServer struct {
	conn net.PacketConn

	mu   sync.Mutex
	has  [][4]byte
	done chan struct{}
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, done: make(chan struct{})}
	go s.run()
	t.Cleanup(func() { conn.Close(); <-s.done })
	return s
}

func (s *nameServer) set(addresses ...[4]byte) {
	s.mu.Lock()
	s.has = addresses
	s.mu.Unlock()
}

func (s *nameServer) run() {
	defer close(s.done)
	buf := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		s.conn.WriteTo(s.answer(buf[:n]), from)
	}
}

func (s *nameServer) answer(q []byte) []byte {
	s.mu.Lock()
	has := slices.Clone(s.has)
	s.mu.Unlock()
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	end += 5 // the name's end, type and class
	if binary.BigEndian.Uint16(q[end-4:]) != 1 {
		has = nil
	}
	p := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, byte(len(has)), 0, 0, 0, 0}, q[12:end]...)
	for _, ip := range has {
		p = append(p, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		p = append(p, ip[:]...)
	}
	return p
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

// C19: a peer that moved to another address under the same name is found there, and so is one that has several of
// which not all work.
func TestNameIsLookedUpAtEachAttemptAndEachAddressTried(t *testing.T) {
	names := newNameServer(t)
	cfg := quiet(zmq4.Dealer)
	cfg.Network = Machine{Resolver: names.resolver()}
	cfg.BackoffMin, cfg.BackoffMax = time.Millisecond, 10*time.Millisecond

	port := "0"
	listen := func(host string) *Listener {
		l, err := Listen(t.Context(), quiet(zmq4.Router), "tcp", net.JoinHostPort(host, port), func(c *Conn) { <-drained(c, ignore) })
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Skip("this system has only one loopback address")
		}
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		return l
	}
	first := listen("127.0.0.2")
	names.set([4]byte{127, 0, 0, 2})

	at := make(chan string, 10)
	d := Dial(cfg, "tcp", "peer.test.:"+port, func(c *Conn) {
		host, _, _ := net.SplitHostPort(c.Peer().Address)
		at <- host
		<-drained(c, ignore)
	})
	defer d.Close()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-at:
			if got != want {
				t.Errorf("connected to %s, want %s", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("not connected to", want)
		}
	}
	expect("127.0.0.2")
	second := listen("127.0.0.3")
	names.set([4]byte{127, 0, 0, 3})
	first.Close()
	expect("127.0.0.3")
	third := listen("127.0.0.4")
	names.set([4]byte{127, 0, 0, 2}, [4]byte{127, 0, 0, 3}, [4]byte{127, 0, 0, 4})
	second.Close()
	expect("127.0.0.4")
	d.Close()
	third.Close()
}
