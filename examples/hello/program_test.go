package main

import (
	"bytes"
	"net"
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

// program is hello while it runs, with its children.
type program struct {
	t            *testing.T
	cmd          *exec.Cmd
	out, errors  output
	exited       chan struct{}
	marker, temp string
}

// start starts hello as a shell would, in a process group of its own, with a temporary directory of its own.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	temp, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, cmd: exec.Command(hello, args...), exited: make(chan struct{}), temp: temp}
	p.marker = "HELLO_TEST_RUN=" + filepath.Base(temp)
	p.cmd.Env = append(os.Environ(), p.marker, "TMPDIR="+temp)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.errors
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.exited
		os.RemoveAll(temp)
		if t.Failed() {
			t.Logf("hello %s\nprinted:\n%slogged:\n%s", strings.Join(args, " "), p.out.String(), p.errors.String())
		}
	})
	return p
}

func (p *program) signal(s syscall.Signal) { syscall.Kill(p.cmd.Process.Pid, s) }

// interrupt is a terminal's ctrl-C: it reaches the children too.
func (p *program) interrupt() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT) }

// ends waits for the end, and checks the exit status and that nothing is left.
func (p *program) ends(status int, within time.Duration) {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(within):
		p.t.Fatalf("still running after %v", within)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		p.t.Errorf("exit status %d, want %d", got, status)
	}
	p.leavesNothing()
}

// leavesNothing waits until all processes of p and its ipc files are gone.
func (p *program) leavesNothing() {
	p.t.Helper()
	eventually(p.t, "no processes", func() bool { return len(p.processes()) == 0 })
	if left, err := os.ReadDir(p.temp); err != nil || len(left) > 0 {
		p.t.Errorf("left behind: %v %v", left, err)
	}
}

// processes returns the ids of p and its children, known by their environment.
func (p *program) processes() (pids []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(p.marker)) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

func (p *program) replies() int { return strings.Count(p.out.String(), "Hello -> World\n") }

func (p *program) printed(n int) {
	p.t.Helper()
	if want := strings.Repeat("Hello -> World\n", n); p.out.String() != want {
		p.t.Errorf("printed %q, want %d replies", p.out.String(), n)
	}
}

func (p *program) logs(text string) {
	p.t.Helper()
	eventually(p.t, "log has "+text, func() bool { return strings.Contains(p.errors.String(), text) })
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

// eventually waits until a condition holds, at most 20 seconds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("not seen within 20 s: ", what)
		}
	}
}

// output collects what a program writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
