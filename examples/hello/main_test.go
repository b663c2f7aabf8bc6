package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/program"
	"github.com/troupe-go/troupe/internal/pyzmq"
)

func TestMain(m *testing.M) { program.Main(m) }

// soon is how long the end may take after a ctrl-C: a second, and more as tests share the machine.
const soon = 3 * time.Second

func TestTenRepliesInOneProcess(t *testing.T) {
	p := start(t)
	p.Ends(0, 10*time.Second)
	p.printed(10)
}

func TestTenRepliesAsProcesses(t *testing.T) {
	p := start(t, "-processes")
	p.Ends(0, 10*time.Second)
	p.printed(10)
	for _, role := range []string{"server", "client"} {
		if !strings.Contains(p.Errors.String(), "role="+role+" instance=1 child=") {
			t.Errorf("the log doesn't show the process of the %s", role)
		}
	}
}

func TestTheProgramsFlagsReachItsProcesses(t *testing.T) {
	p := start(t, "-processes", "-count", "3", "-delay=1ms", "-n", "client=2")
	p.Ends(0, 10*time.Second)
	p.printed(6)
}

func TestRolesOnTheirOwnOverTCP(t *testing.T) {
	at := "hello=tcp://" + program.FreeAddress(t)
	client := start(t, "-run", "client", "-at", at)
	server := start(t, "-run", "server", "-at", at)
	client.Ends(0, 20*time.Second)
	client.printed(10)
	server.SignalAll(syscall.SIGINT)
	server.Ends(0, soon)
	again := start(t, "-run", "server", "-at", at) // the port is free
	again.Logs("msg=serving")
	again.Signal(syscall.SIGTERM)
	again.Ends(0, soon)
}

func TestAForeignClient(t *testing.T) {
	at := "tcp://" + program.FreeAddress(t)
	server := start(t, "-run", "server", "-at", "hello="+at)
	client := pyzmq.Command(t, `
import sys, zmq
s = zmq.Context().socket(zmq.REQ)
s.connect(sys.argv[1])
for i in range(10):
    s.send(b"Hello")
    print(s.recv().decode())
`, at)
	out, err := client.Output()
	if err != nil || string(out) != strings.Repeat("World\n", 10) {
		t.Errorf("%v\n%s", err, out)
	}
	server.SignalAll(syscall.SIGINT)
	server.Ends(0, soon)
}

func TestAForeignServerThatComesLater(t *testing.T) {
	at := "tcp://" + program.FreeAddress(t)
	client := start(t, "-run", "client", "-at", "hello="+at)
	client.Logs("msg=calling")
	server := pyzmq.Command(t, `
import sys, zmq
s = zmq.Context().socket(zmq.REP)
s.bind(sys.argv[1])
for i in range(10):
    assert s.recv() == b"Hello"
    s.send(b"World")
`, at)
	out, err := server.Output()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	client.Ends(0, 20*time.Second)
	client.printed(10)
}

func TestAServerKilledAndStartedAgain(t *testing.T) {
	at := "hello=tcp://" + program.FreeAddress(t)
	server := start(t, "-run", "server", "-at", at, "-delay", "50ms")
	client := start(t, "-run", "client", "-at", at)
	for range 2 {
		n := client.replies()
		program.Eventually(t, "more replies", func() bool { return client.replies() > n })
		server.Signal(syscall.SIGKILL)
		<-server.Exited
		server = start(t, "-run", "server", "-at", at, "-delay", "50ms")
	}
	client.Ends(0, 20*time.Second)
	client.printed(10)
}

func TestCtrlCEndsEveryForm(t *testing.T) {
	at := "hello=tcp://" + program.FreeAddress(t)
	tests := []struct {
		name    string
		args    []string
		replies bool // wait for some before the ctrl-C
		status  int
	}{
		{"one process", []string{"-delay", "100ms"}, true, 130},
		{"one process in a long request", []string{"-delay", "1h"}, false, 130},
		{"processes", []string{"-processes", "-delay", "100ms"}, true, 130},
		{"processes in a long request", []string{"-processes", "-delay", "1h"}, false, 130},
		{"server", []string{"-run", "server", "-at", at}, false, 0},
		{"server as process", []string{"-run", "server", "-processes", "-at", at}, false, 0},
		{"client without a server", []string{"-run", "client", "-at", at}, false, 130},
		{"over a socket in one process", []string{"-at", at, "-delay", "100ms"}, true, 130},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, test.args...)
			switch {
			case test.replies:
				program.Eventually(t, "replies", func() bool { return p.replies() > 1 })
			case test.status == 0:
				p.Logs("msg=serving")
			default:
				p.Logs("msg=calling")
			}
			p.SignalAll(syscall.SIGINT)
			p.Ends(test.status, soon)
			if test.status == 0 {
				free(t, strings.TrimPrefix(at, "hello=tcp://"))
			}
		})
	}
}

func TestKillingTheParentOfProcessesLeavesNothing(t *testing.T) {
	p := start(t, "-processes", "-delay", "100ms")
	program.Eventually(t, "replies", func() bool { return p.replies() > 1 })
	p.Signal(syscall.SIGKILL)
	<-p.Exited
	p.LeavesNothing()
}

func TestBadFlags(t *testing.T) {
	p := start(t, "-run", "sever")
	p.Ends(2, 10*time.Second)
	if text := p.Errors.String(); !strings.Contains(text, "server, client") || !strings.Contains(text, "-count") {
		t.Errorf("it says %s", text)
	}
}
