package zmtp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
)

// beating is a Config with a heartbeat of a second and a timeout of three.
func beating(t zmq4.SocketType) *Config {
	cfg := quiet(t)
	cfg.Heartbeat, cfg.HeartbeatTimeout = time.Second, 3*time.Second
	return cfg
}

// beatingPair returns both ends of a connection over a network on which it can be stalled, a with a heartbeat.
func beatingPair(t *testing.T, ca, cb *Config) (a, b *Conn, stall func()) {
	t.Helper()
	n := memnet.New()
	l, err := n.Listen(t.Context(), "tcp", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	na, err := n.Dial(t.Context(), "tcp", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	nb, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	oa, ob := open2(na, nb, ca, cb)
	if oa.err != nil || ob.err != nil {
		t.Fatal(oa.err, ob.err)
	}
	t.Cleanup(func() { oa.c.Close(); ob.c.Close() })
	return oa.c, ob.c, func() { n.Stall("a:1") }
}

func silent(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "silent") || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ended with %v", err)
	}
}

// C27
func TestIdleConnectionWithHeartbeatsLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := beating(zmq4.Dealer)
		ca.HeartbeatTTL = 2 * time.Second
		a, b, _ := beatingPair(t, ca, beating(zmq4.Router))
		read := []chan struct{}{drained(a, ignore), drained(b, func([][]byte) { t.Error("a message") })}
		time.Sleep(time.Hour)
		if a.Err() != nil || b.Err() != nil {
			t.Error(a.Err(), b.Err())
		}
		a.Close()
		<-read[0]
		<-read[1]
		if a.beat.timer.Stop() || b.beat.timer.Stop() {
			t.Error("a timer goes on")
		}
	})
}

// C20
func TestPeerThatIsGoneWithoutAWordIsFound(t *testing.T) {
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 999 * time.Millisecond, 10500 * time.Millisecond, time.Minute} {
		for _, blocked := range []bool{false, true} {
			t.Run(fmt.Sprintf("after %v, writer blocked: %v", after, blocked), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b, stall := beatingPair(t, beating(zmq4.Dealer), quiet(zmq4.Router))
					read := []chan struct{}{drained(a, ignore), drained(b, ignore)}
					time.Sleep(after)
					synctest.Wait()
					stall()
					stalled := time.Now()
					wrote := make(chan error, 1)
					if blocked {
						go func() {
							_, err := a.Write([][][]byte{{make([]byte, 1<<20)}})
							wrote <- err
						}()
					}
					<-read[0]
					if d := time.Since(stalled); d > 4*time.Second || d < 3*time.Second {
						t.Errorf("found after %v", d)
					}
					silent(t, a.Err())
					if blocked {
						silent(t, <-wrote)
					}
					b.Close()
					<-read[1]
				})
			})
		}
	}
}

func TestPeerThatWasToldATTLFindsUsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca := beating(zmq4.Dealer)
		ca.HeartbeatTTL = 1901 * time.Millisecond
		a, b, stall := beatingPair(t, ca, quiet(zmq4.Router))
		read := []chan struct{}{drained(a, ignore), drained(b, ignore)}
		time.Sleep(time.Minute)
		synctest.Wait()
		stall()
		stalled := time.Now()
		<-read[1]
		if d := time.Since(stalled); d != 2*time.Second {
			t.Errorf("found after %v", d)
		}
		silent(t, b.Err())
		<-read[0]
	})
}

func TestWhateverComesIsASignOfLife(t *testing.T) {
	for name, p := range map[string][]byte{
		"messages":         appendMessage(nil, text("x")),
		"unknown commands": appendCommand(nil, "WHATEVER", nil),
		"bytes of a frame": {0},
		"bytes of a large": make([]byte, 1000),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := memnet.Pipe()
				c, peer := raw(t, a, b, 1<<20)
				c.startHeartbeat(beating(zmq4.Dealer).withDefaults())
				go io.Copy(io.Discard, peer)
				read := drained(c, ignore)
				switch name {
				case "bytes of a frame":
					peer.Write([]byte{0, 255})
				case "bytes of a large":
					peer.Write(claim(0, 1<<20))
				}
				for range 100 {
					time.Sleep(2900 * time.Millisecond)
					if c.Err() != nil {
						t.Fatal(c.Err())
					}
					peer.Write(p)
				}
				last := time.Now()
				<-read
				if d := time.Since(last); d > 4*time.Second {
					t.Error(d)
				}
				silent(t, c.Err())
			})
		})
	}
}

