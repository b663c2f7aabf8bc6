package mailbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// greeting is a ZMTP 3.1 greeting with the NULL mechanism.
var greeting = "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x01NULL" + strings.Repeat("\x00", 48)

// ready is a READY command with the properties that follow its name.
func ready(properties string) string {
	body := "\x05READY" + properties
	return "\x04" + string(byte(len(body))) + body
}

func property(name, value string) string {
	return string(byte(len(name))) + name + string(binary.BigEndian.AppendUint32(nil, uint32(len(value)))) + value
}

// claim is the header of a frame that says it is n bytes long.
func claim(n uint64) string { return "\x02" + string(binary.BigEndian.AppendUint64(nil, n)) }

var (
	asReq    = greeting + ready(property("Socket-Type", "REQ")+property("Identity", ""))
	noise    = rand.NewChaCha8([32]byte{1})
	hostiles = map[string]string{
		"HTTP":                          "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"TLS hello":                     "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x5a", 508),
		"1 KiB of random bytes":         random(1024),
		"random bytes after a greeting": greeting + random(1024),
		"random bytes after READY":      asReq + "\xff" + random(1024),
		"ZMTP 1.0":                      "\x01\x00",
		"ZMTP 2.0":                      "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x01\x03\x00\x00",
		"CURVE without a key":           strings.Replace(greeting, "NULL", "CURV", 1),
		"socket type NONSENSE":          greeting + ready(property("Socket-Type", "NONSENSE")),
		"socket type SUB":               greeting + ready(property("Socket-Type", "SUB")),
		"no socket type":                greeting + ready(""),
		"property cut off":              greeting + ready("\x0bSocket-Type\x00\x00\x00\x80REQ"),
		"property name cut off":         greeting + ready("\xc8Socket"),
		"READY of 2^62 bytes":           greeting + "\x06\x40\x00\x00\x00\x00\x00\x00\x00",
		"frame of 2^33 bytes":           asReq + claim(1<<33) + "x",
		"frame of 2^49 bytes":           asReq + claim(1<<49) + "x",
		"frame of 2^62 bytes":           asReq + claim(1<<62) + "x",
		"frame of 2^63-1 bytes":         asReq + claim(1<<63-1) + "x",
		"frames of 64 MiB together":     asReq + "\x01\x01x" + claim(64<<20) + "x",
		"reserved flags":                asReq + "\xf8\x01x",
		"a command with MORE":           asReq + "\x05\x05\x04PING",
		"a PING without a TTL":          asReq + "\x04\x05\x04PING",
	}
)

func random(n int) string {
	b := make([]byte, n)
	noise.Read(b)
	return string(b)
}

// lines counts the lines of a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Count(l.b.Bytes(), []byte("\n"))
}

func TestHostileBytesDisturbNobody(t *testing.T) {
	for name, bytes := range hostiles {
		t.Run(name, func(t *testing.T) {
			server, client := open(t, Rep, Config{}), open(t, Req, Config{})
			log := new(lines)
			server.cfg.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo}))
			at, _ := ParseEndpoint(bind(t, server, "tcp://127.0.0.1:*"))
			go echo(server, "")
			connect(t, client, at.String())
			ask := func() {
				t.Helper()
				send(t, client, "x")
				expect(t, client, "x")
			}
			ask()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c, err := net.Dial("tcp", at.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, bytes); err != nil {
				t.Log(err) // closed early, which is fine
			}
			ask()
			c.(*net.TCPConn).CloseWrite()
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
				t.Error("the connection was not ended")
			}
			ask()
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("%d bytes were allocated", grown)
			}
			until(t, "a line in the log", func() bool { return log.count() > 0 })
			if n := log.count(); n != 1 {
				t.Errorf("the log has %d lines:\n%s", n, log.b.String())
			}
		})
	}
}

func TestSilentConnectionsDisturbNobody(t *testing.T) {
	server, client := open(t, Rep, Config{}), open(t, Req, Config{})
	at, _ := ParseEndpoint(bind(t, server, "tcp://127.0.0.1:*"))
	for range 50 {
		c, err := net.Dial("tcp", at.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	go echo(server, "")
	connect(t, client, at.String())
	for range 10 {
		send(t, client, "x")
		expect(t, client, "x")
	}
	start := time.Now()
	shut(t, server)
	if took := time.Since(start); took > time.Second {
		t.Errorf("close took %v", took)
	}
}

// endless is what comes from a peer that sends nonsense faster than anybody can drop it.
type endless struct{}

func (endless) Take([]zmtp.Batch) []zmtp.Batch {
	return []zmtp.Batch{zmtp.Single([][]byte{[]byte("nonsense")})}
}
func (endless) Done(int, int) {}

func TestAFloodOfNonsenseDoesNotOutlastTheContext(t *testing.T) {
	for _, typ := range []SocketType{Rep, Req} {
		s := open(t, typ, Config{})
		s.in.wake(&inlet{peer: s.newPeer(false, false), src: endless{}})
		if typ == Req {
			connect(t, s, "inproc://"+t.Name())
			send(t, s, "x")
		}
		if _, err := s.Recv(ended()); !errors.Is(err, context.Canceled) {
			t.Error(typ, err)
		}
		if _, err := s.Recv(within(t, 10*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(typ, err)
		}
		s.Close(ended())
		if _, err := s.Recv(context.Background()); err != ErrClosed {
			t.Error(typ, err)
		}
	}
}
