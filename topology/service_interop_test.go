package topology_test

import (
	"bufio"
	"context"
	_ "embed"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/pyzmq"
	"github.com/troupe-go/troupe/topology"
)

// serviceProtocol is the protocol's specification, whose programs these tests run.
//
//go:embed SERVICE.md
var serviceProtocol string

// servicePrograms are the Python programs in it: a caller and a server.
var servicePrograms = strings.Split(serviceProtocol, "```python\n")[1:]

// python starts a program of the specification, and returns the lines that it writes.
func python(t *testing.T, script string, args ...string) *bufio.Scanner {
	t.Helper()
	script, _, _ = strings.Cut(script, "```")
	if n := strings.Count(script, "\n"); n >= 60 {
		t.Errorf("the program has %d lines", n)
	}
	cmd := pyzmq.Command(t, script, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return bufio.NewScanner(out)
}

// square declares the service of the specification's programs.
func square(handle func(context.Context, int) (int, error), work func(context.Context, *topology.Caller[int, int]) error) *topology.Topology {
	t := topology.New("square")
	e := topology.Service[int, int](t, "square", "tcp://127.0.0.1:5555")
	topology.Server(t, "server", e, handle, topology.Instances(3))
	topology.Client(t, "client", e, work)
	return t
}

func TestAPythonCallerIsServedEvenIfTheFrontIsRestarted(t *testing.T) {
	pyzmq.Command(t, "") // skips if there is none
	at := map[string]string{"square": "tcp://" + freeAddress(t)}
	o := topology.Options{At: at, Log: slog.New(slog.DiscardHandler)}
	front, server := o, o
	front.Run, server.Run = []string{"square"}, []string{"server"}
	var served atomic.Int64
	handle := func(_ context.Context, n int) (int, error) {
		served.Add(1)
		time.Sleep(2 * time.Millisecond)
		return n * n, nil
	}
	run := func(o topology.Options) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		top := square(handle, func(context.Context, *topology.Caller[int, int]) error { return nil })
		go func() { ended <- top.Run(ctx, o) }()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	defer run(server)()
	stop := run(front)
	out := python(t, servicePrograms[0], at["square"], "1000")
	for served.Load() < 200 {
		time.Sleep(time.Millisecond)
	}
	stop()
	defer run(front)()
	if !out.Scan() || out.Text() != "sum=333833500" {
		t.Errorf("got %q", out.Text())
	}
}

func TestAPythonServerServes(t *testing.T) {
	pyzmq.Command(t, "") // skips if there is none
	at := map[string]string{"square": "tcp://" + freeAddress(t)}
	python(t, servicePrograms[1], at["square"])
	top := square(func(context.Context, int) (int, error) { panic("not here") },
		func(ctx context.Context, c *topology.Caller[int, int]) error {
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() {
					r, err := c.Call(ctx, 100+i)
					if err != nil || r != (100+i)*(100+i) {
						t.Errorf("%d: %d, %v", i, r, err)
					}
				})
			}
			all.Wait()
			if _, err := c.Call(ctx, 13); err == nil || err.Error() != "no squares of 13" {
				t.Errorf("got %v", err)
			}
			return nil
		})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := top.Run(ctx, topology.Options{Run: []string{"square", "client"}, At: at, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Error(err)
	}
}
