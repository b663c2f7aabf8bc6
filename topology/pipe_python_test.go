package topology_test

import (
	"context"
	"iter"
	"log/slog"
	"os"
	"testing"

	"github.com/troupe-go/troupe/internal/pyzmq"
	"github.com/troupe-go/troupe/topology"
)

// task and result are those of examples/taskfarm.
type (
	task   struct{ ID, Millis int }
	result struct {
		ID, Millis int
		Worker     string
	}
)

// C66: one of the foreign workers is killed.
func TestPythonWorkersJoinTheAcknowledgedForm(t *testing.T) {
	script, err := os.ReadFile("../examples/taskfarm/worker.py")
	if err != nil {
		t.Fatal(err)
	}
	const n = 300
	tasks, results := "tcp://"+freeAddress(t), "tcp://"+freeAddress(t)
	top := topology.New("farm")
	in := topology.Pipe[task](top, "tasks", tasks)
	out := topology.Pipe[result](top, "results", results)
	topology.Source(top, "ventilator", in, func(_ context.Context, emit func(task) error) error {
		for i := range n {
			if err := emit(task{ID: i, Millis: 1 + i%3}); err != nil {
				return err
			}
		}
		return nil
	})
	topology.Stage(top, "worker", in, out, func(context.Context, task) (result, error) { panic("not here") })
	var seen [n]int
	topology.Sink(top, "sink", out, func(_ context.Context, seq iter.Seq[result]) error {
		first := pyzmq.Command(t, string(script), tasks, results)
		second := pyzmq.Command(t, string(script), tasks, results)
		if err := first.Start(); err != nil {
			return err
		}
		if err := second.Start(); err != nil {
			return err
		}
		done := 0
		for r := range seq {
			if r.Worker != "python" || r.Millis != 1+r.ID%3 {
				t.Errorf("result %+v", r)
			}
			seen[r.ID]++
			if done++; done == n/3 {
				first.Process.Kill()
				first.Wait()
			}
		}
		second.Process.Kill()
		second.Wait()
		return nil
	})
	o := topology.Options{Run: []string{"ventilator", "sink"}, Log: slog.New(slog.DiscardHandler)}
	if err := top.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for i, times := range seen {
		if times != 1 {
			t.Errorf("task %d has %d results", i, times)
		}
	}
}
