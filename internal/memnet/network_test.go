package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// connect binds address, dials it and returns both ends.
func connect(t *testing.T, n *Network, network, address string) (client, server net.Conn) {
	t.Helper()
	l, err := n.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = n.Dial(t.Context(), network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, client, server) })
	return client, server
}

func TestDialRefusesWhereNobodyListens(t *testing.T) {
	n := New()
	for _, network := range []string{"tcp", "unix"} {
		if _, err := n.Dial(t.Context(), network, "a:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(network, err)
		}
	}
	if _, err := n.Dial(t.Context(), "udp", "a:1"); err == nil {
		t.Error("udp was dialled")
	}
}

func TestAnAddressIsBoundOnceUntilClosed(t *testing.T) {
	n := New()
	for range 2 {
		l, err := n.Listen(t.Context(), "tcp", "a:1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Listen(t.Context(), "tcp", "a:1"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
		l.Close()
	}
}

func TestPortZeroGivesAFreePortAndWildcardIsFoundUnderAnyHost(t *testing.T) {
	n := New()
	var ports []string
	for range 3 {
		l, err := n.Listen(t.Context(), "tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		for _, host := range []string{"localhost", "127.0.0.1", "box"} {
			c, err := n.Dial(t.Context(), "tcp", net.JoinHostPort(host, port))
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		if slices.Contains(ports, port) {
			t.Fatal("port given twice: ", port)
		}
		ports = append(ports, port)
	}
}

func TestInprocDialWaitsForTheBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		start := time.Now()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				c, err := n.Dial(t.Context(), "inproc", "x")
				if err != nil {
					t.Error(err)
					return
				}
				if d := time.Since(start); d != 10*time.Second {
					t.Error(d)
				}
				c.Close()
			})
		}
		time.Sleep(10 * time.Second)
		l, err := n.Listen(t.Context(), "inproc", "x")
		if err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		l.Close()
	})
}

func TestInprocDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Dial(ctx, "inproc", "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if len(n.waiting) != 0 {
			t.Fatal("the wait is still noted")
		}
	})
}

func TestClosedListenerEndsAcceptAndWhatWasNotAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		l, _ := n.Listen(t.Context(), "unix", "/s")
		c, err := n.Dial(t.Context(), "unix", "/s")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Fatal(err)
		}
		c.Close()
		if len(n.conns) != 0 {
			t.Fatal("the connection is still noted")
		}
	})
}

func TestCutResetsBothEndsAndLeavesTheListener(t *testing.T) {
	n := New()
	client, server := connect(t, n, "tcp", "a:1")
	client.Write([]byte("lost"))
	n.Cut("a:1")
	for _, c := range []net.Conn{client, server} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	}
	connect(t, n, "tcp", "a:1")
}

func TestStallHoldsBytesAndCloseUntilResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		client, server := connect(t, n, "tcp", "a:1")
		n.Stall("a:1")
		client.Write([]byte("late"))
		client.Close()
		time.AfterFunc(time.Minute, func() { n.Resume("a:1") })
		start := time.Now()
		got, err := io.ReadAll(server)
		if string(got) != "late" || err != nil || time.Since(start) != time.Minute {
			t.Fatalf("%q %v after %v", got, err, time.Since(start))
		}
	})
}

func TestStallHoldsConnectionsToComeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New()
		n.Stall("localhost:1")
		client, server := connect(t, n, "tcp", "127.0.0.1:1")
		client.Write([]byte("x"))
		server.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := server.Read(make([]byte, 1)); err == nil {
			t.Fatal("a byte came through")
		}
	})
}

func TestDelayedBytesKeepTheirOrderAndRepeatWithTheSeed(t *testing.T) {
	arrivals := func(t *testing.T, seed uint64) (at []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			n := New()
			n.Delay(seed, time.Second)
			client, server := connect(t, n, "tcp", "a:1")
			start := time.Now()
			for i := range 50 {
				client.Write([]byte{byte(i)})
			}
			client.Close()
			buf := make([]byte, 1)
			for i := range 50 {
				if _, err := server.Read(buf); err != nil || buf[0] != byte(i) {
					t.Fatal(i, buf, err)
				}
				at = append(at, time.Since(start))
			}
			if _, err := server.Read(buf); err != io.EOF {
				t.Fatal(err)
			}
		})
		return at
	}
	a, b, c := arrivals(t, 1), arrivals(t, 1), arrivals(t, 2)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Fatal(a, b, c)
	}
	if last := a[len(a)-1]; last == 0 || last >= time.Second {
		t.Fatal(last)
	}
}

func TestOnlyInprocConnectionsTakeAttachments(t *testing.T) {
	for network, want := range map[string]bool{"inproc": true, "tcp": false} {
		client, server := connect(t, New(), network, "a:1")
		if Attach(server, 1) != want || (Attached(client) != nil) != want {
			t.Error(network)
		}
	}
}
