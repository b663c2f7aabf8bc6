package topology_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/program"
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
	// crowd makes -calls calls, 32 at a time, of a service with three servers, and prints how many were answered.
	"crowd": func() {
		n := flag.Int64("calls", 1000, "")
		t := topology.New("crowd")
		e := topology.Service[int64, int64](t, "square", "tcp://127.0.0.1:5555")
		topology.Server(t, "server", e, func(_ context.Context, n int64) (int64, error) {
			time.Sleep(time.Millisecond)
			return n * n, nil
		}, topology.Instances(3))
		topology.Client(t, "client", e, func(ctx context.Context, c *topology.Caller[int64, int64]) error {
			var asked, answered atomic.Int64
			var all sync.WaitGroup
			for range 32 {
				all.Go(func() {
					for i := asked.Add(1); i <= *n; i = asked.Add(1) {
						switch r, err := c.Call(ctx, i); {
						case err != nil:
							fmt.Println("call failed:", err)
						case r == i*i:
							if done := answered.Add(1); done%(*n/10) == 0 {
								fmt.Printf("answered %d\n", done)
							}
						}
					}
				})
			}
			all.Wait()
			fmt.Printf("calls=%d answered=%d\n", *n, answered.Load())
			return nil
		})
		topology.Main(t)
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

// process is a program under test, with all its children. What it logs is in Out too.
type process struct {
	*program.Process
	t *testing.T
}

// start starts a program under test.
func start(t *testing.T, name string, args ...string) process {
	t.Helper()
	return startWith(t, func(*exec.Cmd) {}, name, args...)
}

// startWith is start, with the command changed before.
func startWith(t *testing.T, change func(*exec.Cmd), name string, args ...string) process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := process{program.New(t, self, args...), t}
	p.Cmd.Env = append(p.Cmd.Env, "TOPOLOGY_TEST_PROGRAM="+name, "GORACE=atexit_sleep_ms=0", "TROUPE_LOG=info")
	p.Cmd.Stderr = p.Cmd.Stdout
	change(p.Cmd)
	p.Start()
	return p
}

// says waits until the output has text in it.
func (p process) says(text string) {
	p.t.Helper()
	program.Eventually(p.t, "the output has "+text, func() bool { return strings.Contains(p.Out.String(), text) })
}

// status waits for the end and returns the exit status if it is one of those that may be, else the first.
func (p process) status(may ...int) int {
	select {
	case <-p.Exited:
	case <-time.After(program.Patience):
	}
	if got := p.Cmd.ProcessState.ExitCode(); slices.Contains(may, got) {
		return got
	}
	return may[0]
}

// killChild kills the child process that runs a role, which the log tells.
func (p process) killChild(role string) {
	p.t.Helper()
	found := regexp.MustCompile(`process started".* role=` + role + ` .*child=(\d+)`).FindStringSubmatch(p.Out.String())
	if found == nil {
		p.t.Fatalf("no child runs %s", role)
	}
	pid, err := strconv.Atoi(found[1])
	if err != nil {
		p.t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGKILL)
}