// The peer's PONGs are there; it is us who do not read them.
func TestPeerIsNotGoneWhenItIsUsWhoDoNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, stall := beatingPair(t, beating(zmq4.Dealer), quiet(zmq4.Router))
		other := drained(b, ignore)
		b.Write([][][]byte{text("1"), text("2"), text("3"), text("4")})
		for range 4 {
			time.Sleep(time.Minute) // in the end nothing is read
			if _, err := a.Read(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		read := drained(a, ignore)
		synctest.Wait()
		if a.Err() != nil {
			t.Error(a.Err())
		}
		stall()
		stalled := time.Now()
		<-read
		if d := time.Since(stalled); d > 4*time.Second {
			t.Errorf("found after %v", d)
		}
		silent(t, a.Err())
		b.Close()
		<-other
	})
}

// Who was gone itself has no right to judge at once.
func TestTimerThatComesLateIsNoReasonToEndAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		c, peer := raw(t, a, b, 1000)
		c.startHeartbeat(beating(zmq4.Dealer).withDefaults())
		read := drained(c, ignore)
		takePing(t, peer)
		time.Sleep(2500 * time.Millisecond) // two more PINGs
		synctest.Wait()
		c.beat.timer.Reset(time.Hour) // as if all of the process had stood still
		time.Sleep(time.Hour)
		synctest.Wait()
		if c.Err() != nil {
			t.Fatal(c.Err())
		}
		woken := time.Now()
		<-read
		if d := time.Since(woken); d != 3*time.Second {
			t.Error(d)
		}
		silent(t, c.Err())
	})
}

func TestWhoNeedsNoHeartbeatHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, cfg := range map[string]*Config{"off": quiet(zmq4.Dealer), "old": beating(zmq4.Dealer), "near": beating(zmq4.Dealer)} {
			a, b := memnet.Pipe()
			c, peer := raw(t, a, b, 1000)
			switch name {
			case "old":
				c.peer.Minor = 0
			case "near":
				memnet.Attach(peer, "x")
			}
			c.startHeartbeat(cfg.withDefaults())
			read := drained(c, ignore)
			time.Sleep(time.Hour)
			if c.Err() != nil {
				t.Error(name, c.Err())
			}
			c.Close()
			if p, err := io.ReadAll(peer); len(p) > 0 || err != nil {
				t.Errorf("%s: %q %v", name, p, err)
			}
			<-read
		}
	})
}

// C20: the link comes back by itself.
func TestDialerMakesANewConnectionWhenThePeerWasGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		cfg := func(typ zmq4.SocketType) *Config {
			cfg := beating(typ)
			cfg.Network, cfg.Handshake = n, 2*time.Second
			return cfg
		}
		ends := make(chan error, 10)
		serve := func(c *Conn) {
			<-drained(c, ignore)
			ends <- c.Err()
		}
		l, err := Listen(t.Context(), cfg(zmq4.Router), "tcp", "a:1", serve)
		if err != nil {
			t.Fatal(err)
		}
		connected := make(chan time.Time, 10)
		d := Dial(cfg(zmq4.Dealer), "tcp", "a:1", func(c *Conn) {
			connected <- time.Now()
			serve(c)
		})
		<-connected
		time.Sleep(time.Minute)
		n.Stall("a:1")
		stalled := time.Now()
		silent(t, <-ends) // at both ends
		silent(t, <-ends)
		if d := time.Since(stalled); d > 4*time.Second {
			t.Errorf("found after %v", d)
		}
		time.Sleep(time.Minute)
		n.Resume("a:1")
		resumed := time.Now()
		if at := <-connected; at.Before(resumed) || at.Sub(resumed) > defaultBackoffMax+2*time.Second {
			t.Error("connected after", at.Sub(resumed))
		}
		d.Close()
		l.Close()
	})
}

func TestHeartbeatsThatCanNotBeHonouredAreRefused(t *testing.T) {
	const s = time.Second
	for _, h := range []struct {
		interval, timeout, ttl time.Duration
		why                    string
	}{
		{s, 0, 0, ""},
		{s, s / 2, s, ""},
		{s, 10 * s, 65535 * s / 10, ""},
		{-s, 0, 0, "negative"},
		{s, -s, 0, "negative"},
		{s, 0, -s, "negative"},
		{0, s, 0, "need a Heartbeat"},
		{0, 0, s, "need a Heartbeat"},
		{time.Microsecond, 0, 0, "at least 1ms"},
		{s, time.Microsecond, 0, "at least 1ms"},
		{s, s, 65536 * s / 10, "at most 1h49m13.5s"},
		{s, s, s - 1, "less than Heartbeat"},
	} {
		cfg := quiet(zmq4.Dealer)
		cfg.Heartbeat, cfg.HeartbeatTimeout, cfg.HeartbeatTTL = h.interval, h.timeout, h.ttl
		err := cfg.check()
		if (err == nil) != (h.why == "") || err != nil && !strings.Contains(err.Error(), h.why) {
			t.Errorf("%+v: %v", h, err)
		}
	}
}
