package pyzmq

import (
	"strings"
	"testing"
)

func TestScriptsGetTheirArguments(t *testing.T) {
	out, err := Command(t, "import sys, zmq; print(zmq.zmq_version(), sys.argv[1:])", "a", "b c").Output()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "['a', 'b c']") {
		t.Errorf("%q, %v", out, err)
	}
}
