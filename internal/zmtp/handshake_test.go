package zmtp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
)

func TestHandshakeTellsBothEndsWhoThereIs(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			cfg := quiet(zmq4.Dealer)
			cfg.Identity = []byte("me")
			d, r := open2(a, b, cfg, quiet(zmq4.Router))
			if d.err != nil || r.err != nil {
				t.Fatal(d.err, r.err)
			}
			defer d.c.Close()
			defer r.c.Close()
			if p := d.c.Peer(); p.Type != zmq4.Router || len(p.Identity) != 0 || p.Minor != 1 || p.Address == "" {
				t.Errorf("dialler sees %+v", p)
			}
			if p := r.c.Peer(); p.Type != zmq4.Dealer || string(p.Identity) != "me" || p.Minor != 1 {
				t.Errorf("acceptor sees %+v", p)
			}
		})
	}
}

func TestHandshakeRefusesTypesThatCannotTalkAndSaysSoToThePeer(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := open2(a, b, quiet(zmq4.Req), quiet(zmq4.Pull))
			if !errors.Is(r.err, ErrProtocol) || !strings.Contains(r.err.Error(), "REQ can't talk with PULL") {
				t.Errorf("acceptor: %v", r.err)
			}
			if !errors.Is(d.err, ErrRejected) || !strings.Contains(d.err.Error(), "REQ can't talk with PULL") {
				t.Errorf("dialler: %v", d.err)
			}
		})
	}
}

func TestBothEndsFindWhatTheOtherAttached(t *testing.T) {
	a, b := memnet.Pipe()
	ca, cb := quiet(zmq4.Req), quiet(zmq4.Rep)
	ca.Attach = func() any { return "a" }
	cb.Attach = func() any { return "b" }
	d, r := open2(a, b, ca, cb)
	if d.err != nil || r.err != nil {
		t.Fatal(d.err, r.err)
	}
	defer d.c.Close()
	defer r.c.Close()
	if d.c.Attached() != "b" || r.c.Attached() != "a" {
		t.Errorf("%v %v", d.c.Attached(), r.c.Attached())
	}
}

// greeting is what a ZMTP 3.1 peer with the given mechanism sends first.
func greeting(mechanism string) []byte {
	p := make([]byte, greetingSize)
	p[0], p[8], p[9], p[10], p[11] = 0xff, 1, 0x7f, 3, 1
	copy(p[12:], mechanism)
	return p
}

func greeted(p ...[]byte) []byte {
	whole := greeting("NULL")
	for _, q := range p {
		whole = append(whole, q...)
	}
	return whole
}

func ready(socket string) []byte {
	return appendCommand(nil, zmq4.CmdReady, appendProperty(nil, propType, []byte(socket)))
}

// claim is the header of a long frame.
func claim(flags byte, size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{flags | flagLong}, size)
}

// hostile is what strangers send, and a part of what they are refused with.
var hostile = []struct {
	name, reason string
	bytes        []byte
}{
	{"HTTP", "HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
	{"TLS hello", "TLS", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
	{"random", "starts with", random(1024)},
	{"zeros", "starts with", make([]byte, 64)},
	{"bad signature", "starts with", append([]byte{0xff}, make([]byte, 20)...)},
	{"ZMTP 1.0", "ZMTP 1.0", []byte{1, 0}},
	{"ZMTP 1.0 with a long identity", "ZMTP 1.0", []byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 0}},
	{"ZMTP 2.0", "ZMTP 2.0", []byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 5, 0, 0}},
	{"mechanism", `"CURVE"`, greeting("CURVE")},
	{"as-server", "as-server", func() []byte { p := greeting("NULL"); p[32] = 7; return p }()},
	{"2^62 frame", "4611686018427387904 bytes", greeted(claim(flagCommand, 1<<62))},
	{"2^63 frame", "9223372036854775808 bytes", greeted(claim(flagCommand, 1<<63))},
	{"2^33 frame", "8589934592 bytes", greeted(claim(flagCommand, 1<<33))},
	{"5 KiB frame", "5120 bytes", greeted(claim(flagCommand, 5<<10))},
	{"message", "message frame", greeted([]byte{0})},
	{"more", "MORE", greeted([]byte{flagCommand | flagMore})},
	{"reserved flags", "reserved", greeted([]byte{0x80})},
	{"empty command", "empty command", greeted([]byte{flagCommand, 0})},
	{"command without a name", "name of 0 bytes", greeted([]byte{flagCommand, 1, 0})},
	{"command name too long", "name of 9 bytes in a frame of 2", greeted([]byte{flagCommand, 2, 9, 'R'})},
	{"other command", `"HELLO"`, greeted(appendCommand(nil, "HELLO", nil))},
	{"NONSENSE", `unknown socket type "NONSENSE"`, greeted(ready("NONSENSE"))},
	{"no type", "without Socket-Type", greeted(appendCommand(nil, zmq4.CmdReady, nil))},
	{"two types", "two Socket-Type", greeted(appendCommand(nil, zmq4.CmdReady,
		appendProperty(appendProperty(nil, propType, []byte("REQ")), "socket-type", []byte("REQ"))))},
	{"wrong type", "PUB can't talk with ROUTER", greeted(ready("PUB"))},
	{"truncated property", "truncated property", greeted(appendCommand(nil, zmq4.CmdReady, []byte("\x0bSocket-T")))},
	{"truncated value", "claims 200 bytes and has 3", greeted(appendCommand(nil, zmq4.CmdReady, []byte("\x0bSocket-Type\x00\x00\x00\xc8REQ")))},
	{"unnamed property", "without a name", greeted(appendCommand(nil, zmq4.CmdReady, []byte{0, 0, 0, 0, 0}))},
	{"long identity", "identity of 256 bytes", greeted(appendCommand(nil, zmq4.CmdReady,
		appendProperty(appendProperty(nil, propType, []byte("REQ")), propIdentity, make([]byte, 256))))},
}

