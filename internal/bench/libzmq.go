package bench

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

//go:embed libzmq/peer.c
var peerSource []byte

// scratch is a directory for the program and for ipc endpoints. It goes when the process ends.
var scratch string

// errMissing is wrapped by the error of buildPeer if something is not installed.
var errMissing = errors.New("the libzmq side needs gcc and libzmq: apt-get install gcc libc6-dev libzmq3-dev")

// buildPeer compiles libzmq/peer.c, once, and returns where the program is.
var buildPeer = sync.OnceValues(func() (string, error) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errMissing, err)
	}
	source, program := filepath.Join(scratch, "peer.c"), filepath.Join(scratch, "peer")
	if err := os.WriteFile(source, peerSource, 0o600); err != nil {
		return "", err
	}
	out, err := exec.Command(gcc, "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, source, "-lzmq").CombinedOutput()
	switch {
	case err == nil:
		return program, nil
	case strings.Contains(string(out), "zmq.h") || strings.Contains(string(out), "-lzmq"):
		return "", fmt.Errorf("%w (%s)", errMissing, out)
	}
	return "", fmt.Errorf("gcc: %w\n%s", err, out)
})
