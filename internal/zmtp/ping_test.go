package zmtp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
)

// drained reads c until it ends.
func drained(c *Conn, each func(msg [][]byte)) chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			msg, err := c.Read()
			if err != nil {
				return
			}
			each(msg)
		}
	}()
	return done
}

func ignore([][]byte) {}

// takePing reads the next command from a bare stream, which is to be a PING, and returns its context.
func takePing(t testing.TB, peer net.Conn) []byte {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(peer, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, head[1])
	if _, err := io.ReadFull(peer, body); err != nil {
		t.Fatal(err)
	}
	if head[0] != flagCommand || !bytes.HasPrefix(body, []byte("\x04PING")) || len(body) < 7 {
		t.Fatalf("%x %q is no PING", head, body)
	}
	return body[7:]
}

func TestPingComesAfterAllThatWasSentBefore(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			a, b := stream(t)
			d, r := connect(t, a, b)
			o := NewOutbox(0, 0, nil)
			served := serving(o, d)
			var got [8]atomic.Int64 // of each sender
			read := []chan struct{}{drained(d, ignore), drained(r, func(msg [][]byte) {
				got[msg[0][0]].Store(int64(binary.BigEndian.Uint32(msg[0][1:])))
			})}
			soon(t, "Ping", func() {
				if err := o.Ping(t.Context(), d); err != nil { // from now on it is known that o serves
					t.Error(err)
				}
				var wg sync.WaitGroup
				for s := range got {
					wg.Go(func() {
						for i, n := 0, 0; i < 200; i++ {
							for range 1 + i%17*s { // from alone and written through to much and queued
								n++
								o.Send(nil, [][]byte{binary.BigEndian.AppendUint32([]byte{byte(s)}, uint32(n)), make([]byte, 100*s)})
							}
							var err error
							if s%2 == 0 {
								err = o.Ping(t.Context(), d)
							} else {
								err = d.Ping(t.Context())
							}
							if is := got[s].Load(); err != nil || is < int64(n) {
								t.Errorf("%v after message %d, the peer is at %d", err, n, is)
								return
							}
						}
					})
				}
				wg.Wait()
			})
			d.Close()
			<-served
			<-read[0]
			<-read[1]
		})
	}
}

func TestPingIsNotKeptWaitingByWhoNeverStopsSending(t *testing.T) {
	a, b := tcpPair(t)
	d, r := connect(t, a, b)
	var o *Outbox
	fill := func() {
		for o.Send(nil, [][]byte{make([]byte, 2000)}) {
		}
	}
	o = NewOutbox(100, 0, fill) // whenever there is room
	fill()
	served := serving(o, d)
	read := []chan struct{}{drained(d, ignore), drained(r, ignore)}
	soon(t, "Ping", func() {
		for range 20 {
			if err := o.Ping(t.Context(), d); err != nil {
				t.Error(err)
			}
		}
	})
	o.Close()
	d.Close()
	<-served
	<-read[0]
	<-read[1]
}

func TestPingBeforeTheOutboxServesComesAfterWhatItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		d, r := connect(t, a, b)
		var got atomic.Int64
		read := []chan struct{}{drained(d, ignore), drained(r, func([][]byte) { got.Add(1) })}
		o := NewOutbox(0, 0, nil)
		for range 5000 {
			o.Send(nil, text("x"))
		}
		ponged := make(chan error)
		go func() { ponged <- o.Ping(t.Context(), d) }()
		synctest.Wait()
		select {
		case err := <-ponged:
			t.Fatal("before anything was written:", err)
		default:
		}
		served := serving(o, d)
		if err := <-ponged; err != nil || got.Load() != 5000 {
			t.Error(err, got.Load())
		}
		d.Close()
		<-served
		<-read[0]
		<-read[1]
	})
}

func TestPingEndsWithItsContextAndWithTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, _ := raw(t, a, b, 1000)
		read := drained(c, ignore)
		why := errors.New("why")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		if err := c.Ping(ctx); err != why {
			t.Error(err)
		}
		if n := len(c.pings.waiters); n != 0 {
			t.Errorf("%d wait", n)
		}
		ended := make(chan error)
		go func() { ended <- c.Ping(t.Context()) }()
		synctest.Wait()
		c.Close()
		if err := <-ended; err != ErrClosed {
			t.Error(err)
		}
		if err := c.Ping(t.Context()); err != ErrClosed {
			t.Error(err)
		}
		<-read
	})
}

func TestPeerOfZMTP30GetsNoPing(t *testing.T) {
	a, b := memnet.Pipe()
	c := newConn(a, Peer{Type: zmq4.Dealer}, 1000)
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	c.Close()
	if p, err := io.ReadAll(b); len(p) > 0 || err != nil {
		t.Errorf("%q %v", p, err)
	}
}

// However many ask, one PING is out, with a context that was not there before, and only the PONG with that one counts.
func TestManyPingsShareOneAndForeignPongsAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, peer := raw(t, a, b, 1000)
		read := drained(c, ignore)
		var answered atomic.Int64
		var all sync.WaitGroup
		ask := func(n int) {
			for range n {
				all.Go(func() {
					if err := c.Ping(t.Context()); err != nil {
						t.Error(err)
					}
					answered.Add(1)
				})
			}
			synctest.Wait()
		}
		ask(1)
		first := takePing(t, peer)
		ask(500)
		for _, context := range []string{"", "x", "12345678", "0123456789abcdef", string(make([]byte, 8)), string(make([]byte, 900))} {
			peer.Write(appendCommand(nil, "PONG", []byte(context)))
		}
		synctest.Wait()
		if n := answered.Load(); n != 0 {
			t.Errorf("%d took a foreign PONG for theirs", n)
		}
		pong := appendCommand(nil, "PONG", first)
		peer.Write(append(pong, pong...))
		second := takePing(t, peer)
		synctest.Wait()
		if n := answered.Load(); n != 1 || bytes.Equal(first, second) {
			t.Errorf("%d are answered; contexts %x, %x", n, first, second)
		}
		peer.Write(appendCommand(nil, "PONG", second))
		all.Wait()
		c.Close()
		if p, err := io.ReadAll(peer); len(p) > 0 || err != nil {
			t.Errorf("one PING too many: %q %v", p, err)
		}
		<-read
	})
}

func TestPingToAPeerThatDoesNotReadStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, peer := raw(t, a, b, 1000)
		var got []string
		read := drained(c, func(msg [][]byte) { got = append(got, string(msg[0])) })
		go c.Write([][][]byte{{make([]byte, 100<<10)}}) // fills the pipe
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var asking sync.WaitGroup
		for range 10 {
			asking.Go(func() {
				if err := c.Ping(ctx); err != context.DeadlineExceeded {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		for i := range 3 {
			peer.Write(appendMessage(nil, text(strconv.Itoa(i))))
		}
		asking.Wait()
		c.Close()
		<-read
		if len(got) != 3 {
			t.Errorf("%q came", got)
		}
	})
}

// A peer that is busy writing answers the last PING only: libzmq does, and so do we.
func TestHeartbeatDoesNotTakeThePlaceOfAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, peer := raw(t, a, b, 1000)
		c.startHeartbeat(&Config{Heartbeat: time.Second, HeartbeatTimeout: time.Minute})
		read := drained(c, ignore)
		ponged := make(chan error)
		go func() { ponged <- c.Ping(t.Context()) }()
		first, second := takePing(t, peer), takePing(t, peer)
		if len(first) == 0 || !bytes.Equal(first, second) {
			t.Errorf("%x, then %x", first, second)
		}
		peer.Write(appendCommand(nil, "PONG", second))
		if err := <-ponged; err != nil {
			t.Error(err)
		}
		if third := takePing(t, peer); len(third) != 0 {
			t.Errorf("%x, though nobody waits", third)
		}
		c.Close()
		<-read
	})
}