func random(n int) []byte {
	p := make([]byte, n)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

// C08, C09. The stream stays open: refusing takes no more than the bytes given, and no time on the bubble's clock.
func TestStrangersAreRefusedAtOnceWithTheReason(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memnet.Pipe()
				defer a.Close()
				before := time.Now()
				go a.Write(h.bytes)
				_, err := Open(t.Context(), b, quiet(zmq4.Router), true)
				if !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), h.reason) {
					t.Errorf("%v; want %s", err, h.reason)
				}
				if d := time.Since(before); d != 0 {
					t.Errorf("took %v", d)
				}
			})
		})
	}
}

// Sent in the acceptor's answer, the same READYs are refused by the end that dialled.
func TestDiallerRefusesNonsenseInTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		defer b.Close()
		go b.Write(greeted(ready("NONSENSE")))
		_, err := Open(t.Context(), a, quiet(zmq4.Dealer), false)
		if !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "NONSENSE") {
			t.Error(err)
		}
	})
}

func TestHandshakeEndsAtItsDeadline(t *testing.T) {
	for _, sent := range []int{0, 1, 64} {
		synctest.Test(t, func(t *testing.T) {
			a, b := memnet.Pipe()
			defer a.Close()
			a.Write(greeting("NULL")[:sent])
			before := time.Now()
			cfg := quiet(zmq4.Rep)
			cfg.Handshake = 3 * time.Second
			_, err := Open(t.Context(), b, cfg, true)
			if d := time.Since(before); d != cfg.Handshake || err == nil || !strings.Contains(err.Error(), "not done within 3s") {
				t.Errorf("after %v: %v", d, err)
			}
			if errors.Is(err, errNoBytes) {
				t.Errorf("%v is told apart from a peer that left", err)
			}
		})
	}
}

func TestHandshakeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		defer a.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Open(ctx, b, quiet(zmq4.Rep), true); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestHandshakeTellsAPeerThatLeftSilentlyFromOneThatDidNot(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			a.Close()
			if _, err := Open(t.Context(), b, quiet(zmq4.Rep), true); !errors.Is(err, errNoBytes) {
				t.Error(err)
			}
			a, b = stream(t)
			a.Write(greeting("NULL")[:20])
			a.(interface{ CloseWrite() error }).CloseWrite()
			_, err := Open(t.Context(), b, quiet(zmq4.Rep), true)
			if errors.Is(err, errNoBytes) || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "20 bytes") {
				t.Error(err)
			}
			a.Close()
		})
	}
}

// Our greeting can't be written any more, and yet what the peer had sent is what the error tells of.
func TestHandshakeTellsWhatAPeerSentThatLeftAtOnce(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			a.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			a.Close()
			if _, err := Open(t.Context(), b, quiet(zmq4.Rep), true); !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "HTTP") {
				t.Error(err)
			}
		})
	}
}

// Whatever follows the peer's READY in the same packet is the reader's.
func TestMessageRightBehindReadyIsRead(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			defer a.Close()
			p := greeted(appendCommand(nil, zmq4.CmdReady, appendProperty(nil, "SOCKET-TYPE", []byte("REQ"))))
			p = appendMessage(p, [][]byte{{}, []byte("Hello")})
			a.Write(p)
			c, err := Open(t.Context(), b, quiet(zmq4.Rep), true)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			msg, err := c.Read()
			if err != nil || len(msg) != 2 || string(msg[1]) != "Hello" {
				t.Errorf("%q %v", msg, err)
			}
		})
	}
}

func TestConfigThatCannotBeHonouredIsRefused(t *testing.T) {
	for _, cfg := range []*Config{
		{Type: "NONSENSE"},
		{Type: zmq4.Req, Identity: make([]byte, 256)},
		{Type: zmq4.Req, MaxMessage: -1},
		{Type: zmq4.Req, MaxFrames: -1},
		{Type: zmq4.Req, BackoffMin: 2, BackoffMax: 1},
	} {
		a, b := memnet.Pipe()
		if _, err := Open(t.Context(), a, cfg, false); err == nil {
			t.Errorf("%+v accepted", cfg)
		}
		if _, err := b.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("stream left open: %v", err)
		}
	}
}

// FuzzGuard sends any bytes to an acceptor. They must end in a Conn or an error, never in a panic or in a wait.
func FuzzGuard(f *testing.F) {
	for _, h := range hostile {
		f.Add(h.bytes)
	}
	f.Add(greeted(ready("REQ"), appendMessage(nil, text("x"))))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 60<<10 {
			return
		}
		a, b := memnet.Pipe()
		defer a.Close()
		a.Write(p)
		a.(interface{ CloseWrite() error }).CloseWrite()
		c, err := Open(context.Background(), b, quiet(zmq4.Rep), true)
		if err != nil {
			return
		}
		defer c.Close()
		if ty := c.Peer().Type; ty != zmq4.Req && ty != zmq4.Dealer {
			t.Errorf("a REP talks with %q", ty)
		}
		for err == nil {
			_, err = c.Read()
		}
	})
}
