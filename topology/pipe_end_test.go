package topology_test

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/topology"
)

// Stages that serve one batch serve the next, however many there are in a row: its sink does not take the end of the first
// for its own.
func TestARowOfStagesOutlivesABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		got := 0
		run := func(ctx context.Context, role string) error {
			top := topology.New("row")
			a := topology.Pipe[int](top, "a", "tcp://row:1")
			b := topology.Pipe[int](top, "b", "tcp://row:2")
			c := topology.Pipe[int](top, "c", "tcp://row:3")
			same := func(_ context.Context, i int) (int, error) { return i, nil }
			topology.Source(top, "source", a, numbers(100))
			topology.Stage(top, "first", a, b, same)
			topology.Stage(top, "second", b, c, same, topology.Binds(b))
			topology.Sink(top, "sink", c, func(_ context.Context, all iter.Seq[int]) error {
				for range all {
					got++
				}
				return nil
			})
			return top.Run(ctx, topology.Options{Run: []string{role}, Network: network, Log: slog.New(slog.DiscardHandler)})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		var stages sync.WaitGroup
		for _, role := range []string{"first", "second"} {
			stages.Go(func() { run(ctx, role) })
		}
		for batch := range 3 {
			got = 0
			var ends sync.WaitGroup
			for _, role := range []string{"sink", "source"} {
				ends.Go(func() {
					if err := run(ctx, role); err != nil {
						t.Errorf("batch %d: %s: %v", batch, role, err)
					}
				})
				time.Sleep(2 * time.Second) // the sink is connected
			}
			ends.Wait()
			if got != 100 {
				t.Fatalf("batch %d: %d results", batch, got)
			}
		}
		cancel()
		stages.Wait()
	})
}

// A goroutine of a source that goes on after its function harms nobody.
func TestWhatASourceSendsAfterItsEndIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []topology.Options{{}, {Network: memnet.New(), At: map[string]string{"tasks": "tcp://late:1"}}} {
			top := topology.New("late")
			tasks := topology.Pipe[int](top, "tasks", "tcp://late:1")
			late := make(chan error, 1)
			topology.Source(top, "early", tasks, func(_ context.Context, emit func(int) error) error {
				time.AfterFunc(time.Second, func() { late <- emit(2) })
				return emit(1)
			})
			topology.Source(top, "other", tasks, func(_ context.Context, emit func(int) error) error {
				time.Sleep(3 * time.Second)
				return emit(3)
			})
			var got []int
			topology.Sink(top, "sink", tasks, func(_ context.Context, all iter.Seq[int]) error {
				got = slices.Collect(all)
				return nil
			}, topology.Binds(tasks))
			o.Log = slog.New(slog.DiscardHandler)
			if err := top.Run(t.Context(), o); err != nil || !slices.Equal(got, []int{1, 3}) {
				t.Errorf("got %v, %v", got, err)
			}
			if err := <-late; err == nil {
				t.Error("it is accepted, although nobody is to get it")
			}
		}
	})
}
