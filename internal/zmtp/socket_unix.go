//go:build unix

package zmtp

import (
	"io/fs"
	"os"
	"syscall"
)

// setBuffers sets the sizes of a socket's buffers; zero leaves one alone.
func setBuffers(fd uintptr, send, recv int) error {
	for option, size := range map[int]int{syscall.SO_SNDBUF: send, syscall.SO_RCVBUF: recv} {
		if size == 0 {
			continue
		}
		if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, size); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}

// setBacklog changes how many connections may wait at a listening socket.
func setBacklog(fd uintptr, n int) error {
	return os.NewSyscallError("listen", syscall.Listen(int(fd), n))
}

// limitMode takes permissions from the file that a Unix socket will have when it is bound. Only Linux does so.
func limitMode(fd uintptr, mode fs.FileMode) { syscall.Fchmod(int(fd), uint32(mode)) }
