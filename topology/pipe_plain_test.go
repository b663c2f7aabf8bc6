package topology_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

// errEnough ends nothing but a test's source.
var errEnough = errors.New("enough")

func TestPlainPipeCarriesValuesUntilItsSinkHasEnough(t *testing.T) {
	for name, o := range carriers(t) {
		t.Run(name, func(t *testing.T) {
			top := topology.New("plain")
			tasks := topology.Pipe[[]byte](top, "tasks", "tcp://127.0.0.1:5557", topology.ZMQ(codec.Raw))
			results := topology.Pipe[string](top, "results", "tcp://127.0.0.1:5558", topology.ZMQ(codec.Raw))
			topology.Source(top, "source", tasks, func(_ context.Context, emit func([]byte) error) error {
				for i := range 1000 {
					if err := emit(fmt.Append(nil, i)); err != nil {
						return err
					}
				}
				return nil
			})
			topology.Stage(top, "worker", tasks, results, func(_ context.Context, b []byte) (string, error) {
				return string(b) + "!", nil
			}, topology.Instances(2))
			seen := map[string]int{}
			topology.Sink(top, "sink", results, func(_ context.Context, seq iter.Seq[string]) error {
				n := 0
				for s := range seq {
					seen[s]++
					if n++; n == 1000 {
						return nil
					}
				}
				return errEnough
			})
			if err := top.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if len(seen) != 1000 || seen["999!"] != 1 {
				t.Errorf("%d different results", len(seen))
			}
		})
	}
}
