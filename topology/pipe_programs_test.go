package topology_test

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/troupe-go/troupe/topology"
	"github.com/troupe-go/troupe/topology/durable"
)

func init() {
	// farm's workers sleep for so many microseconds at each task.
	programs["farm"] = func() {
		n := flag.Int("tasks", 100, "")
		say := flag.Bool("say", false, "")
		us := flag.Int("us", 1000, "")
		top := topology.New("farm")
		var opts []topology.EdgeOption
		if path := os.Getenv("FARM_FILE"); path != "" {
			opts = append(opts, topology.Durable(durable.File(path)))
		}
		tasks := topology.Pipe[int](top, "tasks", "tcp://127.0.0.1:5557", opts...)
		results := topology.Pipe[int](top, "results", "tcp://127.0.0.1:5558")
		topology.Source(top, "source", tasks, func(ctx context.Context, emit func(int) error) error {
			for i := topology.Sent(ctx); i < *n; i++ {
				if err := emit(i); err != nil {
					return err
				}
			}
			return nil
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
