//go:build unix

package program

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// built is the program of the package under test, as users build it.
var built string

// Main is the TestMain of a program's tests: it builds the program of the package, which [Start] then starts, runs the
// tests, and fails if they leave goroutines behind.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "program")
	if err != nil {
		panic(err)
	}
	built = filepath.Join(dir, "program")
	if out, err := exec.Command("go", "build", "-o", built, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		os.RemoveAll(dir)
		os.Exit(status)
	}))
}

// Start starts the program that Main has built.
func Start(t testing.TB, args ...string) *Process {
	t.Helper()
	p := New(t, built, args...)
	p.Start()
	return p
}

// Logs waits until the program's log has a text.
func (p *Process) Logs(text string) {
	p.t.Helper()
	Eventually(p.t, "log has "+text, func() bool { return strings.Contains(p.Errors.String(), text) })
}

// FreeAddress returns an address of this machine at which nothing listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
