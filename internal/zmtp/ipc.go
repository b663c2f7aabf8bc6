package zmtp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// PathLimit is how many bytes the path of a Unix socket may have on this system.
func PathLimit() int {
	switch runtime.GOOS {
	case "darwin", "ios", "freebsd", "netbsd", "openbsd", "dragonfly":
		return 103
	}
	return 107
}

// checkPath refuses a path that cannot be the address of a Unix socket here.
func checkPath(path string) error {
	abstract := strings.HasPrefix(path, "@")
	switch limit := PathLimit(); {
	case path == "" || path == "@":
		return errors.New("zmtp: empty path of a Unix socket")
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("zmtp: zero byte in the path of a Unix socket %q", path)
	case abstract && runtime.GOOS != "linux":
		return fmt.Errorf("zmtp: %s: abstract Unix sockets exist on Linux only", path)
	case len(path) > limit:
		return fmt.Errorf("zmtp: path of a Unix socket is %d bytes long, the limit is %d: %s", len(path), limit, path)
	}
	return nil
}

// listenUnix binds a Unix socket, replacing a file that a dead process left behind.
//
// The path's directory stays locked meanwhile, where the system can lock one, so that of several processes that find
// the same dead file exactly one gets it, and none takes a socket that is bound and not yet listening for a dead one.
func (m Machine) listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	lc := m.listenConfig()
	if strings.HasPrefix(path, "@") {
		l, err := lc.Listen(ctx, "unix", path)
		if err != nil {
			return nil, err
		}
		return m.listening(l)
	}
	if m.FileMode != 0 {
		m.limit(lc)
	}
	unlock, err := lockDir(ctx, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := removeDead(ctx, path); err != nil {
		return nil, err
	}
	nl, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	l := &unixListener{UnixListener: nl.(*net.UnixListener), path: path}
	l.SetUnlinkOnClose(false) // Close looks first whether the file is still ours
	if l.file, err = os.Lstat(path); err != nil {
		l.Close()
		return nil, err
	}
	if m.FileMode != 0 && l.file.Mode().Perm() != m.FileMode { // the umask took some
		if err := os.Chmod(path, m.FileMode); err != nil {
			l.Close()
			return nil, err
		}
	}
	if abs, err := filepath.Abs(path); err == nil {
		l.path = abs // bound as given, since the limit is on that; removed even if the working directory changes
	}
	return m.listening(l)
}

// limit makes that the file has no more permissions than it should have from the moment at which it is there.
func (m Machine) limit(lc *net.ListenConfig) {
	before := lc.Control
	lc.Control = func(network, address string, raw syscall.RawConn) error {
		if err := raw.Control(func(fd uintptr) { limitMode(fd, m.FileMode) }); err != nil {
			return err
		}
		if before != nil {
			return before(network, address, raw)
		}
		return nil
	}
}

// removeDead makes way for a new socket at path: it removes a socket that nobody listens on, and fails if there is
// anything else.
func removeDead(ctx context.Context, path string) error {
	file, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if file.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("zmtp: %s exists and is no socket: %w", path, syscall.EADDRINUSE)
	}
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		c.Close()
		return fmt.Errorf("zmtp: %s is in use, a live process listens on it: %w", path, syscall.EADDRINUSE)
	case errors.Is(err, syscall.ECONNREFUSED):
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("zmtp: remove dead socket: %w", err)
		}
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("zmtp: %s may be in use (%v): %w", path, err, syscall.EADDRINUSE)
}

// unixListener removes its file when it is closed.
type unixListener struct {
	*net.UnixListener
	path string
	file fs.FileInfo // what we bound
	once sync.Once
}

// Close removes the file, if it is still the one that was bound, and then stops listening: in this order, so that
// nobody takes the file for a dead one in between.
func (l *unixListener) Close() error {
	l.once.Do(func() {
		if now, err := os.Lstat(l.path); err == nil && l.file != nil && os.SameFile(now, l.file) {
			os.Remove(l.path)
		}
	})
	return l.UnixListener.Close()
}
