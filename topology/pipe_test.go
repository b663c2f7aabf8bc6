package topology_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/topology"
)

// farm is a topology of a source of the numbers below n, workers that work on them, and a sink that keeps the results.
type farm struct {
	*topology.Topology
	results []int
}

type farmOptions struct {
	n, workers, sources int
	work                func(context.Context, int) (int, error)
	tasks, results      []topology.EdgeOption
}

func newFarm(o farmOptions) *farm {
	f := &farm{Topology: topology.New("farm")}
	tasks := topology.Pipe[int](f.Topology, "tasks", "tcp://127.0.0.1:5557", o.tasks...)
	results := topology.Pipe[int](f.Topology, "results", "tcp://127.0.0.1:5558", o.results...)
	topology.Source(f.Topology, "source", tasks, numbers(o.n), topology.Instances(max(1, o.sources)))
	if o.work == nil {
		o.work = func(_ context.Context, i int) (int, error) { return 2 * i, nil }
	}
	topology.Stage(f.Topology, "worker", tasks, results, o.work, topology.Instances(max(1, o.workers)))
	topology.Sink(f.Topology, "sink", results, f.collect)
	return f
}

// numbers is a source of the numbers below n.
func numbers(n int) func(context.Context, func(int) error) error {
	return func(_ context.Context, emit func(int) error) error {
		for i := range n {
			if err := emit(i); err != nil {
				return err
			}
		}
		return nil
	}
}

func (f *farm) collect(_ context.Context, results iter.Seq[int]) error {
	for r := range results {
		f.results = append(f.results, r)
	}
	return nil
}

// complete fails the test if the results aren't the doubles of the numbers below n, each so many times.
func (f *farm) complete(t *testing.T, n, times int) {
	t.Helper()
	var want []int
	for i := range n {
		for range times {
			want = append(want, 2*i)
		}
	}
	slices.Sort(f.results)
	if !slices.Equal(f.results, want) {
		t.Errorf("%d results, want %d: %v", len(f.results), len(want), f.results[:min(100, len(f.results))])
	}
}

// carriers are the ways in which a farm's edges can be inside one process.
func carriers(t testing.TB) map[string]topology.Options {
	log := slog.New(slog.DiscardHandler)
	at := func(tasks, results string) topology.Options {
		return topology.Options{At: map[string]string{"tasks": tasks, "results": results}, Log: log}
	}
	mem := at("tcp://a:1", "tcp://b:1")
	mem.Network = memnet.New()
	return map[string]topology.Options{
		"handed": {Log: log},
		"inproc": at("inproc://tasks"+t.Name(), "inproc://results"+t.Name()),
		"tcp":    at("tcp://"+freeAddress(t), "tcp://"+freeAddress(t)),
		"memnet": mem,
		"mixed":  {At: map[string]string{"tasks": "tcp://" + freeAddress(t)}, Log: log},
	}
}

// C01
func TestEveryTaskHasOneResultAndTheStreamEnds(t *testing.T) {
	for name, o := range carriers(t) {
		for _, workers := range []int{1, 3} {
			t.Run(fmt.Sprint(name, workers), func(t *testing.T) {
				f := newFarm(farmOptions{n: 10_000, workers: workers})
				if err := f.Run(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				f.complete(t, 10_000, 1)
			})
		}
	}
}

func TestStreamWithoutTasksEnds(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			f := newFarm(farmOptions{n: 0, workers: 2})
			if err := f.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			f.complete(t, 0, 1)
		})
	}
}

func TestFailedTasksAreGivenOutAgain(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			var tries [100]atomic.Int32
			f := newFarm(farmOptions{n: 100, workers: 2, work: func(ctx context.Context, i int) (int, error) {
				try := int(tries[i].Add(1))
				if got := topology.Attempt(ctx); got != try {
					t.Errorf("attempt %d of task %d is said to be %d", try, i, got)
				}
				switch {
				case i == 7 && try <= 5:
					return 0, errors.New("no luck")
				case i == 8 && try <= 5:
					panic("bad luck")
				}
				return 2 * i, nil
			}})
			if err := f.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			f.complete(t, 100, 1)
		})
	}
}

func TestDeadTasksGoToTheirPipeAndTheStreamEnds(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			top := topology.New("farm")
			letters := topology.Pipe[topology.Failed[int]](top, "letters", "tcp://127.0.0.1:5559")
			tasks := topology.Pipe[int](top, "tasks", "tcp://127.0.0.1:5557", topology.DeadLetters(letters), topology.Retries(2))
			results := topology.Pipe[int](top, "results", "tcp://127.0.0.1:5558")
			topology.Source(top, "source", tasks, numbers(100))
			topology.Stage(top, "worker", tasks, results, func(_ context.Context, i int) (int, error) {
				if i%10 == 0 {
					return 0, fmt.Errorf("not %d", i)
				}
				return i, nil
			}, topology.Instances(2))
			n := 0
			topology.Sink(top, "sink", results, func(_ context.Context, seq iter.Seq[int]) error {
				for range seq {
					n++
				}
				return nil
			})
			var dead []topology.Failed[int]
			topology.Sink(top, "graveyard", letters, func(_ context.Context, seq iter.Seq[topology.Failed[int]]) error {
				dead = slices.AppendSeq(dead, seq)
				return nil
			})
			if err := top.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(dead, func(a, b topology.Failed[int]) int { return a.Task - b.Task })
			if n != 90 || len(dead) != 10 || dead[3] != (topology.Failed[int]{Task: 30, Err: "not 30", Attempts: 3}) {
				t.Errorf("%d results and the dead tasks %v", n, dead)
			}
		})
	}
}

// It is called where the death of a task is heard of, which is nobody's role.
func TestAKeyThatPanicsForADeadTaskEndsNothing(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			top := topology.New("farm")
			letters := topology.Pipe[topology.Failed[int]](top, "letters", "tcp://127.0.0.1:5559",
				topology.Ordered(func(f topology.Failed[int]) string { panic("no key") }))
			tasks := topology.Pipe[int](top, "tasks", "tcp://127.0.0.1:5557", topology.DeadLetters(letters), topology.Retries(0))
			results := topology.Pipe[int](top, "results", "tcp://127.0.0.1:5558")
			topology.Source(top, "source", tasks, numbers(10))
			topology.Stage(top, "worker", tasks, results, func(_ context.Context, i int) (int, error) { return 0, errors.New("no") })
			topology.Sink(top, "sink", results, drain[int])
			topology.Sink(top, "graveyard", letters, drain[topology.Failed[int]])
			if err := top.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestSinkThatHasEnoughEndsTheRun(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			top := topology.New("farm")
			tasks := topology.Pipe[int](top, "tasks", "tcp://127.0.0.1:5557")
			topology.Source(top, "source", tasks, numbers(1_000_000))
			n := 0
			topology.Sink(top, "sink", tasks, func(_ context.Context, seq iter.Seq[int]) error {
				for range seq {
					if n++; n == 10 {
						break
					}
				}
				return nil
			})
			delete(o.At, "results")
			if err := top.Run(t.Context(), o); err != nil || n != 10 {
				t.Error(n, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
