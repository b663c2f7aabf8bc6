// Package pyzmq runs small Python programs that use pyzmq, the other end in tests against real ZeroMQ peers.
package pyzmq

import (
	"os"
	"os/exec"
	"sync"
	"testing"
)

// Environment variables. In continuous integration interoperability is required: no Python is a failure there.
const (
	envPython  = "TROUPE_PYTHON"
	envRequire = "TROUPE_REQUIRE_INTEROP"
)

// find returns the first Python that has pyzmq.
var find = sync.OnceValue(func() string {
	for _, python := range []string{os.Getenv(envPython), "/usr/bin/python3", "python3"} {
		if python != "" && exec.Command(python, "-c", "import zmq").Run() == nil {
			return python
		}
	}
	return ""
})

// Command returns a command that runs script, the text of a Python program, with args in sys.argv[1:]. It is not
// started; once it is, it gets killed at the end of the test, and is to be waited for. Its standard error goes to the
// test's.
//
// The Python is the first that can import zmq of $TROUPE_PYTHON, /usr/bin/python3 and python3. Without one the test is
// skipped, or fails if TROUPE_REQUIRE_INTEROP is 1.
func Command(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	python := find()
	if python == "" {
		const why = "no python3 with pyzmq: install it, or name one in " + envPython
		if os.Getenv(envRequire) == "1" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-u", "-c", script}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}
