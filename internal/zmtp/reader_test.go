package zmtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
)

// raw returns a Conn after its handshake and the bare other end of its stream.
func raw(t testing.TB, a, b net.Conn, max int64) (c *Conn, peer net.Conn) {
	t.Helper()
	c = newConn(a, Peer{Type: zmq4.Dealer, Minor: 1}, max)
	t.Cleanup(func() { c.Close(); b.Close() })
	return c, b
}

func TestMessagesOfAllSizesArriveWhole(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := connect(t, a, b)
			var sent [][][]byte
			for i, size := range []int{0, 1, 255, 256, bigFrame - 1, bigFrame, bigBody, bigBody + 1, intakeSize, firstClaim + 1, 1 << 20} {
				sent = append(sent, [][]byte{bytes.Repeat([]byte{byte(i)}, size)}, [][]byte{{}, {1}, bytes.Repeat([]byte{byte(i)}, size), {2}})
			}
			for i := range 5000 {
				sent = append(sent, text(fmt.Sprint("message ", i)))
			}
			sent = append(sent, make([][]byte, 3*listSize))
			done := make(chan error, 1)
			go func() {
				n, err := d.Write(sent)
				if n != len(sent) {
					err = fmt.Errorf("%d of %d: %w", n, len(sent), err)
				}
				done <- err
			}()
			var got [][][]byte
			for range sent {
				msg, err := r.Read()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, msg)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			for i := range sent { // after all was read: nothing was written over
				if len(got[i]) != len(sent[i]) || !bytes.Equal(bytes.Join(got[i], []byte("|")), bytes.Join(sent[i], []byte("|"))) {
					t.Fatalf("message %d differs", i)
				}
				for _, f := range got[i] {
					if cap(f) != len(f) && len(f) <= bigBody {
						t.Fatalf("message %d: an append would write over what follows", i)
					}
				}
			}
		})
	}
}

func TestWhatNobodyMaySendEndsTheConnectionAtOnce(t *testing.T) {
	for _, h := range []struct {
		name, reason string
		bytes        []byte
	}{
		{"2^62 frame", "frame of 4611686018427387904 bytes", claim(0, 1<<62)},
		{"2^63 frame", "frame of 9223372036854775808 bytes", claim(0, 1<<63)},
		{"2^33 frame", "frame of 8589934592 bytes", claim(0, 1<<33)},
		{"2^33 command", "frame of 8589934592 bytes", claim(flagCommand, 1<<33)},
		{"one byte too many", "frame of 1001 bytes", claim(0, 1001)},
		{"one byte too many in all", "frame of 501 bytes after 500 bytes", append(appendFrame(nil, flagMore, make([]byte, 500)), claim(flagMore, 501)...)},
		{"too many frames", "more than 65536 frames", bytes.Repeat([]byte{flagMore, 0}, maxFrames+1)},
		{"reserved flags", "reserved", []byte{0x10}},
		{"command with more", "MORE", []byte{flagCommand | flagMore, 1}},
		{"empty command", "empty command", []byte{flagCommand, 0}},
		{"command without a name", "name of 0 bytes", []byte{flagCommand, 1, 0}},
		{"command name too long", "name of 9 bytes", []byte{flagCommand, 2, 9, 'X'}},
		{"short PING", "PING of 1 bytes", appendCommand(nil, "PING", []byte{0})},
		{"long PING", "PING of 19 bytes", appendCommand(nil, "PING", make([]byte, 19))},
	} {
		for name, stream := range streams {
			t.Run(h.name+" over "+name, func(t *testing.T) {
				a, b := stream(t)
				c, peer := raw(t, a, b, 1000)
				go peer.Write(h.bytes)
				msg, err := c.Read()
				if msg != nil || !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), h.reason) {
					t.Errorf("%q, %v; want %s", msg, err, h.reason)
				}
				if c.Err() != err {
					t.Errorf("ended with %v", c.Err())
				}
			})
		}
	}
}

