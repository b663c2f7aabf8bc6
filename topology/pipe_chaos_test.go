package topology_test

import (
	"context"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/topology"
)

// C66: workers are processes that are killed, one every 200 ms, and others started in their place.
func TestKilledWorkersCostNoResult(t *testing.T) {
	n := 100_000 / slowly
	if testing.Short() {
		n = 20_000 / slowly
	}
	tasks, results := "tcp://"+freeAddress(t), "tcp://"+freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	var chaos sync.WaitGroup
	begin := func() process {
		return start(t, "farm", "-run", "worker", "-us", "20", "-at", "tasks="+tasks, "-at", "results="+results)
	}
	kills := 0
	chaos.Go(func() {
		var workers []process
		for range 4 {
			workers = append(workers, begin())
		}
		for ctx.Err() == nil {
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
			}
			i := rand.IntN(len(workers))
			workers[i].Cmd.Process.Signal(syscall.SIGKILL)
			<-workers[i].Exited
			kills++
			workers[i] = begin()
		}
		for _, w := range workers {
			w.Cmd.Process.Signal(syscall.SIGKILL)
			<-w.Exited
		}
	})
	seen := make([]int, n)
	var longest time.Duration
	top := topology.New("farm")
	in := topology.Pipe[int](top, "tasks", tasks)
	out := topology.Pipe[int](top, "results", results)
	topology.Source(top, "source", in, numbers(n))
	topology.Stage(top, "worker", in, out, func(context.Context, int) (int, error) { panic("not here") })
	topology.Sink(top, "sink", out, func(_ context.Context, seq iter.Seq[int]) error {
		var last time.Time
		for i := range seq {
			seen[i]++
			now := time.Now()
			if !last.IsZero() {
				longest = max(longest, now.Sub(last))
			}
			last = now
		}
		return nil
	})
	began := time.Now()
	err := top.Run(t.Context(), topology.Options{Run: []string{"source", "sink"},
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	took := time.Since(began)
	cancel()
	chaos.Wait()
	t.Logf("%d tasks in %v, %d kills, longest wait %v", n, took, kills, longest)
	if err != nil {
		t.Fatal(err)
	}
	for i, times := range seen {
		if times != 1 {
			t.Fatalf("task %d has %d results", i, times)
		}
	}
	if longest > 2*time.Second {
		t.Errorf("no result for %v", longest)
	}
}
