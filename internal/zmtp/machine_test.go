//go:build linux

package zmtp

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// option is what the system says about a connection.
func option(t *testing.T, c any, level, name int) (value int) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { value, failed = syscall.GetsockoptInt(int(fd), level, name) })
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return value
}

// bothEnds returns a dialled connection and the accepted one.
func bothEnds(t *testing.T, m Machine, network, address string) map[string]net.Conn {
	t.Helper()
	l, err := m.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d, err := m.Dial(t.Context(), network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(); a.Close() })
	return map[string]net.Conn{"dialled": d, "accepted": a}
}

// C20
func TestKeepAliveIsOnUnlessItIsTurnedOff(t *testing.T) {
	for _, h := range []struct {
		name     string
		set      net.KeepAliveConfig
		on, idle int
	}{
		{"default", net.KeepAliveConfig{}, 1, 15},
		{"own", net.KeepAliveConfig{Enable: true, Idle: 77 * time.Second, Interval: 5 * time.Second, Count: 3}, 1, 77},
		{"off", net.KeepAliveConfig{Idle: -1}, 0, 0},
	} {
		for end, c := range bothEnds(t, Machine{KeepAlive: h.set}, "tcp", "127.0.0.1:0") {
			if on := option(t, c, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE); on != h.on {
				t.Errorf("%s, %s: on is %d", h.name, end, on)
			}
			if idle := option(t, c, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE); h.on == 1 && idle != h.idle {
				t.Errorf("%s, %s: idle is %d", h.name, end, idle)
			}
		}
	}
}

func TestBuffersHaveTheSizesAskedFor(t *testing.T) {
	const send, recv = 40 << 10, 50 << 10 // Linux doubles them for what it keeps besides
	m := Machine{SendBuffer: send, RecvBuffer: recv}
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		for end, c := range bothEnds(t, m, network, address) {
			if n := option(t, c, syscall.SOL_SOCKET, syscall.SO_SNDBUF); n != 2*send {
				t.Errorf("%s, %s: SO_SNDBUF is %d", network, end, n)
			}
			if n := option(t, c, syscall.SOL_SOCKET, syscall.SO_RCVBUF); n != 2*recv {
				t.Errorf("%s, %s: SO_RCVBUF is %d", network, end, n)
			}
			if rawOf(c) == nil {
				t.Errorf("%s, %s: the file descriptor is out of reach", network, end)
			}
		}
	}
}

func TestBacklogBoundsWhoWaitsToBeAccepted(t *testing.T) {
	for _, backlog := range []int{0, 3} { // a Unix socket refuses at once when it is full
		m := Machine{Backlog: backlog}
		path := filepath.Join(t.TempDir(), "s")
		l, err := m.Listen(t.Context(), "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		n := 0
		for ; n < 50; n++ {
			c, err := m.Dial(t.Context(), "unix", path)
			if err != nil {
				break
			}
			defer c.Close()
		}
		if backlog == 0 && n < 50 || backlog > 0 && n > backlog+1 {
			t.Errorf("%d wait with a backlog of %d", n, backlog)
		}
	}
	for end, c := range bothEnds(t, Machine{Backlog: 3}, "tcp", "127.0.0.1:0") {
		if _, ok := c.(*net.TCPConn); !ok {
			t.Errorf("%s is a %T", end, c)
		}
	}
}

func TestSocketFileHasItsModeAndNeverMore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for _, mode := range []fs.FileMode{0o600, 0o666, 0o777, 0o660} {
		l, err := Machine{FileMode: mode}.Listen(t.Context(), "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if file, err := os.Lstat(path); err != nil || file.Mode().Perm() != mode {
			t.Errorf("%v has %v, %v", mode, file.Mode(), err)
		}
		l.Close()
	}
	stop, looked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(looked)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if file, err := os.Lstat(path); err == nil && file.Mode().Perm()&0o077 != 0 {
				t.Errorf("for a moment it has %v", file.Mode())
				return
			}
		}
	}()
	for range 300 {
		l, err := Machine{FileMode: 0o600}.Listen(t.Context(), "unix", path)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	close(stop)
	<-looked
}

func TestNetworkOptionsThatCanNotBeHonouredAreRefused(t *testing.T) {
	for why, m := range map[string]Machine{
		"negative":    {Backlog: -1},
		"can't be ne": {SendBuffer: -1},
		"RecvBuffer":  {RecvBuffer: -1},
		"1 GiB":       {SendBuffer: 1<<30 + 1},
		"Enable":      {KeepAlive: net.KeepAliveConfig{Idle: time.Second}},
		"permissions": {FileMode: fs.ModeSetuid | 0o600},
	} {
		if err := m.Check(); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%+v: %v", m, err)
		}
		if l, err := m.Listen(t.Context(), "tcp", "127.0.0.1:0"); err == nil {
			l.Close()
			t.Errorf("%+v listens", m)
		}
		if c, err := m.Dial(t.Context(), "tcp", "127.0.0.1:1"); err == nil || errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%+v dials: %v %v", m, c, err)
		}
	}
}
