package zmtp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/internal/memnet"
)

// counted is a Cipher that seals with a number, the flags, and every bit turned over. It opens what comes exactly in
// order.
type counted struct{ sent, heard uint64 }

func (*counted) Overhead() int { return 9 }

func (c *counted) Seal(dst []byte, more, command bool, body []byte) []byte {
	c.sent++
	dst = append(binary.BigEndian.AppendUint64(dst, c.sent), flags(more, command))
	for _, b := range body {
		dst = append(dst, ^b)
	}
	return dst
}

func (c *counted) Open(sealed []byte) (more, command bool, body []byte, err error) {
	c.heard++
	if len(sealed) < 9 || binary.BigEndian.Uint64(sealed) != c.heard {
		return false, false, nil, fmt.Errorf("%w: out of order", ErrProtocol)
	}
	h := header{flags: sealed[8]}
	body = make([]byte, 0, len(sealed)-9)
	for _, b := range sealed[9:] {
		body = append(body, ^b)
	}
	return h.more(), h.command(), body, nil
}

// sealing gives c a cipher of its own.
func sealing(c *Conn) *Conn {
	cipher := &counted{}
	c.reader.cipher, c.reader.overhead = cipher, uint64(cipher.Overhead())
	c.writer.cipher, c.writer.overhead = cipher, cipher.Overhead()
	return c
}

// sealedPair returns the two ends of a connection whose frames are sealed.
func sealedPair(t testing.TB, a, b net.Conn, max int64) (x, y *Conn) {
	t.Helper()
	x, y = sealing(newConn(a, Peer{Minor: 1}, max)), sealing(newConn(b, Peer{Minor: 1}, max))
	t.Cleanup(func() { x.Close(); y.Close() })
	return x, y
}

