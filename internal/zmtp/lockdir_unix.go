//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package zmtp

import (
	"context"
	"os"
	"syscall"
	"time"
)

// lockDir locks a directory against other calls of lockDir, in any process, until unlock is called. It leaves no trace
// in the file system. A directory that cannot be locked (unreadable, on a file system without locks, or locked for more
// than two seconds by a program that is none of ours) is left unlocked, which is no error.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {}, nil // if it does not exist, bind says so
	}
	for range 400 {
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != syscall.EWOULDBLOCK {
			break
		}
		if !pause(ctx, 5*time.Millisecond) {
			f.Close()
			return nil, context.Cause(ctx)
		}
	}
	return func() { f.Close() }, nil
}
