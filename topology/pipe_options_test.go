package topology_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

func TestABatchWaitsForAllItsWorkers(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			f := newFarm(farmOptions{n: 100, workers: 4, tasks: []topology.EdgeOption{topology.MinWorkers(4)}})
			if err := f.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			f.complete(t, 100, 1)
		})
	}
	f := newFarm(farmOptions{n: 10, workers: 2, tasks: []topology.EdgeOption{topology.MinWorkers(3)}})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	o := carriers(t)["handed"]
	o.Drain = 10 * time.Millisecond
	if err := f.Run(ctx, o); !errors.Is(err, context.DeadlineExceeded) || len(f.results) != 0 {
		t.Errorf("with too few workers: %v, %d results", err, len(f.results))
	}
}

func TestAnOrderedPipeKeepsTheOrderOfEachKey(t *testing.T) {
	byKey := topology.Ordered(func(i int) string { return fmt.Sprint(i % 3) })
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			f := newFarm(farmOptions{n: 300, workers: 4, tasks: []topology.EdgeOption{byKey},
				work: func(ctx context.Context, i int) (int, error) {
					if i%50 == 0 && topology.Attempt(ctx) == 1 {
						return 0, errors.New("the first time")
					}
					time.Sleep(time.Duration(i*7%5) * 100 * time.Microsecond)
					return 2 * i, nil
				}})
			if err := f.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			for key := range 3 {
				of := slices.DeleteFunc(slices.Clone(f.results), func(r int) bool { return r/2%3 != key })
				if !slices.IsSorted(of) {
					t.Errorf("key %d: %v", key, of)
				}
			}
			f.complete(t, 300, 1)
		})
	}
}

func TestStateOfAStageIsMadeAnewAfterAPanic(t *testing.T) {
	var made, tries atomic.Int32
	top := topology.New("farm")
	tasks := topology.Pipe[int](top, "tasks", "inproc://tasks")
	results := topology.Pipe[int](top, "results", "inproc://results")
	topology.Source(top, "source", tasks, numbers(10))
	topology.StageNew(top, "worker", tasks, results, func(context.Context) (func(context.Context, int) (int, error), error) {
		if tries.Add(1) == 1 {
			return nil, errors.New("not yet")
		}
		made.Add(1)
		sum := 0 // of what this state has seen
		return func(ctx context.Context, i int) (int, error) {
			if i == 5 && topology.Attempt(ctx) == 1 {
				panic("broken")
			}
			sum += i
			return sum, nil
		}, nil
	})
	var last int
	topology.Sink(top, "sink", results, func(_ context.Context, seq iter.Seq[int]) error {
		for last = range seq {
		}
		return nil
	})
	if err := top.Run(t.Context(), carriers(t)["handed"]); err != nil {
		t.Fatal(err)
	}
	if made.Load() != 2 || last != 5+6+7+8+9 {
		t.Errorf("made %d times, the last sum is %d", made.Load(), last)
	}
}

func TestAStageSendsIntoAnotherPipeToo(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			top := topology.New("farm")
			tasks := topology.Pipe[int](top, "tasks", "tcp://127.0.0.1:5557")
			results := topology.Pipe[int](top, "results", "tcp://127.0.0.1:5558")
			notes := topology.Pipe[string](top, "notes", "tcp://127.0.0.1:5559")
			topology.Source(top, "source", tasks, numbers(1000))
			topology.Stage(top, "worker", tasks, results, func(ctx context.Context, i int) (int, error) {
				if i%10 == 0 {
					if err := notes.Send(ctx, fmt.Sprint(i)); err != nil {
						return 0, err
					}
				}
				return i, nil
			}, topology.Uses(notes), topology.Instances(2))
			topology.Sink(top, "sink", results, drain[int])
			n := 0
			topology.Sink(top, "scribe", notes, func(_ context.Context, seq iter.Seq[string]) error {
				for range seq {
					n++
				}
				return nil
			})
			if err := top.Run(t.Context(), o); err != nil || n != 100 {
				t.Errorf("%d notes, %v", n, err)
			}
		})
	}
}

func TestSendNeedsTheContextOfARoleThatUsesThePipe(t *testing.T) {
	top := topology.New("t")
	p := topology.Pipe[int](top, "p", "inproc://p")
	if err := p.Send(t.Context(), 1); !errors.Is(err, topology.ErrDeclared) {
		t.Error(err)
	}
}

func TestSeveralSourcesHaveToEnd(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			delete(o.At, "results")
			top := topology.New("farm")
			tasks := topology.Pipe[int](top, "tasks", "tcp://127.0.0.1:5557")
			topology.Source(top, "source", tasks, numbers(1000), topology.Instances(3))
			topology.Source(top, "other", tasks, numbers(100))
			n := 0
			topology.Sink(top, "sink", tasks, func(_ context.Context, seq iter.Seq[int]) error {
				for range seq {
					n++
				}
				return nil
			}, topology.Binds(tasks))
			if err := top.Run(t.Context(), o); err != nil || n != 3100 {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
}

func TestWhatAPipeCantDoIsAMistake(t *testing.T) {
	for says, declare := range map[string]func(top *topology.Topology){
		"the option Ordered got a func(string) string; the pipe carries int": func(top *topology.Topology) {
			topology.Pipe[int](top, "p", "inproc://p", topology.Ordered(func(s string) string { return s }))
		},
		"the option Ordered got a nil function": func(top *topology.Topology) {
			topology.Pipe[int](top, "p", "inproc://p", topology.Ordered[int](nil))
		},
		"DeadLetters got a pipe for failed tasks of type string": func(top *topology.Topology) {
			dead := topology.Pipe[topology.Failed[string]](top, "dead", "inproc://d")
			topology.Pipe[int](top, "p", "inproc://p", topology.DeadLetters(dead))
		},
		"DeadLetters got a nil edge": func(top *topology.Topology) {
			topology.Pipe[int](top, "p", "inproc://p", topology.DeadLetters[int](nil))
		},
		"-1 retries": func(top *topology.Topology) {
			topology.Pipe[int](top, "p", "inproc://p", topology.Retries(-1))
		},
		"ZMQ goes with no other option": func(top *topology.Topology) {
			topology.Pipe[string](top, "p", "inproc://p", topology.ZMQ(codec.Raw), topology.MinWorkers(2))
		},
		"chan int can't be sent": func(top *topology.Topology) {
			topology.Pipe[chan int](top, "p", "inproc://p")
		},
		"topology.Source got a nil edge": func(top *topology.Topology) {
			topology.Source(top, "s", (*topology.PipeEdge[int])(nil), numbers(1))
		},
		"topology.Stage got a nil function": func(top *topology.Topology) {
			p := topology.Pipe[int](top, "p", "inproc://p")
			topology.Stage[int, int](top, "s", p, p, nil)
		},
	} {
		top := topology.New("t")
		declare(top)
		if err := top.Run(t.Context(), topology.Options{}); !errors.Is(err, topology.ErrDeclared) || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
}
