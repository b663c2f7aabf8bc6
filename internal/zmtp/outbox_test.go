package zmtp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// serving serves o with c until it ends. The result is there when it has.
func serving(o *Outbox, c *Conn) chan error {
	done := make(chan error, 1)
	go func() { done <- o.Serve(c) }()
	return done
}

func TestOneSendersMessagesNeverOvertakeEachOther(t *testing.T) {
	const senders, each = 4, 20000
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := connect(t, a, b)
			room := make(chan struct{}, 1)
			o := NewOutbox(500, 0, func() {
				select {
				case room <- struct{}{}:
				default:
				}
			})
			served := serving(o, d)
			var wg sync.WaitGroup
			for s := range senders {
				wg.Go(func() {
					for i := range each {
						msg := [][]byte{binary.BigEndian.AppendUint64(nil, uint64(s)<<32|uint64(i))}
						for !o.Send(nil, msg) {
							<-room
							select { // for the others
							case room <- struct{}{}:
							default:
							}
							runtime.Gosched()
						}
						if i%100 == 0 {
							time.Sleep(10 * time.Microsecond) // an idle outbox writes through
						}
					}
				})
			}
			var next [senders]int
			for range senders * each {
				msg, err := r.Read()
				if err != nil {
					t.Fatal(err)
				}
				v := binary.BigEndian.Uint64(msg[0])
				if s, i := v>>32, int(uint32(v)); next[s] != i {
					t.Fatalf("sender %d: %d came for %d", s, i, next[s])
				} else {
					next[s]++
				}
			}
			wg.Wait()
			if err := o.Wait(t.Context()); err != nil || o.Len() != 0 {
				t.Error(err, o.Len())
			}
			if unsent := o.Close(); unsent != 0 {
				t.Error(unsent)
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatAConnectionDidNotTakeGoesOverTheNext(t *testing.T) {
	const n = 100
	synctest.Test(t, func(t *testing.T) {
		o := NewOutbox(0, 0, nil)
		for i := range n {
			o.Send(nil, [][]byte{[]byte(fmt.Sprint(i)), make([]byte, 5000)})
		}
		a, b := memnet.Pipe()
		c1, peer := raw(t, a, b, 1<<20)
		served := serving(o, c1)
		synctest.Wait() // the pipe is full
		peer.Close()
		if err := <-served; err == nil {
			t.Error("no error")
		}
		left := o.Len()
		if left < n-64<<10/5000-1 || left >= n {
			t.Fatalf("%d left", left)
		}
		a, b = memnet.Pipe()
		c2, r := newConn(a, Peer{}, 1<<20), newConn(b, Peer{}, 1<<20)
		served = serving(o, c2)
		for i := n - left; i < n; i++ {
			if msg, err := r.Read(); err != nil || string(msg[0]) != fmt.Sprint(i) {
				t.Fatalf("%s for %d: %v", msg[0], i, err)
			}
		}
		if err := o.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		c2.Close()
		r.Close()
		if err := <-served; err != ErrClosed {
			t.Error(err)
		}
	})
}

// The buffers that go to and fro between queue and writer are never used for two things at once.
func TestMessagesSentDuringAWriteFollowIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, r := newConn(a, Peer{}, 1<<20), newConn(b, Peer{}, 1<<20)
		o := NewOutbox(0, 0, nil)
		served := serving(o, c)
		for round := range 5 {
			o.Send(nil, [][]byte{{0}, make([]byte, 100<<10)})
			synctest.Wait() // the pipe is full
			for i := range round {
				o.Send(nil, [][]byte{{byte(i + 1)}})
			}
			for i := range round + 1 {
				if msg, err := r.Read(); err != nil || msg[0][0] != byte(i) {
					t.Fatalf("round %d: %v for %d, %v", round, msg[0], i, err)
				}
			}
			synctest.Wait() // the writer finds nothing
		}
		o.Close()
		<-served
		c.Close()
		r.Close()
	})
}

