package zmtp

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

var machine Network = Machine{}

// die leaves at path what a killed process would: a socket on which nobody listens.
func die(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
}

// answers checks that what listens at the address is l.
func answers(t *testing.T, l net.Listener, network, address string) {
	t.Helper()
	c, err := machine.Dial(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for {
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		n, _ := s.Read(make([]byte, 1))
		s.Close()
		if n == 1 { // else it was a probe
			return
		}
	}
}

func listenAt(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := machine.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestEveryTransportListensAndDials(t *testing.T) {
	for network, address := range map[string]string{
		"tcp":    "127.0.0.1:0",
		"unix":   filepath.Join(t.TempDir(), "s"),
		"inproc": t.Name(),
	} {
		l := listenAt(t, network, address)
		answers(t, l, network, l.Addr().String())
	}
	if _, err := machine.Listen(t.Context(), "udp", "127.0.0.1:0"); err == nil {
		t.Error("listens on udp")
	}
	if _, err := machine.Dial(t.Context(), "udp", "127.0.0.1:1"); err == nil {
		t.Error("dials udp")
	}
}

func TestSocketFileIsRemovedOnClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 2 {
		l := listenAt(t, "unix", path)
		l.Close()
		gone(t, path)
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
}

func TestFileThatIsNotOursAnyMoreStaysOnClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first := listenAt(t, "unix", path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := listenAt(t, "unix", path)
	first.Close()
	answers(t, second, "unix", path)
}

func TestRelativeSocketFileIsRemovedFromWhereItWasBound(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	l := listenAt(t, "unix", "s")
	if got := l.Addr().String(); got != "s" {
		t.Error(got)
	}
	t.Chdir(t.TempDir())
	l.Close()
	gone(t, filepath.Join(dir, "s"))
}

// C13
func TestDeadSocketFileIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	die(t, path)
	answers(t, listenAt(t, "unix", path), "unix", path)
}

// C13
func TestLiveSocketIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first := listenAt(t, "unix", path)
	_, err := machine.Listen(t.Context(), "unix", path)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "in use") {
		t.Fatal(err)
	}
	answers(t, first, "unix", path)
}

// C13
func TestFilesThatAreNoSocketsAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file, link, sub := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "sub")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	die(t, filepath.Join(dir, "dead"))
	if err := os.Symlink("dead", link); err != nil { // a link to a dead socket is no socket
		t.Fatal(err)
	}
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link, sub} {
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := machine.Listen(t.Context(), "unix", path); err == nil || !strings.Contains(err.Error(), "no socket") {
			t.Error(path, err)
		}
		after, err := os.Lstat(path)
		if err != nil || !os.SameFile(before, after) {
			t.Error(path, err)
		}
	}
	if got, err := os.ReadFile(file); string(got) != "precious" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestOfManyThatFindADeadSocketOneGetsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for range 20 {
		die(t, path)
		var won atomic.Pointer[net.Listener]
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				l, err := machine.Listen(t.Context(), "unix", path)
				switch {
				case err == nil && !won.CompareAndSwap(nil, &l):
					l.Close()
					t.Error("bound twice")
				case err != nil && !errors.Is(err, syscall.EADDRINUSE):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() == nil {
			t.Fatal("nobody got it")
		}
		(*won.Load()).Close()
		gone(t, path)
	}
}

// C14
func TestLongSocketPathIsRefusedBeforeAnythingHappens(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	limit := PathLimit()
	if runtime.GOOS == "linux" && limit != 107 {
		t.Fatal(limit)
	}
	listenAt(t, "unix", strings.Repeat("x", limit)).Close()
	long := strings.Repeat("x", limit+93)
	_, err := machine.Listen(t.Context(), "unix", long)
	_, err2 := machine.Dial(t.Context(), "unix", long)
	for _, err := range []error{err, err2} {
		if err == nil {
			t.Fatal("accepted")
		}
		for _, text := range []string{long, "200", "107"} {
			if runtime.GOOS == "linux" && !strings.Contains(err.Error(), text) {
				t.Errorf("%q lacks %s", err, text)
			}
		}
	}
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Error(entries, err)
	}
}

func TestAbstractSocketHasNoFile(t *testing.T) {
	if runtime.GOOS != "linux" {
		if _, err := machine.Listen(t.Context(), "unix", "@x"); err == nil {
			t.Error("abstract sockets exist on Linux only")
		}
		return
	}
	dir := t.TempDir()
	t.Chdir(dir)
	name := "@" + strings.ReplaceAll(dir, "/", "-")
	l := listenAt(t, "unix", name)
	answers(t, l, "unix", name)
	if _, err := machine.Listen(t.Context(), "unix", name); !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Error(entries, err)
	}
}

func TestPathsThatCannotBeSocketsAreRefused(t *testing.T) {
	for _, path := range []string{"", "@", "a\x00b", "/nonexistent/s"} {
		if l, err := machine.Listen(t.Context(), "unix", path); err == nil {
			l.Close()
			t.Errorf("listens at %q", path)
		}
		if c, err := machine.Dial(t.Context(), "unix", path); err == nil {
			c.Close()
			t.Errorf("dialled %q", path)
		}
	}
}
