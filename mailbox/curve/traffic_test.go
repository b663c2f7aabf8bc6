package curve

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestMessagesGoThroughBothWaysAndAreNotToBeRead(t *testing.T) {
	var wire bytes.Buffer
	a, b := between(t, func(f frame) [][]byte {
		if f.toServer {
			wire.Write(f.bytes)
		}
		return [][]byte{f.bytes}
	})
	c, s := open2(t, a, b, goodClient, goodServer)
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	whole := make([]byte, 1<<20) // MaxMessage
	for i := range whole {
		whole[i] = byte(i >> 8)
	}
	msgs := [][][]byte{{[]byte("attack at dawn")}, {{}}, {{}, []byte("x"), {}}, {whole}, {whole[:1<<19], {}, whole[1<<19:]}, {[]byte("end")}}
	for _, ends := range [][2]*zmtp.Conn{{c.c, s.c}, {s.c, c.c}} {
		go ends[0].Write(msgs)
		for i, want := range msgs {
			got, err := ends[1].Read()
			if err != nil || len(got) != len(want) || !bytes.Equal(bytes.Join(got, []byte("|")), bytes.Join(want, []byte("|"))) {
				t.Fatalf("message %d: %d frames, %v", i, len(got), err)
			}
		}
	}
	read := make(chan error, 2)
	for _, end := range []*zmtp.Conn{c.c, s.c} {
		go func() { _, err := end.Read(); read <- err }()
	}
	for _, end := range []*zmtp.Conn{c.c, s.c} { // PING and PONG go through it too
		if err := end.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
	c.c.Close()
	<-read
	<-read
	if bytes.Contains(wire.Bytes(), []byte("attack")) {
		t.Error("the message is to be seen on the wire")
	}
}

func TestMessageTooLargeEndsTheConnection(t *testing.T) {
	a, b := memnet.Pipe()
	c, s := open2(t, a, b, goodClient, goodServer)
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	go c.c.Write([][][]byte{{make([]byte, 1<<20+1)}})
	if _, err := s.c.Read(); !errors.Is(err, zmtp.ErrProtocol) || !strings.Contains(err.Error(), "the limit is 1048576") {
		t.Error(err)
	}
}

// Each message is sealed into frame 2, 3, ... of its side; what somebody between does to them ends the connection.
func TestMeddlingWithMessagesEndsTheConnection(t *testing.T) {
	var held []byte
	for _, h := range []struct {
		name, reason string
		arrive       int // messages before the end
		hook         func(f frame) [][]byte
	}{
		{"repeated", "repeated or out of order", 1, func(f frame) [][]byte { return [][]byte{f.bytes, f.bytes} }},
		{"reordered", "repeated or out of order", 1, func(f frame) [][]byte {
			if f.n == 2 {
				held = f.bytes
				return nil
			}
			return [][]byte{f.bytes, held}
		}},
		{"body changed", "can't be opened", 0, func(f frame) [][]byte {
			f.body()[len(f.body())-1] ^= 1
			return [][]byte{f.bytes}
		}},
		{"tag changed", "can't be opened", 0, func(f frame) [][]byte {
			f.body()[16] ^= 1
			return [][]byte{f.bytes}
		}},
		{"number changed", "can't be opened", 0, func(f frame) [][]byte {
			f.body()[15]++
			return [][]byte{f.bytes}
		}},
		{"name changed", "no MESSAGE", 0, func(f frame) [][]byte {
			f.body()[3] ^= 1
			return [][]byte{f.bytes}
		}},
		{"cut short", "can't be opened", 0, func(f frame) [][]byte {
			return [][]byte{append([]byte{0, byte(len(f.body()) - 1)}, f.body()[:len(f.body())-1]...)}
		}},
		{"cut shorter than its box", "no MESSAGE", 0, func(f frame) [][]byte {
			return [][]byte{append([]byte{0, 32}, f.body()[:32]...)}
		}},
		{"plain instead", "no MESSAGE", 0, func(f frame) [][]byte { return [][]byte{{0, 5, 'h', 'e', 'l', 'l', 'o'}} }},
		{"ERROR instead", "no MESSAGE", 0, func(f frame) [][]byte { return [][]byte{append([]byte{4, 10}, "\x05ERROR\x03400"...)} }},
		{"MORE outside", "MORE flag", 0, func(f frame) [][]byte {
			f.bytes[0] |= 1
			return [][]byte{f.bytes}
		}},
	} {
		for _, toServer := range []bool{true, false} {
			t.Run(h.name, func(t *testing.T) {
				a, b := between(t, func(f frame) [][]byte {
					if f.toServer != toServer || f.n < 2 {
						return [][]byte{f.bytes}
					}
					return h.hook(f)
				})
				c, s := open2(t, a, b, goodClient, goodServer)
				if c.err != nil || s.err != nil {
					t.Fatal(c.err, s.err)
				}
				from, to := c.c, s.c
				if !toServer {
					from, to = s.c, c.c
				}
				from.Write([][][]byte{{[]byte("first")}, {[]byte("second")}})
				for range h.arrive {
					if _, err := to.Read(); err != nil {
						t.Fatal(err)
					}
				}
				msg, err := to.Read()
				if !errors.Is(err, zmtp.ErrProtocol) || !strings.Contains(err.Error(), h.reason) {
					t.Errorf("%q, %v; want %s", msg, err, h.reason)
				}
			})
		}
	}
}

// A message sent back to where it came from is none: each direction has numbers and names of its own.
func TestMessageThatIsSentBackIsRefused(t *testing.T) {
	var sent []byte
	a, b := between(t, func(f frame) [][]byte {
		switch {
		case f.toServer && f.n == 3:
			sent = f.bytes
		case !f.toServer && f.n == 2:
			return [][]byte{sent}
		}
		return [][]byte{f.bytes}
	})
	c, s := open2(t, a, b, goodClient, goodServer)
	if c.err != nil || s.err != nil {
		t.Fatal(c.err, s.err)
	}
	c.c.Write([][][]byte{{[]byte("x")}, {[]byte("y")}})
	for range 2 {
		if _, err := s.c.Read(); err != nil {
			t.Fatal(err)
		}
	}
	s.c.Write([][][]byte{{[]byte("z")}})
	if msg, err := c.c.Read(); !errors.Is(err, zmtp.ErrProtocol) {
		t.Errorf("%q %v", msg, err)
	}
}

func TestFlagsThatNobodyKnowsAreRefused(t *testing.T) {
	x := &cipher{sendPrefix: fromClient, recvPrefix: fromServer}
	y := &cipher{sendPrefix: fromServer, recvPrefix: fromClient}
	sealed := x.Seal(nil, true, false, []byte("hello"))
	if len(sealed) != x.Overhead()+5 {
		t.Errorf("%d bytes", len(sealed))
	}
	more, command, body, err := y.Open(sealed)
	if !more || command || string(body) != "hello" || err != nil {
		t.Error(more, command, body, err)
	}
	n := x.sent.next()
	bad := appendShort([]byte(messageName), n)
	bad = sealAs(bad, []byte{4, 'x'}, n, x)
	if _, _, _, err := y.Open(bad); !errors.Is(err, zmtp.ErrProtocol) || !strings.Contains(err.Error(), "reserved flags") {
		t.Error(err)
	}
}
