package zmtp

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
)

// config is a Config for tests: a DEALER on n that logs to b.
func config(n Network, b *logbook) *Config {
	return &Config{Type: zmq4.Dealer, Network: n, Log: b.logger()}
}

// idle serves a connection by reading until it ends.
func idle(c *Conn) {
	for {
		if _, err := c.Read(); err != nil {
			return
		}
	}
}

func listen(t *testing.T, cfg *Config, network, address string, serve func(*Conn)) *Listener {
	t.Helper()
	l, err := Listen(t.Context(), cfg, network, address, serve)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// shake dials and shakes hands.
func shake(t *testing.T, cfg *Config, network, address string) *Conn {
	t.Helper()
	nc, err := cfg.withDefaults().Network.Dial(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), nc, cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dialed returns a stream on which nothing was said yet.
func dialed(t *testing.T, n Network, network, address string) net.Conn {
	t.Helper()
	nc, err := n.Dial(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// poor is a network whose listeners can't accept while fail is positive, which each attempt decreases.
type poor struct {
	*memnet.Network
	fail  atomic.Int32
	tries atomic.Int32
	err   error
}

type poorListener struct {
	net.Listener
	net *poor
}

func (p *poor) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l, err := p.Network.Listen(ctx, network, address)
	return poorListener{l, p}, err
}

func (l poorListener) Accept() (net.Conn, error) {
	l.net.tries.Add(1)
	if l.net.fail.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", l.net.err)}
	}
	return l.Listener.Accept()
}

// C15: accepting pauses, the log says so once, and it goes on when there are descriptors again.
func TestListenerSurvivesRunningOutOfFileDescriptors(t *testing.T) {
	for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED} {
		synctest.Test(t, func(t *testing.T) {
			var book logbook
			n := &poor{Network: memnet.New(), err: errno}
			n.fail.Store(20)
			cfg := config(n, &book)
			cfg.Handshake = time.Minute
			start := time.Now()
			l := listen(t, cfg, "tcp", "a:1", idle)
			c := shake(t, cfg, "tcp", "a:1") // connected, and waits to be accepted
			// 10+20+...+640 ms are 7 attempts, then 13 more of a second each
			if d := time.Since(start); d != 1270*time.Millisecond+13*time.Second {
				t.Error(d)
			}
			if got := book.with("WARN", "cannot accept", errno.Error()); len(got) != 2 { // ten seconds apart
				t.Error(book.with())
			}
			c.Close()
			l.Close()
		})
	}
}

func TestCloseInterruptsAListenerThatCannotAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := &poor{Network: memnet.New(), err: syscall.EMFILE}
		n.fail.Store(1 << 30)
		l := listen(t, config(n, &book), "tcp", "a:1", idle)
		time.Sleep(time.Minute)
		if tries := n.tries.Load(); tries > 70 {
			t.Error(tries, "attempts in a minute")
		}
		start := time.Now()
		l.Close()
		if d := time.Since(start); d != 0 {
			t.Error(d)
		}
	})
}

func TestSilentConnectionsDelayNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := memnet.New()
		cfg := config(n, &book)
		l := listen(t, cfg, "tcp", "a:1", idle)
		for range 50 {
			dialed(t, n, "tcp", "a:1")
		}
		start := time.Now()
		c := shake(t, cfg, "tcp", "a:1")
		if d := time.Since(start); d != 0 {
			t.Errorf("handshake took %v", d)
		}
		time.Sleep(defaultHandshake + time.Second)
		synctest.Wait()
		l.mu.Lock()
		if n := l.pending.Len(); n != 0 {
			t.Error(n, "handshakes still under way")
		}
		l.mu.Unlock()
		if c.Err() != nil {
			t.Error(c.Err())
		}
		c.Close()
		l.Close()
	})
}

func TestOldestHandshakeMakesWayWhenThereAreTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := memnet.New()
		cfg := config(n, &book)
		l := listen(t, cfg, "tcp", "a:1", idle)
		first := dialed(t, n, "tcp", "a:1")
		synctest.Wait()
		for range maxPending {
			dialed(t, n, "tcp", "a:1")
		}
		synctest.Wait()
		l.mu.Lock()
		if n := l.pending.Len(); n != maxPending || len(book.with("WARN")) > 0 { // it is given its time
			t.Error(n, "handshakes under way", book.with())
		}
		l.mu.Unlock()
		time.Sleep(crowdedAfter)
		synctest.Wait()
		if _, err := io.Copy(io.Discard, first); err != nil { // our greeting, then the end
			t.Error(err)
		}
		if got := book.with("WARN", errCrowded.Error()); len(got) != 1 {
			t.Error(book.with())
		}
		shake(t, cfg, "tcp", "a:1").Close()
		l.Close()
	})
}

