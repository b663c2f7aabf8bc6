package topology_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/topology"
)

// programs are the mains of programs under test.
var programs = map[string]func(){
	// echo calls -calls times. With -crash its server crashes at the first request, with -hang it never answers; with
	// -fail its client fails in the end, with -stuck it never ends.
	"echo": func() {
		n := flag.Int("calls", 3, "")
		fail := flag.Bool("fail", false, "")
		crash := flag.Bool("crash", false, "")
		stuck := flag.Bool("stuck", false, "")
		hang := flag.Bool("hang", false, "")
		topology.Main(service(func(ctx context.Context, q string) (string, error) {
			if first := filepath.Join(os.TempDir(), "crashed"); *crash {
				if _, err := os.Stat(first); err != nil {
					os.WriteFile(first, nil, 0o600)
					os.Exit(2)
				}
			}
			if *hang {
				fmt.Println("server hangs")
				select {}
			}
			return "re: " + q, nil
		}, func(ctx context.Context, c *caller) error {
			if err := calls(*n)(ctx, c); err != nil {
				return err
			}
			fmt.Println("client done", flag.Args())
			if *fail {
				return errors.New("failed as told")
			}
			if *stuck {
				select {}
			}
			return nil
		}))
	},
	// wait is a job that waits for its end.
	"wait": func() {
		topology.Main(echo(func(ctx context.Context, c *caller) error {
			if err := calls(1)(ctx, c); err != nil {
				return err
			}
			fmt.Println("client waits")
			<-ctx.Done()
			return ctx.Err()
		}))
	},
	// embedded does without Main, and has something to do after Run.
	"embedded": func() {
		t := echo(calls(3))
		o := t.Flags(flag.CommandLine)
		flag.Parse()
		err := t.Run(context.Background(), *o)
		fmt.Println("after Run:", err)
		os.Exit(0)
	},
}

// process is a program under test, with all its children.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	output output
	exited chan struct{}
	marker string
	temp   string
}

// start starts a program under test with a directory for temporary files of its own.
func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, program, args...)
}

// startWith is start, with the command changed before.
func startWith(t *testing.T, change func(*exec.Cmd), program string, args ...string) *process {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("looks for processes in /proc")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	temp, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	p := &process{t: t, cmd: exec.Command(self, args...), exited: make(chan struct{}), temp: temp}
	p.marker = "TOPOLOGY_TEST_RUN=" + filepath.Base(temp)
	p.cmd.Env = append(os.Environ(), "TOPOLOGY_TEST_PROGRAM="+program, p.marker, "TMPDIR="+temp, "GORACE=atexit_sleep_ms=0")
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a shell does, so that a ctrl-C can be sent to all
	change(p.cmd)
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
		if t.Failed() {
			t.Logf("output of %s %s:\n%s", program, args, p.output.String())
		}
	})
	return p
}

// says waits until the output has text in it.
func (p *process) says(text string) {
	p.t.Helper()
	eventually(p.t, "the output has "+text, func() bool { return strings.Contains(p.output.String(), text) })
}

// ends waits for the end and checks the exit status, and that nothing is left of it.
func (p *process) ends(status int, within time.Duration) {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(within):
		left := p.processes()
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGQUIT) // they print their goroutines
		<-p.exited
		p.t.Fatalf("%v are still running after %v", left, within)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		p.t.Errorf("exit status %d, want %d", got, status)
	}
	p.leavesNothing()
}

// leavesNothing waits until there are no processes and ipc files of the run any more.
func (p *process) leavesNothing() {
	p.t.Helper()
	eventually(p.t, "no processes are left", func() bool { return len(p.processes()) == 0 })
	left, err := filepath.Glob(filepath.Join(p.temp, "troupe-*"))
	if err != nil || len(left) > 0 {
		p.t.Errorf("left behind: %v %v", left, err)
	}
}

// processes returns the ids of the program's processes, known by their environment.
func (p *process) processes() (pids []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(p.marker)) {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
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
			t.Fatal("it didn't come true in 20 s that", what)
		}
	}
}

// status waits for the end and returns the exit status if it is one of those that may be, else the first.
func (p *process) status(may ...int) int {
	select {
	case <-p.exited:
	case <-time.After(20 * time.Second):
	}
	if got := p.cmd.ProcessState.ExitCode(); slices.Contains(may, got) {
		return got
	}
	return may[0]
}

// killChild kills the child process that runs a role, which the log tells.
func (p *process) killChild(role string) {
	p.t.Helper()
	found := regexp.MustCompile(`process started".* role=` + role + ` .*child=(\d+)`).FindStringSubmatch(p.output.String())
	if found == nil {
		p.t.Fatalf("no child runs %s", role)
	}
	pid, err := strconv.Atoi(found[1])
	if err != nil {
		p.t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
}
