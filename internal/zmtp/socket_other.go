//go:build !unix

package zmtp

import (
	"errors"
	"io/fs"
)

func setBuffers(_ uintptr, send, recv int) error { return errors.ErrUnsupported }

func setBacklog(uintptr, int) error { return errors.ErrUnsupported }

func limitMode(uintptr, fs.FileMode) {}
