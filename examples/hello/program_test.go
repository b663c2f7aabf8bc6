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
	p := process{program.New(t, hello, args...), t}
	p.Start()
	return p
}

func (p process) replies() int { return strings.Count(p.Out.String(), "Hello -> World\n") }

func (p process) printed(n int) {
	p.t.Helper()
	if want := strings.Repeat("Hello -> World\n", n); p.Out.String() != want {
		p.t.Errorf("printed %q, want %d replies", p.Out.String(), n)
	}
}

func (p process) logs(text string) {
	p.t.Helper()
	program.Eventually(p.t, "log has "+text, func() bool { return strings.Contains(p.Errors.String(), text) })
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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
