//go:build unix

// Package program runs programs in tests as a shell would, and sees that nothing is left of them.
package program

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long Eventually waits.
const Patience = 20 * time.Second

// Process is a program while it runs, with its children.
type Process struct {
	Cmd         *exec.Cmd
	Out, Errors Output        // what was printed to standard output and error
	Exited      chan struct{} // closed when the program has ended
	Temp        string        // its directory for temporary files, of its own

	t      testing.TB
	marker string // in the environment of all its processes
}

// New returns a program that is to be started, in a process group of its own; Cmd may be changed before. It skips the test
// on systems other than Linux, where processes can't be found by their environment.
func New(t testing.TB, path string, args ...string) *Process {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	temp, err := os.MkdirTemp("", "t") // short: a path of ipc has little room
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	p := &Process{Cmd: exec.Command(path, args...), Exited: make(chan struct{}), Temp: temp, t: t}
	p.marker = "TROUPE_TEST_RUN=" + filepath.Base(temp)
	p.Cmd.Env = append(os.Environ(), p.marker, "TMPDIR="+temp)
	p.Cmd.Stdout, p.Cmd.Stderr = &p.Out, &p.Errors
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return p
}

// Start starts it. What is left of it at the end of the test is killed.
func (p *Process) Start() {
	p.t.Helper()
	if err := p.Cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		p.Cmd.Wait()
		close(p.Exited)
	}()
	p.t.Cleanup(func() {
		p.SignalAll(syscall.SIGKILL)
		<-p.Exited
		if p.t.Failed() {
			p.t.Logf("%s\nprinted:\n%slogged:\n%s", strings.Join(p.Cmd.Args, " "), p.Out.String(), p.Errors.String())
		}
	})
}

// Signal sends a signal to the program, not to its children.
func (p *Process) Signal(s syscall.Signal) { syscall.Kill(p.Cmd.Process.Pid, s) }

// SignalAll sends a signal to the program and its children, as a terminal does at a ctrl-C.
func (p *Process) SignalAll(s syscall.Signal) { syscall.Kill(-p.Cmd.Process.Pid, s) }

// Ends waits for the end, and checks the exit status and that nothing is left.
func (p *Process) Ends(status int, within time.Duration) {
	p.t.Helper()
	select {
	case <-p.Exited:
	case <-time.After(within):
		left := p.Processes()
		p.SignalAll(syscall.SIGQUIT) // they print their goroutines
		<-p.Exited
		p.t.Fatalf("%v are still running after %v", left, within)
	}
	if got := p.Cmd.ProcessState.ExitCode(); got != status {
		p.t.Errorf("exit status %d, want %d", got, status)
	}
	p.LeavesNothing()
}

// LeavesNothing waits until there are no processes of the program any more, and checks that its ipc files are gone.
func (p *Process) LeavesNothing() {
	p.t.Helper()
	Eventually(p.t, "no processes are left", func() bool { return len(p.Processes()) == 0 })
	left, err := filepath.Glob(filepath.Join(p.Temp, "troupe-*"))
	if err != nil || len(left) > 0 {
		p.t.Errorf("left behind: %v %v", left, err)
	}
}

// Processes returns the ids of the program's processes, known by their environment.
func (p *Process) Processes() (pids []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(p.marker)) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

// Eventually waits until a condition holds, and fails the test if it does not within Patience.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(Patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("not seen within %v: %s", Patience, what)
		}
	}
}

// Output collects what a program writes. Its zero value is empty; it may be read while it is written to.
type Output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends b.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

// String returns what was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
