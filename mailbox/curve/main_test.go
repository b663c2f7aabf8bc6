package curve

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"

	"github.com/go-zeromq/zmq4"
	"go.uber.org/goleak"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The test keys of zmq_curve(7), so that what fuzzing found is found again.
var (
	serverPair = must(ParseSecretKey("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"))
	clientPair = must(ParseSecretKey("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"))
	goodServer = Server{Key: serverPair, Allow: anybody}
	goodClient = Client{Key: clientPair, ServerKey: serverPair.Public()}
)

func must(p KeyPair, err error) KeyPair {
	if err != nil {
		panic(err)
	}
	return p
}

func anybody(context.Context, Claim) error { return nil }

// config is a DEALER's or ROUTER's, with an identity.
func config(t zmq4.SocketType, s zmtp.Security) *zmtp.Config {
	return &zmtp.Config{Type: t, Identity: []byte("me"), MaxMessage: 1 << 20, Security: s,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
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

// frame is one that goes over the wire between a client and a server. Each side's are numbered from 0.
type frame struct {
	toServer bool
	n        int
	bytes    []byte // header and body
}

// body returns the frame without its header.
func (f frame) body() []byte {
	if f.bytes[0]&2 != 0 {
		return f.bytes[9:]
	}
	return f.bytes[2:]
}

// between returns the ends of a stream for a client and a server, with somebody between who passes each frame on as
// hook says.
func between(t testing.TB, hook func(f frame) [][]byte) (client, server net.Conn) {
	client, a := memnet.Pipe()
	b, server := memnet.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() { pass(a, b, true, hook) })
	wg.Go(func() { pass(b, a, false, hook) })
	t.Cleanup(func() {
		for _, c := range []net.Conn{client, a, b, server} {
			c.Close()
		}
		wg.Wait()
	})
	return client, server
}

// pass passes on what comes from one side until that ends.
func pass(from, to net.Conn, toServer bool, hook func(f frame) [][]byte) {
	defer to.(interface{ CloseWrite() error }).CloseWrite()
	greeting := make([]byte, 64)
	if _, err := io.ReadFull(from, greeting); err != nil {
		return
	}
	to.Write(greeting)
	for n := 0; ; n++ {
		p, err := readFrame(from)
		if err != nil {
			return
		}
		for _, out := range hook(frame{toServer, n, p}) {
			to.Write(out)
		}
	}
}

func readFrame(r io.Reader) ([]byte, error) {
	p := make([]byte, 9)
	if _, err := io.ReadFull(r, p[:2]); err != nil {
		return nil, err
	}
	head, size := 2, uint64(p[1])
	if p[0]&2 != 0 {
		if _, err := io.ReadFull(r, p[2:]); err != nil {
			return nil, err
		}
		head, size = 9, binary.BigEndian.Uint64(p[1:])
	}
	p = append(p[:head:head], make([]byte, size)...)
	_, err := io.ReadFull(r, p[head:])
	return p, err
}

// recorded returns the greeting-less frames of a handshake and of the messages that each side then sends.
func recorded(t testing.TB) (toServer, toClient [][]byte) {
	t.Helper()
	var mu sync.Mutex
	a, b := between(t, func(f frame) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		if f.toServer {
			toServer = append(toServer, f.bytes)
		} else {
			toClient = append(toClient, f.bytes)
		}
		return [][]byte{f.bytes}
	})
	c, s := open2(t, a, b, goodClient, goodServer)
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	for _, ends := range [][2]*zmtp.Conn{{c.c, s.c}, {s.c, c.c}} {
		ends[0].Write([][][]byte{{[]byte("a"), {}, []byte("b")}})
		if _, err := ends[1].Read(); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return toServer, toClient
}
