// Taskfarm is the parallel task farm of the ZeroMQ Guide: a ventilator gives out tasks of 1 to 100 milliseconds, workers
// sleep as long as each says, and a sink collects the results. Run it whole (-n worker=4), as processes (-processes), or
// each role on its own (-run ventilator, -run worker, -run sink); workers may come and be killed while it runs, and
// worker.py is one in Python. With -plain it speaks as the Guide's programs do. -help lists all flags.
package main

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/troupe-go/troupe/topology"
)

// Task is work that takes some time.
type Task struct {
	Number       int
	Milliseconds int
}

// Result says by whom a task was done.
type Result struct {
	Task   Task
	Worker string
}

func main() {
	n := flag.Int("tasks", 100, "how many tasks")
	seed := flag.Uint64("seed", rand.Uint64(), "of the tasks' random lengths")
	plain := flag.Bool("plain", false, "speak as the Guide's programs do, with foreign ones")

	t := topology.New("taskfarm")
	tasks := topology.Pipe[Task](t, "tasks", "tcp://127.0.0.1:5557", topology.MinWorkers(topology.Started),
		topology.ZMQWhen(plain, milliseconds{}))
	results := topology.Pipe[Result](t, "results", "tcp://127.0.0.1:5558", topology.ZMQWhen(plain, anything{}))

	topology.Source(t, "ventilator", tasks, func(ctx context.Context, emit func(Task) error) error {
		if *plain {
			if err := beginBatch(ctx, results); err != nil {
				return err
			}
		}
		for _, task := range batch(*n, *seed) {
			if err := emit(task); err != nil {
				return err
			}
		}
		return nil
	}, topology.Uses(results))

	topology.StageNew(t, "worker", tasks, results, func(context.Context) (func(context.Context, Task) (Result, error), error) {
		name := fmt.Sprintf("%08x", rand.Uint32())
		return func(ctx context.Context, task Task) (Result, error) {
			select {
			case <-time.After(time.Duration(task.Milliseconds) * time.Millisecond):
				return Result{task, name}, nil
			case <-ctx.Done():
				return Result{}, ctx.Err()
			}
		}, nil
	})

	topology.Sink(t, "sink", results, func(_ context.Context, all iter.Seq[Result]) error {
		if *plain {
			return collectBatch(all, *n)
		}
		var s summary
		for r := range all {
			s.add(r)
		}
		fmt.Println(s.String())
		return nil
	})

	topology.Main(t)
}

// batch returns n tasks of 1 to 100 ms, the same for the same seed.
func batch(n int, seed uint64) []Task {
	random := rand.New(rand.NewPCG(seed, 0))
	tasks := make([]Task, n)
	for i := range tasks {
		tasks[i] = Task{i, 1 + random.IntN(100)}
	}
	return tasks
}
