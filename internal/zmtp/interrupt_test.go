package zmtp

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
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

// Whoever looks for messages often, and never for long, finds a peer that is gone all the same.
func TestInterruptIsNoSignOfLife(t *testing.T) {
	promised := beating(zmq4.Router)
	promised.HeartbeatTTL = 3 * time.Second
	for name, cfg := range map[string][2]*Config{
		"heartbeat": {beating(zmq4.Dealer), quiet(zmq4.Router)},
		"promise":   {quiet(zmq4.Dealer), promised},
	} {
		for _, often := range []time.Duration{11 * time.Millisecond, 701 * time.Millisecond, 1901 * time.Millisecond} {
			t.Run(fmt.Sprint(name, often), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b, stall := beatingPair(t, cfg[0], cfg[1])
					read := drained(b, ignore)
					ended := make(chan error)
					go func() {
						for {
							stop := time.AfterFunc(often, a.Interrupt)
							_, err := a.ReadBatches(nil, 1)
							stop.Stop()
							if err != nil && err != ErrInterrupted {
								ended <- err
								return
							}
						}
					}()
					time.Sleep(time.Minute)
					synctest.Wait()
					if a.Err() != nil {
						t.Fatal("a peer that is there:", a.Err())
					}
					stall()
					stalled := time.Now()
					silent(t, <-ended)
					if d := time.Since(stalled); d > 6*time.Second {
						t.Errorf("found after %v", d)
					}
					b.Close()
					<-read
				})
			})
		}
	}
}

// CloseWrite takes its second, but not from somebody who does not want to wait for it.
func TestInterruptEndsAReadDuringAGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, _ := raw(t, a, b, 1000)
		began := time.Now()
		closed := make(chan struct{})
		go func() { defer close(closed); c.CloseWrite() }()
		synctest.Wait()
		for range 3 {
			time.AfterFunc(100*time.Millisecond, c.Interrupt)
			if _, err := c.ReadBatches(nil, 1); err != ErrInterrupted {
				t.Error(err)
			}
		}
		if d := time.Since(began); d != 300*time.Millisecond {
			t.Errorf("interrupted after %v", d)
		}
		if _, err := c.ReadBatches(nil, 1); err != ErrClosed {
			t.Error(err)
		}
		<-closed
		if d := time.Since(began); d != goodbye {
			t.Errorf("closed after %v", d)
		}
	})
}