func TestSealedMessagesOfAllSizesArriveWhole(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			x, y := sealedPair(t, a, b, 2<<20)
			var sent [][][]byte
			for i, size := range []int{0, 1, 246, 247, 255, 256, bigFrame, bigBody - 9, bigBody, bigBody + 1, chunk, 5 * chunk, 1 << 20} {
				sent = append(sent, [][]byte{bytes.Repeat([]byte{byte(i)}, size)}, [][]byte{{}, bytes.Repeat([]byte{byte(i)}, size), {}})
			}
			done := make(chan error, 1)
			go func() {
				for _, msg := range sent[:8] { // some one by one, the others together
					if _, err := x.Write([][][]byte{msg}); err != nil {
						done <- err
						return
					}
				}
				_, err := x.Write(sent[8:])
				done <- err
			}()
			for i := range sent {
				msg, err := y.Read()
				if err != nil {
					t.Fatal(err)
				}
				if len(msg) != len(sent[i]) || !bytes.Equal(bytes.Join(msg, []byte("|")), bytes.Join(sent[i], []byte("|"))) {
					t.Fatalf("message %d differs", i)
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// What TryWrite leaves is sealed already: it goes first and once, and commands take their place behind it.
func TestTryWrittenMessagesAreSealedInOrder(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			x, y := sealedPair(t, a, b, 1<<20)
			long := bytes.Repeat([]byte("long"), 2500)
			n := 0
			for {
				taken, rest := x.TryWrite([][]byte{long, fmt.Append(nil, n)})
				if !taken {
					t.Fatal("not taken, and nothing left over")
				}
				n++
				if rest {
					break
				}
			}
			if taken, rest := x.TryWrite(text("no room")); taken || rest {
				t.Error("taken with a rest before it")
			}
			pong := []byte("pong")
			x.writer.pong.Store(&pong)
			done := make(chan error, 1)
			go func() {
				_, err := x.Write([][][]byte{text("last")})
				done <- err
			}()
			for i := range n {
				if msg, err := y.Read(); err != nil || len(msg) != 2 || string(msg[1]) != fmt.Sprint(i) {
					t.Fatalf("message %d of %d: %v", i, n, err)
				}
			}
			if msg, err := y.Read(); err != nil || string(msg[0]) != "last" {
				t.Errorf("%q %v", msg, err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// A stream that is full to the brim takes not a byte, and yet the message was sealed: its number must not be missing.
func TestMessageOfWhichNotAByteFittedIsStillSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		x, y := sealedPair(t, a, b, 1<<20)
		full := 0 // of bytes that are not sealed, read away below
		for filler, n := make([]byte, 1<<20), 1; n > 0; full += n {
			n, _ = a.(tryWriter).TryWrite(filler)
		}
		if taken, rest := x.TryWrite(text("sealed")); !taken || !rest {
			t.Fatal(taken, rest)
		}
		go x.Flush()
		if _, err := io.CopyN(io.Discard, b, int64(full)); err != nil {
			t.Fatal(err)
		}
		if msg, err := y.Read(); err != nil || string(msg[0]) != "sealed" {
			t.Errorf("%q %v", msg, err)
		}
	})
}

func TestSealedPingIsAnsweredBySealedPong(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			x, y := sealedPair(t, a, b, 1000)
			read := make(chan error, 2)
			for _, c := range []*Conn{x, y} {
				go func() { _, err := c.Read(); read <- err }()
			}
			soon(t, "Ping", func() {
				for range 3 {
					if err := x.Ping(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
			x.Close()
			<-read
			<-read
		})
	}
}

func TestSizeLimitsAreThoseOfWhatIsSealed(t *testing.T) {
	for _, h := range []struct {
		name   string
		msg    [][]byte
		refuse string
	}{
		{"largest", [][]byte{make([]byte, 1000)}, ""},
		{"largest of two frames", [][]byte{make([]byte, 400), make([]byte, 600)}, ""},
		{"largest and empty frames", [][]byte{{}, make([]byte, 1000), {}}, ""},
		{"one byte too many", [][]byte{make([]byte, 1001)}, "frame of 1010 bytes"},
		{"one byte too many in all", [][]byte{make([]byte, 400), make([]byte, 601)}, "after 400 bytes"},
		{"most frames", make([][]byte, maxFrames), ""},
		{"too many frames", make([][]byte, maxFrames+1), "more than 65536 frames"},
	} {
		t.Run(h.name, func(t *testing.T) {
			a, b := tcpPair(t)
			x, y := sealedPair(t, a, b, 1000)
			go x.Write([][][]byte{h.msg})
			msg, err := y.Read()
			switch {
			case h.refuse == "" && (err != nil || len(msg) != len(h.msg)):
				t.Errorf("%d frames, %v", len(msg), err)
			case h.refuse != "" && (!errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), h.refuse)):
				t.Errorf("%v; want %s", err, h.refuse)
			}
		})
	}
}

func TestWhatIsNotSealedEndsASealedConnection(t *testing.T) {
	seal := func(outer byte, more, command bool, body string) []byte {
		return appendFrame(nil, outer, (&counted{}).Seal(nil, more, command, []byte(body)))
	}
	for _, h := range []struct {
		name, reason string
		bytes        []byte
	}{
		{"plain message", "out of order", appendFrame(nil, 0, []byte("hello"))},
		{"plain command", "out of order", appendCommand(nil, "PING", []byte{0, 0})},
		{"plain ERROR", "out of order", appendCommand(nil, "ERROR", []byte("\x02no"))},
		{"MORE outside", "MORE flag on a sealed frame", seal(flagMore, false, false, "x")},
		{"command with MORE", "command with the MORE flag", seal(0, true, true, "\x04PING\x00\x00")},
		{"empty command", "empty command", seal(0, false, true, "")},
		{"repeated", "out of order", append(seal(0, true, false, "x"), seal(0, false, false, "x")...)},
	} {
		t.Run(h.name, func(t *testing.T) {
			a, b := memnet.Pipe()
			defer b.Close()
			c := sealing(newConn(a, Peer{}, 1000))
			defer c.Close()
			b.Write(h.bytes)
			if msg, err := c.Read(); msg != nil || !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), h.reason) {
				t.Errorf("%q, %v; want %s", msg, err, h.reason)
			}
		})
	}
	for _, outer := range []byte{0, flagCommand} { // RFC 26 has sealed messages as commands, libzmq does not
		a, b := memnet.Pipe()
		c := sealing(newConn(a, Peer{}, 1000))
		b.Write(seal(outer, false, false, "x"))
		if msg, err := c.Read(); err != nil || len(msg) != 1 || string(msg[0]) != "x" {
			t.Errorf("outer flags %d: %q, %v", outer, msg, err)
		}
		c.Close()
		b.Close()
	}
}

func TestSealedWriteCountsWholeMessagesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c := sealing(newConn(a, Peer{}, 1000))
		batch := [][][]byte{text("a"), {[]byte("b"), make([]byte, 40<<10)}, {make([]byte, 40<<10)}, text("c")}
		done := make(chan int)
		go func() {
			n, _ := c.Write(batch)
			done <- n
		}()
		synctest.Wait()
		b.Close()
		if n := <-done; n != 2 {
			t.Errorf("%d", n)
		}
	})
	msg := [][]byte{make([]byte, 246), make([]byte, 247), {}}
	var p []byte
	for i, body := range msg {
		p = appendSealed(p, &counted{}, flags(i < 2, false), body)
	}
	if wireSize(msg, 9) != len(p) {
		t.Errorf("%d, not %d", wireSize(msg, 9), len(p))
	}
	batch := [][][]byte{msg, msg}
	for n, want := range map[int]int{len(p) - 1: 0, len(p): 1, 2*len(p) - 1: 1, 2 * len(p): 2} {
		if got := whole(batch, 9, n); got != want {
			t.Errorf("%d bytes: %d messages, not %d", n, got, want)
		}
	}
}