func TestListenerCloseEndsHandshakesAndConnectionsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := memnet.New()
		cfg := config(n, &book)
		var served sync.WaitGroup
		ended := false
		served.Add(1)
		l := listen(t, cfg, "tcp", "a:1", func(c *Conn) {
			served.Done()
			idle(c)
			time.Sleep(time.Second) // serve takes its time
			ended = true
		})
		c := shake(t, cfg, "tcp", "a:1")
		silent := dialed(t, n, "tcp", "a:1")
		served.Wait()
		synctest.Wait()
		l.Close()
		if !ended {
			t.Error("serve is still running")
		}
		if _, err := c.Read(); err == nil {
			t.Error("connection lives")
		}
		c.Close()
		if _, err := io.Copy(io.Discard, silent); err != nil {
			t.Error(err)
		}
		if _, err := n.Dial(t.Context(), "tcp", "a:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error(err)
		}
		if got := book.with("WARN"); len(got) != 0 { // it was our doing
			t.Error(got)
		}
		l.Close() // once more is fine
	})
}

func TestStrangersAreRefusedWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := memnet.New()
		cfg := config(n, &book)
		l := listen(t, cfg, "tcp", "a:1", idle)
		nc := dialed(t, n, "tcp", "a:1")
		nc.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		io.Copy(io.Discard, nc)
		dialed(t, n, "tcp", "a:1").Close()
		synctest.Wait()
		if got := book.with("WARN", "refused", "HTTP", "remote="+nc.LocalAddr().String()); len(got) != 1 {
			t.Error(book.with())
		}
		if got := book.with("DEBUG", "closed without a byte"); len(got) != 1 || len(book.with()) != 2 {
			t.Error(book.with())
		}
		shake(t, cfg, "tcp", "a:1").Close()
		l.Close()
	})
}

func TestPeerThatBreaksTheProtocolLaterIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		n := memnet.New()
		cfg := config(n, &book)
		l := listen(t, cfg, "tcp", "a:1", idle)
		c := shake(t, cfg, "tcp", "a:1")
		c.nc.Write([]byte{0xf8, 0, 0})
		idle(c)
		c.Close()
		l.Close()
		if got := book.with("WARN", "connection ended", "remote="); len(got) != 1 || len(book.with()) != 1 {
			t.Error(book.with())
		}
	})
}

func TestPeerThatLeavesAMessageUnfinishedOrIsSilentIsLogged(t *testing.T) {
	for sent, reason := range map[string]string{
		"\x00\x09half":             "inside a message",
		"\x04\x07\x04PING\x00\x14": "silent for longer",
	} {
		synctest.Test(t, func(t *testing.T) {
			var book logbook
			n := memnet.New()
			cfg := config(n, &book)
			l := listen(t, cfg, "tcp", "a:1", idle)
			shake(t, cfg, "tcp", "a:1").Close() // between two messages, which is no news
			c := shake(t, cfg, "tcp", "a:1")
			c.nc.Write([]byte(sent))
			time.Sleep(3 * time.Second)
			c.Close()
			synctest.Wait()
			if got := book.with("WARN", "connection ended", reason); len(got) != 1 || len(book.with()) != 1 {
				t.Error(book.with())
			}
			l.Close()
		})
	}
}

// descriptors counts this process's open file descriptors, 0 where that can't be known.
func descriptors() int {
	fds, _ := os.ReadDir("/proc/self/fd")
	return len(fds)
}

func TestManyConnectionsLeaveNoDescriptorAndNoGoroutine(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		var book logbook
		cfg := config(nil, &book)
		before := descriptors()
		var served sync.WaitGroup
		l := listen(t, cfg, network, address, func(c *Conn) {
			defer served.Done()
			idle(c)
		})
		address := l.Addr().String()
		for i := range 1000 {
			if i%4 == 0 {
				served.Add(1)
				shake(t, cfg, network, address).Close()
				continue
			}
			nc, err := machine.Dial(t.Context(), network, address)
			if err != nil {
				t.Fatal(err)
			}
			nc.Close()
		}
		served.Wait()
		l.Close() // waits for all goroutines; that none is left is checked when all tests are done
		if after := descriptors(); after > before {
			t.Errorf("%s: %d descriptors before, %d after", network, before, after)
		}
		if got := book.with("WARN"); len(got) != 0 {
			t.Errorf("%s: %q", network, got)
		}
	}
}

func TestListenRefusesABadConfig(t *testing.T) {
	if _, err := Listen(t.Context(), &Config{Type: "NONSENSE"}, "inproc", t.Name(), idle); err == nil {
		t.Fatal("accepted")
	}
}
