//go:build !unix

package zmtp

import (
	"errors"
	"net"
	"syscall"
)

// rawOf returns nil: here every write goes through the writer, and an idle connection keeps its read buffer.
func rawOf(net.Conn) syscall.RawConn { return nil }

func readNow(uintptr, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }

func writeNow(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