// A message that a sender wrote half of belongs to no connection but the one it was begun on: another gets it whole.
func TestHalfWrittenMessageIsFinishedOrWrittenAnew(t *testing.T) {
	for _, anew := range []bool{false, true} {
		t.Run(fmt.Sprint(anew), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memnet.Pipe()
				c, r := newConn(a, Peer{}, 1<<20), newConn(b, Peer{}, 1<<20)
				o := NewOutbox(10, 0, nil)
				served := serving(o, c)
				synctest.Wait()
				n := 0
				for o.Len() == 0 {
					time.Sleep(time.Second) // not busy: the sender itself writes
					o.Send(nil, [][]byte{[]byte(fmt.Sprint(n)), make([]byte, 5000)})
					n++
				}
				o.Send(nil, text("last"))
				first := 0
				if anew {
					c.Close()
					<-served
					r.Close()
					first = n - 1
					a, b = memnet.Pipe()
					c, r = newConn(a, Peer{}, 1<<20), newConn(b, Peer{}, 1<<20)
					served = serving(o, c)
				}
				for i := first; i < n; i++ {
					if msg, err := r.Read(); err != nil || string(msg[0]) != fmt.Sprint(i) || len(msg[1]) != 5000 {
						t.Fatal(i, err)
					}
				}
				if msg, err := r.Read(); err != nil || string(msg[0]) != "last" {
					t.Error(err)
				}
				synctest.Wait()
				if o.Len() != 0 {
					t.Error(o.Len())
				}
				o.Close()
				<-served
				c.Close()
				r.Close()
			})
		})
	}
}

// Of many messages that a sender wrote in one go, those that went over as a whole are not written to the next connection.
func TestWhatASenderWroteIsNotWrittenAgain(t *testing.T) {
	for _, size := range []int{10, 900, 20000} {
		synctest.Test(t, func(t *testing.T) {
			a, b := memnet.Pipe()
			c, r := newConn(a, Peer{}, 1<<20), newConn(b, Peer{}, 1<<20)
			o := NewOutbox(1000, 0, nil)
			served := serving(o, c)
			synctest.Wait()
			n := 0
			for o.HasRoom() { // until the pipe is full, too
				for o.Send(nil, [][]byte{binary.BigEndian.AppendUint32(nil, uint32(n)), make([]byte, size)}) {
					n++
				}
				synctest.Wait()
			}
			c.Close()
			<-served
			r.Close()
			sent, _ := o.Sent()
			if sent == 0 || int(sent) == n {
				t.Errorf("%d of %d sent", sent, n) // the pipe takes some, not all
			}
			a, b = memnet.Pipe()
			c, r = newConn(a, Peer{}, 1<<20), newConn(b, Peer{}, 1<<20)
			served = serving(o, c)
			for i := int(sent); i < n; i++ {
				msg, err := r.Read()
				if err != nil || int(binary.BigEndian.Uint32(msg[0])) != i {
					t.Fatal(i, msg[0], err)
				}
			}
			o.Close()
			<-served
			c.Close()
			r.Close()
		})
	}
}

// cutOff is a connection over which one Write goes in part, and then nothing.
type cutOff struct {
	net.Conn
	tryWriter
	after int
}

func (c *cutOff) Write(p []byte) (int, error) {
	n, _ := c.Conn.Write(p[:min(len(p), c.after)])
	c.Conn.Close()
	return n, net.ErrClosed
}

