package main

import (
	"net"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/internal/program"
)

// process is hello while it runs, with its children.
type process struct {
	*program.Process
	t *testing.T
}

func start(t *testing.T, args ...string) process {
	t.Helper()
	return process{program.Start(t, append([]string{"-log=info"}, args...)...), t}
}

func (p process) replies() int { return strings.Count(p.Out.String(), "Hello -> World\n") }

func (p process) printed(n int) {
	p.t.Helper()
	if want := strings.Repeat("Hello -> World\n", n); p.Out.String() != want {
		p.t.Errorf("printed %q, want %d replies", p.Out.String(), n)
	}
}

// free checks that nothing listens at a tcp address.
func free(t *testing.T, address string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err == nil {
		c.Close()
		t.Errorf("%s still listens", address)
	}
}
