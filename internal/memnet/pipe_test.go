package memnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func closing(t *testing.T, cs ...net.Conn) {
	t.Helper()
	for _, c := range cs {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestBothSidesCanWriteFirst(t *testing.T) {
	a, b := Pipe()
	defer closing(t, a, b)
	for _, c := range []net.Conn{a, b} {
		if n, err := c.Write([]byte("greeting")); n != 8 || err != nil {
			t.Fatal(n, err)
		}
	}
	for _, c := range []net.Conn{a, b} {
		buf := make([]byte, 8)
		if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "greeting" {
			t.Fatalf("%q %v", buf, err)
		}
	}
}

func TestMoreThanTheBufferArrivesWholeAndInOrder(t *testing.T) {
	a, b := Pipe()
	defer closing(t, a, b)
	want := make([]byte, 10*window+7)
	for i := range want {
		want[i] = byte(i * i >> 3)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for p := want; len(p) > 0; p = p[min(len(p), 1001):] {
			if _, err := a.Write(p[:min(len(p), 1001)]); err != nil {
				t.Error(err)
			}
		}
		a.(interface{ CloseWrite() error }).CloseWrite()
	})
	got, err := io.ReadAll(b)
	wg.Wait()
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

func TestWritesOfTwoGoroutinesDoNotMix(t *testing.T) {
	a, b := Pipe()
	defer closing(t, a, b)
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() { a.Write(bytes.Repeat([]byte{byte(i)}, 3*window)) })
	}
	got := make([]byte, 6*window)
	if _, err := io.ReadFull(b, got); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if n := len(bytes.TrimLeft(got, string(got[:1]))); n != 3*window {
		t.Fatalf("first run is %d bytes long", 6*window-n)
	}
}

func TestFullBufferHoldsTheWriterUntilItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		defer closing(t, a, b)
		start := time.Now()
		a.SetWriteDeadline(start.Add(3 * time.Second))
		n, err := a.Write(make([]byte, window+1))
		if n != window || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(n, err)
		}
		if ne, ok := err.(net.Error); !ok || !ne.Timeout() {
			t.Fatalf("%v is no timeout", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Fatal(d)
		}
	})
}

func TestReadDeadlineCanBeMovedWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		defer closing(t, a, b)
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Second))
		time.AfterFunc(time.Second/2, func() { a.SetReadDeadline(start.Add(5 * time.Second)) })
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Fatal(d)
		}
		a.SetReadDeadline(time.Time{})
		b.Write([]byte("x"))
		if _, err := a.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestHalfCloseLetsThePeerReadAllAndAnswer(t *testing.T) {
	a, b := Pipe()
	defer closing(t, a, b)
	a.Write([]byte("last words"))
	a.(interface{ CloseWrite() error }).CloseWrite()
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(b); string(got) != "last words" || err != nil {
		t.Fatalf("%q %v", got, err)
	}
	b.Write([]byte("answer"))
	b.Close()
	if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
		t.Fatalf("%q %v", got, err)
	}
}

func TestCloseEndsReadsAndWritesOfBothEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := a.Write(make([]byte, 2*window)); !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
		synctest.Wait()
		a.Close()
		wg.Wait()
		if n, err := io.Copy(io.Discard, b); n != window || err != nil {
			t.Error(n, err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Error(err)
		}
		if err := a.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		b.Close()
	})
}

func TestTryWriteTakesWhatThereIsRoomFor(t *testing.T) {
	a, b := Pipe()
	defer closing(t, a, b)
	w := a.(interface{ TryWrite([]byte) (int, error) })
	for _, want := range []int{window - 10, 10, 0} {
		if n, err := w.TryWrite(make([]byte, window-10)); n != want || err != nil {
			t.Fatal(n, err)
		}
	}
	b.Close()
	if _, err := w.TryWrite(make([]byte, 1)); !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
}

func TestAttachmentIsFoundByTheOtherEndOnly(t *testing.T) {
	a, b := Pipe()
	defer closing(t, a, b)
	if Attached(b) != nil {
		t.Fatal("attached before Attach")
	}
	if !Attach(a, 7) || Attached(b) != 7 || Attached(a) != nil {
		t.Fatal(Attached(a), Attached(b))
	}
	c, d := net.Pipe()
	defer closing(t, c, d)
	if Attach(c, 7) || Attached(d) != nil {
		t.Fatal("attached to a foreign stream")
	}
}