// Nor are those that went over as a whole when Serve finished what a sender began, and was cut off.
func TestWhatWasWrittenOfASendersRestIsNotWrittenAgain(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		for after := 0; after < 4000; after += 333 {
			synctest.Test(t, func(t *testing.T) {
				a, b := memnet.Pipe()
				c, r := newConn(&cutOff{a, a.(tryWriter), after}, Peer{}, 1<<20), newConn(b, Peer{}, 1<<20)
				if sealed {
					sealing(c)
					sealing(r)
				}
				o := NewOutbox(20, 0, nil)
				o.serve(c)
				for n := uint32(0); c.writer.owed < 2000; n++ { // until a sender has written a few of ten, as the size happens to be
					if !o.Send(nil, [][]byte{binary.BigEndian.AppendUint32(nil, n), make([]byte, 310)}) {
						t.Fatal("nothing is left", n)
					}
					if c.writer.owed > 0 && c.writer.owed < 2000 {
						t.Fatal("little is left")
					}
				}
				before, _ := o.Sent()
				ended := make(chan error, 1)
				go func() { ended <- o.Serve(c) }()
				next := 0
				for msg, err := r.Read(); err == nil; msg, err = r.Read() {
					if int(binary.BigEndian.Uint32(msg[0])) != next {
						t.Fatalf("%d came for %d", msg[0], next)
					}
					next++
				}
				<-ended
				if sent, _ := o.Sent(); int(sent) != next || after > 1000 && sent == before {
					t.Errorf("%d counted as sent, %d read", sent, next)
				}
				o.Close()
				r.Close()
			})
		}
	}
}

// C22
func TestStalledPeerBlocksNeitherSendNorClose(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, _ := connect(t, a, b)
			o := NewOutbox(50, 0, nil)
			served := serving(o, d)
			n := 0
			soon(t, "Send to a stalled peer", func() {
				for {
					if !o.Send(nil, [][]byte{binary.BigEndian.AppendUint32(nil, uint32(n)), make([]byte, 1<<20)}) {
						break // full, and the writer is stuck: or it takes more
					}
					n++
				}
			})
			unsent := 0
			soon(t, "Close with a stalled peer", func() { unsent = o.Close() })
			if sent, _ := o.Sent(); unsent > 50 || unsent == 0 || int(sent)+unsent != n {
				t.Errorf("%d sent and %d unsent of %d", sent, unsent, n)
			}
			soon(t, "Serve after Close", func() { <-served })
			if o.Send(nil, text("x")) {
				t.Error("sent after Close")
			}
			if o.Len() != 0 {
				t.Error(o.Len())
			}
		})
	}
}

func TestFullOutboxRefusesAndTellsWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rooms := 0
		o := NewOutbox(2, 0, func() { rooms++ })
		if !o.Send(nil, text("1")) || !o.Send(nil, text("2")) || o.Send(nil, text("3")) {
			t.Fatal("limit")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		a, b := memnet.Pipe()
		c, _ := raw(t, a, b, 1000)
		served := serving(o, c)
		if err := o.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if rooms != 1 || o.Len() != 0 {
			t.Error(rooms, o.Len())
		}
		c.Close()
		<-served
		o.Send(nil, text("4"))
		waited := make(chan error)
		go func() { waited <- o.Wait(context.Background()) }()
		synctest.Wait()
		if unsent := o.Close(); unsent != 1 {
			t.Error(unsent)
		}
		if err := <-waited; err != ErrClosed {
			t.Error(err)
		}
	})
}

// Close finds a Send writing, and before it can go on Serve has begun to write what that Send left.
func TestCloseEndsAWriteThatBeganWhileItWaitedForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		defer b.Close()
		c := newConn(a, Peer{}, 1<<20)
		o := NewOutbox(0, 0, nil)
		o.Send(nil, [][]byte{make([]byte, 100<<10)}) // nobody reads it
		o.serve(c)
		o.take()
		o.writing = true
		unsent := make(chan int, 1)
		go func() { unsent <- o.Close() }()
		synctest.Wait()
		o.mu.Lock()
		o.settle()
		o.writing, o.blocked = true, true // as first does
		left := o.hand[0]
		o.mu.Unlock()
		if err := o.write(c, left); err != ErrClosed {
			t.Error(err)
		}
		if n := <-unsent; n != 1 {
			t.Errorf("%d messages were not sent", n)
		}
	})
}