func TestLargestMessageIsTaken(t *testing.T) {
	a, b := tcpPair(t)
	c, peer := raw(t, a, b, 1000)
	go peer.Write(appendMessage(nil, [][]byte{make([]byte, 400), make([]byte, 600)}))
	if msg, err := c.Read(); len(msg) != 2 || err != nil {
		t.Error(len(msg), err)
	}
}

// C08: a claim within the limit reserves next to nothing before data comes.
func TestClaimWithoutDataReservesLittle(t *testing.T) {
	a, b := tcpPair(t)
	c, peer := raw(t, a, b, defaultMaxMessage)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	peer.Write(append(claim(0, 60<<20), make([]byte, 100)...))
	peer.Close()
	_, err := c.Read()
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes reserved", n)
	}
}

func TestEndBetweenMessagesIsEOFAndEndInsideOneIsNot(t *testing.T) {
	whole := appendMessage(nil, [][]byte{[]byte("a"), make([]byte, 300), make([]byte, bigBody+1)})
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			for _, cut := range []int{0, 1, 2, 3, 4, 8, 12, 100, 320, len(whole) - 1, len(whole)} {
				a, b := stream(t)
				c, peer := raw(t, a, b, defaultMaxMessage)
				peer.Write(whole[:cut])
				peer.Close()
				_, err := c.Read()
				if cut == len(whole) && err == nil {
					_, err = c.Read()
				}
				if clean := cut == 0 || cut == len(whole); clean != (err == io.EOF) || !clean && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("after %d bytes: %v", cut, err)
				}
			}
		})
	}
}

// C27. libzmq sends a PING between two frames of a message if it is due then.
func TestPingIsAnsweredWithItsContextAlsoInsideAMessage(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			c, peer := raw(t, a, b, 1000)
			p := appendFrame(nil, flagMore, []byte("a"))
			p = appendCommand(p, "PING", []byte("\x00\x00context"))
			p = appendCommand(p, "SUBSCRIBE", []byte("x"))
			p = appendCommand(p, "WHATEVER", nil)
			p = appendFrame(p, 0, []byte("b"))
			peer.Write(p)
			msg, err := c.Read()
			if err != nil || len(msg) != 2 || string(msg[0])+string(msg[1]) != "ab" {
				t.Fatalf("%q %v", msg, err)
			}
			want := appendCommand(nil, "PONG", []byte("context"))
			got := make([]byte, len(want))
			if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}

// A peer that asks and does not read gets one answer to many questions, and does not stop the reader.
func TestFloodOfPingsWaitsForNobodyAndQueuesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, peer := raw(t, a, b, 1000)
		go c.Write([][][]byte{{make([]byte, 1000), make([]byte, 100<<10)}}) // fills the pipe
		synctest.Wait()
		ping := appendCommand(nil, "PING", []byte{0, 0, 'x'})
		go func() {
			for range 10000 {
				peer.Write(ping)
			}
			peer.Write(appendMessage(nil, text("after")))
		}()
		if msg, err := c.Read(); err != nil || string(msg[0]) != "after" {
			t.Fatal(msg, err)
		}
		c2 := newConn(peer, Peer{}, 1<<20)
		if _, err := c2.Read(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.Close()
		if _, err := c2.Read(); err != io.EOF {
			t.Fatal(err) // PONGs are skipped
		}
		if n := len(c.writer.rest); n > 100 {
			t.Errorf("%d bytes waited", n)
		}
	})
}

func TestSilenceBeyondThePingsTTLEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, peer := raw(t, a, b, 1000)
		before := time.Now()
		peer.Write(appendCommand(nil, "PING", []byte{0, 20}))
		go func() {
			time.Sleep(1500 * time.Millisecond)
			peer.Write(appendMessage(nil, text("x"))) // is a sign of life too
		}()
		if _, err := c.Read(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(); err == nil || !strings.Contains(err.Error(), "silent for longer than its PING promised, 2s") {
			t.Error(err)
		}
		if d := time.Since(before); d != 3500*time.Millisecond {
			t.Error(d)
		}
	})
}

func TestErrorFromThePeerEndsTheConnectionWithItsReason(t *testing.T) {
	a, b := memnet.Pipe()
	c, peer := raw(t, a, b, 1000)
	peer.Write(appendCommand(nil, "ERROR", []byte("\x08go away!")))
	if _, err := c.Read(); !errors.Is(err, ErrRejected) || !strings.Contains(err.Error(), `"go away!"`) {
		t.Error(err)
	}
}

