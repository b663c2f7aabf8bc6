//go:build unix

package topology

import (
	"os"
	"syscall"
)

// stderr returns standard error by another descriptor. Go ends a process that writes to descriptor 1 or 2 once nobody
// reads it; as to the log, that would end every process of a run at once, with nobody left to remove its files.
func stderr() *os.File {
	fd, err := syscall.Dup(syscall.Stderr)
	if err != nil {
		return os.Stderr
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), os.Stderr.Name())
}
