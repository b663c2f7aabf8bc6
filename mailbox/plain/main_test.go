package plain

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/go-zeromq/zmq4"
	"go.uber.org/goleak"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	ada        = Client{Username: "ada", Password: "lovelace"}
	adasServer = Server{Allow: adaOnly}
)

func adaOnly(_ context.Context, l Login) error {
	if l.Username != "ada" || subtle.ConstantTimeCompare([]byte(l.Password), []byte("lovelace")) != 1 {
		return errors.New("no such user, or not with that word")
	}
	return nil
}

func config(t zmq4.SocketType, s zmtp.Security) *zmtp.Config {
	return &zmtp.Config{Type: t, Security: s, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

type opened struct {
	c   *zmtp.Conn
	err error
}

// open2 performs a handshake: the client's end dials, the server's accepts.
func open2(t testing.TB, a, b net.Conn, client, server zmtp.Security) (c, s opened) {
	t.Helper()
	done := make(chan opened)
	go func() {
		conn, err := zmtp.Open(context.Background(), b, config(zmq4.Router, server), true)
		done <- opened{conn, err}
	}()
	conn, err := zmtp.Open(context.Background(), a, config(zmq4.Dealer, client), false)
	c, s = opened{conn, err}, <-done
	for _, o := range []opened{c, s} {
		if o.err == nil {
			t.Cleanup(func() { o.c.Close() })
		}
	}
	return c, s
}

// command is a command's frame.
func command(name, body string) string {
	return string([]byte{4, byte(1 + len(name) + len(body)), byte(len(name))}) + name + body
}

// greeted is what a peer sends that speaks PLAIN: a greeting, then the commands.
func greeted(commands ...string) []byte {
	p := make([]byte, 64)
	p[0], p[8], p[9], p[10], p[11] = 0xff, 1, 0x7f, 3, 1
	copy(p[12:], mechanism)
	for _, c := range commands {
		p = append(p, c...)
	}
	return p
}

// feed opens a connection to a peer that sends p and nothing more.
func feed(p []byte, t zmq4.SocketType, s zmtp.Security) error {
	a, b := memnet.Pipe()
	defer a.Close()
	a.Write(p)
	a.(interface{ CloseWrite() error }).CloseWrite()
	c, err := zmtp.Open(context.Background(), b, config(t, s), true)
	if err == nil {
		c.Close()
	}
	return err
}
