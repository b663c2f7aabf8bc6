package topology_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/program"
)

// soon is within what a run that is told to end does so: a second, and much more as tests share the machine.
const soon = 5 * time.Second

func TestMainRunsEverythingHere(t *testing.T) {
	p := start(t, "echo", "-calls", "5", "and", "more")
	p.Ends(0, 20*time.Second)
	if text := p.Out.String(); !strings.Contains(text, "client done [and more]") {
		t.Errorf("output: %s", text)
	}
}

func TestRolesAreProcessesOfTheirOwn(t *testing.T) {
	p := start(t, "echo", "-processes", "-n", "client=3", "-calls", "5", "and", "more")
	p.Ends(0, 20*time.Second)
	text := p.Out.String()
	if n := strings.Count(text, "client done [and more]"); n != 3 {
		t.Errorf("%d clients are done", n)
	}
	if n := strings.Count(text, "process started"); n != 4 {
		t.Errorf("%d processes started", n)
	}
}

func TestChildrenDontRunTheRestOfTheProgram(t *testing.T) {
	p := start(t, "embedded", "-processes")
	p.Ends(0, 20*time.Second)
	if text := p.Out.String(); strings.Count(text, "after Run: <nil>") != 1 {
		t.Errorf("output: %s", text)
	}
}

func TestACrashedServerProcessIsStartedAgain(t *testing.T) {
	p := start(t, "echo", "-processes", "-crash")
	p.Ends(0, 20*time.Second)
	if text := p.Out.String(); !strings.Contains(text, "started again") || !strings.Contains(text, "client done") {
		t.Errorf("output: %s", text)
	}
}

func TestAFailedClientProcessEndsTheRun(t *testing.T) {
	p := start(t, "echo", "-processes", "-fail")
	p.Ends(1, 20*time.Second)
	if text := p.Out.String(); !strings.Contains(text, "failed as told") || !strings.Contains(text, "role client") {
		t.Errorf("output: %s", text)
	}
}

func TestAServerProcessThatCantStartEndsTheRun(t *testing.T) {
	p := start(t, "echo", "-processes", "-at", "echo=ipc:///nonexistent/dir/s")
	p.Ends(1, 20*time.Second)
	if text := p.Out.String(); !strings.Contains(text, "did not start") || !strings.Contains(text, "role server") {
		t.Errorf("output: %s", text)
	}
}

func TestARunWithoutADirectoryForItsFilesSaysSo(t *testing.T) {
	p := startWith(t, func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "TMPDIR=/nonexistent") }, "echo", "-processes")
	p.Ends(1, 20*time.Second)
	if text := p.Out.String(); !strings.Contains(text, "set TMPDIR") || !strings.Contains(text, "/nonexistent") {
		t.Errorf("output: %s", text)
	}
}

func TestBadFlagsEndWithStatus2(t *testing.T) {
	for _, args := range [][]string{
		{"-nonsense"}, {"-run", "cook"}, {"-at", "echo=nonsense"}, {"-n", "server=2"}, {"-processes", "-n", "server=2"},
		{"-processes", "-at", "echo=inproc://x"},
	} {
		p := start(t, "echo", args...)
		p.Ends(2, 20*time.Second)
		if text := p.Out.String(); text == "" {
			t.Errorf("%s: it doesn't say why", args)
		}
	}
}

func TestSignalsEndARun(t *testing.T) {
	at := "echo=tcp://" + freeAddress(t)
	tests := []struct {
		name   string
		args   []string
		ready  string
		signal syscall.Signal
		group  bool // as a terminal's ctrl-C
		status int
	}{
		{"ctrl-C in one process", nil, "client waits", syscall.SIGINT, true, 130},
		{"SIGTERM in one process", nil, "client waits", syscall.SIGTERM, false, 143},
		{"ctrl-C as processes", []string{"-processes"}, "client waits", syscall.SIGINT, true, 130},
		{"SIGINT to the parent", []string{"-processes"}, "client waits", syscall.SIGINT, false, 130},
		{"SIGTERM to the parent", []string{"-processes"}, "client waits", syscall.SIGTERM, false, 143},
		{"a closed terminal in one process", nil, "client waits", syscall.SIGHUP, true, 129},
		{"a closed terminal as processes", []string{"-processes"}, "client waits", syscall.SIGHUP, true, 129},
		{"SIGTERM to all processes", []string{"-processes"}, "client waits", syscall.SIGTERM, true, 143},
		{"ctrl-C of a server", []string{"-run", "server", "-at", at}, "serving", syscall.SIGINT, true, 0},
		{"SIGTERM of a server", []string{"-run", "server", "-at", at}, "serving", syscall.SIGTERM, false, 0},
		{"ctrl-C of a server as process", []string{"-processes", "-run", "server", "-at", at}, "serving", syscall.SIGINT, true, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, "wait", test.args...)
			p.says(test.ready)
			pid := p.Cmd.Process.Pid
			if test.group {
				pid = -pid
			}
			syscall.Kill(pid, test.signal)
			p.Ends(test.status, soon)
		})
	}
}

