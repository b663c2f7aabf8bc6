package zmtp

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"go.uber.org/goleak"

	"github.com/troupe-go/troupe/internal/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quiet is a Config for tests that expect refusals.
func quiet(t zmq4.SocketType) *Config {
	return &Config{Type: t, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

// tcpPair returns the two ends of a loopback connection.
func tcpPair(t testing.TB) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// streams are the ways to get from one end to the other.
var streams = map[string]func(testing.TB) (a, b net.Conn){
	"tcp":    tcpPair,
	"memory": func(testing.TB) (a, b net.Conn) { return memnet.Pipe() },
}

type opened struct {
	c   *Conn
	err error
}

// open2 performs a handshake at both ends of a stream: a dialled, b accepted.
func open2(a, b net.Conn, ca, cb *Config) (dialled, accepted opened) {
	done := make(chan opened)
	go func() {
		c, err := Open(context.Background(), b, cb, true)
		done <- opened{c, err}
	}()
	c, err := Open(context.Background(), a, ca, false)
	return opened{c, err}, <-done
}

// connect returns a DEALER's connection to a ROUTER and the ROUTER's end of it.
func connect(t testing.TB, a, b net.Conn) (dealer, router *Conn) {
	t.Helper()
	d, r := open2(a, b, quiet(zmq4.Dealer), quiet(zmq4.Router))
	if d.err != nil || r.err != nil {
		t.Fatal(d.err, r.err)
	}
	t.Cleanup(func() { d.c.Close(); r.c.Close() })
	return d.c, r.c
}

// soon fails the test if f does not return within a generous time.
func soon(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s takes too long", what)
	}
}

func text(s string) [][]byte { return [][]byte{[]byte(s)} }
