package topology_test

import (
	"context"
	"iter"
	"log/slog"
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