func TestCtrlCEndsAClientWithoutAServer(t *testing.T) {
	p := start(t, "wait", "-run", "client", "-at", "echo=tcp://"+freeAddress(t))
	p.says("msg=calling")
	p.Signal(syscall.SIGINT)
	p.Ends(130, soon)
}

func TestCtrlCEndsARunWhoseClientTakesNoNotice(t *testing.T) {
	for _, args := range [][]string{{"-stuck"}, {"-stuck", "-processes"}} {
		p := start(t, "echo", args...)
		p.says("client done")
		p.SignalAll(syscall.SIGINT)
		p.Ends(130, soon)
	}
}

func TestCtrlCEndsARunWhoseServerTakesNoNotice(t *testing.T) {
	for _, args := range [][]string{{"-hang"}, {"-hang", "-processes"}} {
		p := start(t, "echo", args...)
		p.says("server hangs")
		p.SignalAll(syscall.SIGINT)
		p.Ends(130, soon)
	}
}

func TestASecondCtrlCEndsAtOnce(t *testing.T) {
	for _, args := range [][]string{{"-stuck"}, {"-stuck", "-processes"}} {
		p := start(t, "echo", args...)
		p.says("client done")
		p.SignalAll(syscall.SIGINT)
		p.SignalAll(syscall.SIGTERM)
		p.Ends(p.status(130, 143), soon)
	}
}

func TestKillingTheParentLeavesNoChildAndNoFile(t *testing.T) {
	for program, args := range map[string][]string{"wait": nil, "echo": {"-stuck"}} {
		p := start(t, program, append(args, "-processes")...)
		p.says("client ") // waits, or is done
		if n := len(p.Processes()); n != 3 {
			t.Fatalf("%d processes", n)
		}
		p.Cmd.Process.Kill()
		<-p.Exited
		p.LeavesNothing()
	}
}

func TestTheRunGoesOnWhenNobodyReadsItsLog(t *testing.T) {
	for _, args := range [][]string{nil, {"-processes"}} {
		p := startWith(t, func(cmd *exec.Cmd) { cmd.Stderr = unread(t) }, "echo", args...)
		p.Ends(0, 20*time.Second)
		if text := p.Out.String(); !strings.Contains(text, "client done") {
			t.Errorf("output: %s", text)
		}
	}
}

// As of hello -processes 2>&1 | head -1: a process that ends by it leaves one that removes the files.
func TestOutputThatNobodyReadsLeavesNothing(t *testing.T) {
	p := startWith(t, func(cmd *exec.Cmd) { cmd.Stderr = unread(t); cmd.Stdout = cmd.Stderr }, "echo", "-processes")
	p.Ends(1, 20*time.Second)
}

// unread returns a pipe that nobody reads.
func unread(t *testing.T) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

func TestARunUnderNohupOutlivesItsTerminal(t *testing.T) {
	for _, args := range [][]string{nil, {"-processes"}} {
		p := startWith(t, func(cmd *exec.Cmd) {
			cmd.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, cmd.Path}, args...)
			cmd.Path = "/bin/sh"
		}, "wait")
		p.says("client waits")
		p.SignalAll(syscall.SIGHUP)
		p.SignalAll(syscall.SIGTERM)
		p.Ends(143, soon) // not 129
	}
}

func TestProcessesAtAWildcard(t *testing.T) {
	_, port, _ := net.SplitHostPort(freeAddress(t))
	p := start(t, "echo", "-processes", "-at", "echo=tcp://*:"+port)
	p.Ends(0, 20*time.Second)
}

func TestHelpIsNoError(t *testing.T) {
	p := start(t, "echo", "-help")
	p.Ends(0, 20*time.Second)
	if text := p.Out.String(); !strings.Contains(text, "echo, a service at tcp://127.0.0.1:5555") {
		t.Errorf("it says %s", text)
	}
}

func TestKilledChildren(t *testing.T) {
	p := start(t, "wait", "-processes")
	p.says("client waits")
	p.killChild("server")
	p.says("started again")
	program.Eventually(t, "the server is back", func() bool { return strings.Count(p.Out.String(), "msg=serving") == 2 })
	p.killChild("client")
	p.Ends(1, soon)
}
