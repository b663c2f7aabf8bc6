package zmtp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// fill writes to c without waiting until there is no more room. It returns how many messages were taken, and whether
// the last of them is half written.
func fill(t testing.TB, c *Conn, msg [][]byte) (n int, half bool) {
	t.Helper()
	for {
		taken, rest := c.TryWrite(msg)
		if taken {
			n++
		}
		if rest || !taken {
			return n, rest
		}
	}
}

func TestTryWriteTakesWhatFitsAndTheRestGoesFirst(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := connect(t, a, b)
			long := [][]byte{bytes.Repeat([]byte("long"), 2500)}
			n, half := fill(t, d, long)
			if !half {
				t.Log("the last message fitted exactly")
			}
			if taken, rest := d.TryWrite(text("no room")); taken && half || rest {
				t.Fatal("taken with a rest before it")
			}
			go func() {
				d.Flush()
				d.Write([][][]byte{text("last")})
			}()
			for i := range n {
				if msg, err := r.Read(); err != nil || !bytes.Equal(msg[0], long[0]) {
					t.Fatalf("message %d of %d: %v", i, n, err)
				}
			}
			if msg, err := r.Read(); err != nil || string(msg[0]) != "last" {
				t.Errorf("%q %v", msg, err)
			}
		})
	}
}

func TestTryWriteNeverWaitsBehindAWriter(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, _ := connect(t, a, b)
			done := make(chan struct{})
			go func() {
				defer close(done)
				if n, err := d.Write([][][]byte{text("a"), {make([]byte, 16<<20)}, text("b")}); n > 1 || err != ErrClosed {
					t.Error(n, err)
				}
			}()
			for { // until the writer is stuck, or at least at it
				if taken, _ := d.TryWrite(text("x")); !taken {
					break
				}
			}
			soon(t, "TryWrite", func() { d.TryWrite(text("x")) })
			d.Close()
			soon(t, "a Write under way at Close", func() { <-done })
			if taken, rest := d.TryWrite(text("x")); taken || rest {
				t.Error("taken after Close")
			}
			if _, err := d.Write([][][]byte{text("x")}); err != ErrClosed {
				t.Error(err)
			}
		})
	}
}

func TestWriteCountsWholeMessagesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c := newConn(a, Peer{}, 1000)
		batch := [][][]byte{text("a"), {[]byte("b"), make([]byte, 40<<10)}, {make([]byte, 40<<10)}, text("c")}
		done := make(chan int)
		go func() {
			n, _ := c.Write(batch)
			done <- n
		}()
		synctest.Wait()
		b.Close()
		if n := <-done; n != 2 {
			t.Errorf("%d, not 2", n)
		}
		if err := c.Err(); err == nil || err == ErrClosed {
			t.Error(err)
		}
	})
}

// A TCP connection closed with input unread is reset, and the peer loses what it has not read.
func TestCloseWriteLosesNothingAlthoughInputIsUnread(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := connect(t, a, b)
			if _, err := r.Write([][][]byte{text("never read"), {make([]byte, 30<<10)}}); err != nil {
				t.Fatal(err)
			}
			n, _ := fill(t, d, [][]byte{make([]byte, 1000)})
			closed := make(chan struct{})
			go func() { defer close(closed); d.CloseWrite() }()
			for i := range n {
				if _, err := r.Read(); err != nil {
					t.Fatalf("message %d of %d: %v", i, n, err)
				}
			}
			if _, err := r.Read(); err != io.EOF {
				t.Error(err)
			}
			<-closed
			if d.Err() != ErrClosed {
				t.Error(d.Err())
			}
		})
	}
}

func TestCloseWriteWaitsASecondAtMostAndReadsWaitForIt(t *testing.T) {
	for _, stalled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := memnet.Pipe()
			c, _ := raw(t, a, b, 1000)
			if stalled {
				go c.Write([][][]byte{{make([]byte, 100<<10)}})
				synctest.Wait()
			}
			read := make(chan error, 2)
			go func() { _, err := c.Read(); read <- err }()
			synctest.Wait()
			before := time.Now()
			c.CloseWrite()
			if d := time.Since(before); d != time.Second {
				t.Errorf("took %v", d)
			}
			if err := <-read; err != ErrClosed {
				t.Error(err)
			}
		})
	}
}

func TestStreamWithoutHalfCloseIsJustClosed(t *testing.T) {
	a, b := memnet.Pipe()
	c := newConn(struct{ net.Conn }{a}, Peer{}, 1000)
	c.CloseWrite()
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	b.Close()
}