func TestCloseEndsARead(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			c, _ := raw(t, a, b, 1000)
			go c.Close()
			if _, err := c.Read(); err != ErrClosed {
				t.Error(err)
			}
			if _, err := c.Read(); err != ErrClosed {
				t.Error(err)
			}
		})
	}
}

func TestIdleConnectionHoldsNoBuffer(t *testing.T) {
	a, b := tcpPair(t)
	c, peer := raw(t, a, b, 1000)
	peer.Write(appendMessage(nil, text("x")))
	if _, err := c.Read(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	attempt := c.reader.attempt
	c.reader.attempt = func(fd uintptr) bool {
		ok := attempt(fd)
		if !ok {
			if c.reader.in != nil {
				t.Error("a buffer is held")
			}
			close(done)
			c.reader.attempt = attempt
		}
		return ok
	}
	go c.Read()
	<-done
	c.Close()
}

// script is a stream that the reader finds p in, a few bytes at a time.
type script struct {
	net.Conn
	p    []byte
	step int
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.p) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.step)], s.p)
	s.p = s.p[n:]
	return n, nil
}

func (*script) Write(p []byte) (int, error)     { return len(p), nil }
func (*script) TryWrite(p []byte) (int, error)  { return len(p), nil }
func (*script) SetReadDeadline(time.Time) error { return nil }
func (*script) Close() error                    { return nil }

// FuzzFrames reads any bytes as what follows a handshake: it must end in an error, and the messages must be
// within the limits and the same however the bytes are cut into packets.
func FuzzFrames(f *testing.F) {
	f.Add(appendMessage(nil, [][]byte{{}, []byte("Hello"), make([]byte, 300)}))
	f.Add(appendCommand(appendFrame(nil, flagMore, nil), "PING", []byte{0, 1, 2}))
	f.Add(appendCommand(nil, "ERROR", []byte("\x02no")))
	f.Add(claim(0, 1<<62))
	f.Add(claim(flagMore, 60<<20))
	f.Add(append(claim(0, bigBody+1), make([]byte, bigBody+2)...))
	f.Add([]byte{flagCommand, 0})
	f.Add([]byte{flagCommand, 2, 9, 'X'})
	f.Fuzz(func(t *testing.T, p []byte) {
		const limit = 1 << 20
		var first [][][]byte
		for i, step := range []int{1 << 30, 1, 7} {
			c := newConn(&script{p: p, step: step}, Peer{}, limit)
			var all [][][]byte
			var err error
			for {
				var msg [][]byte
				if msg, err = c.Read(); err != nil {
					break
				}
				all = append(all, msg)
			}
			if i == 0 {
				first = all
				for _, msg := range all {
					total := 0
					for _, body := range msg {
						total += len(body)
					}
					if len(msg) == 0 || len(msg) > maxFrames || total > limit {
						t.Fatalf("message of %d frames, %d bytes", len(msg), total)
					}
				}
				continue
			}
			if fmt.Sprintf("%x", all) != fmt.Sprintf("%x", first) {
				t.Fatalf("%x in steps of %d, %x at once", all, step, first)
			}
		}
	})
}

// Whoever has not received all of its messages keeps a connection, which may be one of many that are gone.
func TestConnectionThatHasEndedKeepsNoBuffer(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := connect(t, a, b)
			half := append(appendHeader(nil, 0, 1<<20), make([]byte, 20<<10)...)
			if _, err := a.Write(append(appendMessage(nil, [][]byte{[]byte("message")}), half...)); err != nil {
				t.Fatal(err)
			}
			d.Close()
			var err error
			for err == nil {
				_, err = r.Read()
			}
			if r.reader.in != nil || r.reader.kept != nil || r.reader.under.body != nil {
				t.Errorf("after %v it keeps %d bytes of %d, and %d of a message", err,
					len(r.reader.unread()), cap(r.reader.unread()), cap(r.reader.under.body))
			}
		})
	}
}
