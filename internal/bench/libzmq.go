package bench

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

//go:embed libzmq/peer.c
var peerSource []byte

var errMissing = fmt.Errorf("%w: the libzmq side needs gcc and libzmq: apt-get install gcc libc6-dev libzmq3-dev", contest.ErrMissing)

// buildPeer compiles libzmq/peer.c, once, and returns where the program is.
var buildPeer = sync.OnceValues(func() (string, error) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		return "", fmt.Errorf("%w (%w)", errMissing, err)
	}
	source, program := filepath.Join(contest.Scratch, "peer.c"), filepath.Join(contest.Scratch, "peer")
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
