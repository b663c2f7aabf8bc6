package zmtp

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// interrupted reads until a message is there, being interrupted again and again, and returns it.
func interrupted(t *testing.T, c *Conn) [][]byte {
	t.Helper()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Microsecond):
				c.Interrupt()
			}
		}
	}()
	for {
		batches, err := c.ReadBatches(nil, 1)
		if err == ErrInterrupted {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return batches[0].Next(new(Lists), 0)
	}
}

// Wherever a read is interrupted, the next one goes on there.
func TestAnInterruptedReadLosesNothing(t *testing.T) {
	large := bytes.Repeat([]byte("x"), 3*bigBody)
	for name, stream := range streams {
		for kind, msg := range map[string][][]byte{
			"small": text("small"), "large": {large}, "frames": {[]byte("a"), large, nil, large[:1000]}, "many": make([][]byte, 100),
		} {
			t.Run(kind+" over "+name, func(t *testing.T) {
				a, b := stream(t)
				c, peer := raw(t, a, b, 1<<20)
				go func() {
					p := appendMessage(nil, msg)
					for n := 1 + len(p)/50; len(p) > 0; p = p[min(n, len(p)):] {
						peer.Write(p[:min(n, len(p))])
						time.Sleep(200 * time.Microsecond) // pacing: the reader is to wait in between
					}
				}()
				if got := interrupted(t, c); !same(got, msg) {
					t.Error("another message came")
				}
			})
		}
	}
}

func TestAnInterruptEndsTheReadThatIsWaitingOrTheNext(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			c, peer := raw(t, a, b, 1000)
			c.Interrupt()
			c.Interrupt() // once is as good
			if _, err := c.ReadBatches(nil, 1); err != ErrInterrupted {
				t.Fatal(err)
			}
			done := make(chan error)
			go func() {
				_, err := c.ReadBatches(nil, 1)
				done <- err
			}()
			c.Interrupt() // before the read or during it
			if err := <-done; err != ErrInterrupted {
				t.Fatal(err)
			}
			peer.Write(appendMessage(nil, text("x")))
			if msg, err := c.Read(); err != nil || string(msg[0]) != "x" {
				t.Fatal(msg, err)
			}
			peer.Close()
			c.Interrupt()
			_, err := c.ReadBatches(nil, 1)
			if err == ErrInterrupted {
				_, err = c.ReadBatches(nil, 1)
			}
			if err != io.EOF {
				t.Error(err)
			}
		})
	}
}

// The peer has promised to send something every second.
func TestAnInterruptLeavesThePeersPromiseInForce(t *testing.T) {
	a, b := tcpPair(t)
	c, peer := raw(t, a, b, 1000)
	peer.Write(appendCommand(nil, "PING", []byte{0, 1})) // a tenth of one
	peer.Write(appendMessage(nil, text("x")))
	if _, err := c.Read(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.Interrupt()
		if _, err := c.ReadBatches(nil, 1); err != ErrInterrupted {
			t.Fatal(err)
		}
	}
	soon(t, "silence", func() {
		if _, err := c.Read(); err == nil || err == ErrInterrupted || c.Err() == nil {
			t.Error(err)
		}
	})
}
