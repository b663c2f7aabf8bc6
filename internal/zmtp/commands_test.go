package zmtp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
)

// Whatever commands a peer sends, as many as it likes: nothing is remembered, the reader goes on, and what is written is
// no more than what was asked for.
func TestFloodsOfCommandsAreTrafficAndNoMore(t *testing.T) {
	for name, command := range map[string][]byte{
		"PONG":               appendCommand(nil, "PONG", []byte("context")),
		"PONG like ours":     appendCommand(nil, "PONG", binary.BigEndian.AppendUint64(nil, 1)),
		"PONG of 200 bytes":  appendCommand(nil, "PONG", make([]byte, 200)),
		"unknown":            appendCommand(nil, "WHATEVER", make([]byte, 100)),
		"SUBSCRIBE":          appendCommand(nil, "SUBSCRIBE", []byte("x")), // to no publisher
		"READY":              appendCommand(nil, "READY", nil),
		"PING never read":    appendCommand(nil, "PING", []byte("\x00\x00context")),
		"PING with TTL, too": appendCommand(nil, "PING", []byte("\xff\xffcontext")),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memnet.Pipe()
				c, peer := raw(t, a, b, 1000)
				many := bytes.Repeat(command, 100)
				go func() {
					for range 500 {
						peer.Write(many)
					}
					peer.Write(appendMessage(nil, text("after")))
				}()
				if msg, err := c.Read(); err != nil || string(msg[0]) != "after" {
					t.Fatalf("%q %v", msg, err)
				}
				c.Close()
				synctest.Wait()
				if n := len(c.pings.waiters) + len(c.writer.rest); n > 100 {
					t.Errorf("%d waited", n)
				}
				if p, err := io.ReadAll(peer); err != nil || !strings.HasPrefix(name, "PING") && len(p) > 0 {
					t.Errorf("wrote %.100q %v", p, err)
				}
			})
		})
	}
}

// FuzzCommands reads any command between two messages: those arrive, or the connection ends; a PING gets its context
// back; nothing else is written but what Ping and the heartbeat have to say.
func FuzzCommands(f *testing.F) {
	for _, s := range []struct{ name, body string }{
		{"PING", ""}, {"PING", "\x00"}, {"PING", "\x00\x00"}, {"PING", "\x00\x01x"}, {"PING", "\xff\xff0123456789abcdef"}, {"PING", "\x00\x000123456789abcdefg"},
		{"PONG", ""}, {"PONG", "\x00\x00\x00\x00\x00\x00\x00\x01"}, {"PONG", "\x00\x00\x00\x00\x00\x00\x00\x02"}, {"PONG", "x"},
		{"SUBSCRIBE", ""}, {"SUBSCRIBE", "topic"}, {"CANCEL", ""}, {"CANCEL", "topic"}, {"SUBSCRIBED", "x"},
		{"ERROR", ""}, {"ERROR", "\x02no"}, {"ERROR", "\xffno"}, {"READY", "\x0bSocket-Type\x00\x00\x00\x03PUB"}, {"MESSAGE", "\x00x"},
		{"JOIN", "group"}, {"WHATEVER", "x"}, {"", ""}, {strings.Repeat("x", 255), ""},
	} {
		f.Add(s.name, []byte(s.body), false)
		f.Add(s.name, []byte(s.body), true)
	}
	f.Fuzz(func(t *testing.T, name string, body []byte, subscriber bool) {
		if len(name) > 255 || len(body) > 1<<16 {
			return
		}
		typ := zmq4.Dealer
		if subscriber {
			typ = zmq4.Sub
		}
		p := appendMessage(nil, text("before"))
		p = appendFrame(p, flagCommand, append(append([]byte{byte(len(name))}, name...), body...))
		p = appendMessage(p, text("after"))
		for _, step := range []int{1 << 20, 1} {
			s := &sink{script: script{p: p, step: step}}
			c := newConn(s, Peer{Type: typ, Minor: 1}, 1<<20)
			c.reached(c.pings.asked.Add(1)) // as Ping does, but nobody waits
			ping := appendCommand(nil, "PING", []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"))
			var got []string
			var err error
			for err == nil {
				var msg [][]byte
				if msg, err = c.Read(); err == nil {
					got = append(got, string(msg[0]))
				}
			}
			want := []string{"before"}
			switch {
			case subscriber && name == "SUBSCRIBE":
				want = append(want, "\x01"+string(body))
			case subscriber && name == "CANCEL":
				want = append(want, "\x00"+string(body))
			}
			if err == io.EOF {
				want = append(want, "after")
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				t.Fatalf("received %.200q, want %.200q, %v", got, want, err)
			}
			answer := ping
			if name == "PING" && err == io.EOF {
				answer = appendCommand(answer, "PONG", body[2:])
			}
			if !bytes.Equal(s.out, answer) {
				t.Fatalf("wrote %q, want %q", s.out, answer)
			}
			if c.pings.flying > 1 || c.reader.ttl > 6553500*time.Millisecond {
				t.Fatal(c.pings.flying, c.reader.ttl)
			}
		}
	})
}

// sink is a script that keeps what is written.
type sink struct {
	script
	out []byte
}

func (s *sink) TryWrite(p []byte) (int, error) {
	s.out = append(s.out, p...)
	return len(p), nil
}
