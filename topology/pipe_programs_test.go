package topology_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"time"

	"github.com/troupe-go/troupe/topology"
)

func init() {
	// farm's workers sleep for so many microseconds at each task.
	programs["farm"] = func() {
		n := flag.Int("tasks", 100, "")
		say := flag.Bool("say", false, "")
		us := flag.Int("us", 1000, "")
		top := topology.New("farm")
		tasks := topology.Pipe[int](top, "tasks", "tcp://127.0.0.1:5557")
		results := topology.Pipe[int](top, "results", "tcp://127.0.0.1:5558")
		topology.Source(top, "source", tasks, func(ctx context.Context, emit func(int) error) error {
			return numbers(*n)(ctx, emit)
		})
		topology.Stage(top, "worker", tasks, results, func(_ context.Context, i int) (int, error) {
			if *say {
				fmt.Println(i, "begins")
				defer fmt.Println(i, "is done")
			}
			time.Sleep(time.Duration(*us) * time.Microsecond)
			return i, nil
		})
		topology.Sink(top, "sink", results, func(_ context.Context, seq iter.Seq[int]) error {
			distinct := map[int]bool{}
			all := 0
			for i := range seq {
				all++
				distinct[i] = true
			}
			fmt.Printf("results=%d distinct=%d\n", all, len(distinct))
			return nil
		})
		topology.Main(top)
	}
}
