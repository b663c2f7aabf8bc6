package topology_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"

	"github.com/troupe-go/troupe/topology"
)

// Words are counted by four workers. The batch ends by itself.
func ExamplePipe() {
	t := topology.New("count")
	texts := topology.Pipe[string](t, "texts", "tcp://127.0.0.1:5557")
	counts := topology.Pipe[int](t, "counts", "tcp://127.0.0.1:5558")
	topology.Source(t, "reader", texts, func(_ context.Context, emit func(string) error) error {
		for _, text := range []string{"to be or not", "to be that is", "the question"} {
			if err := emit(text); err != nil {
				return err
			}
		}
		return nil
	})
	topology.Stage(t, "counter", texts, counts, func(_ context.Context, text string) (int, error) {
		return len(strings.Fields(text)), nil
	}, topology.Instances(4))
	topology.Sink(t, "sum", counts, func(_ context.Context, counts iter.Seq[int]) error {
		sum := 0
		for n := range counts {
			sum += n
		}
		fmt.Println(sum, "words")
		return nil
	})
	if err := t.Run(context.Background(), topology.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}); err != nil {
		fmt.Println(err)
	}
	// Output: 10 words
}

// A task that fails time and again ends in a pipe of its own.
func ExampleDeadLetters() {
	t := topology.New("halves")
	odd := topology.Pipe[topology.Failed[int]](t, "odd", "tcp://127.0.0.1:5559")
	numbers := topology.Pipe[int](t, "numbers", "tcp://127.0.0.1:5557", topology.Retries(1), topology.DeadLetters(odd))
	halves := topology.Pipe[int](t, "halves", "tcp://127.0.0.1:5558")
	topology.Source(t, "source", numbers, func(_ context.Context, emit func(int) error) error {
		for i := 4; i < 7; i++ {
			if err := emit(i); err != nil {
				return err
			}
		}
		return nil
	})
	topology.Stage(t, "halve", numbers, halves, func(_ context.Context, n int) (int, error) {
		if n%2 == 1 {
			return 0, fmt.Errorf("%d is odd", n)
		}
		return n / 2, nil
	})
	sum := 0
	topology.Sink(t, "sum", halves, func(_ context.Context, halves iter.Seq[int]) error {
		for n := range halves {
			sum += n
		}
		return nil
	})
	topology.Sink(t, "dead", odd, func(_ context.Context, failed iter.Seq[topology.Failed[int]]) error {
		for f := range failed {
			fmt.Printf("%d failed %d times: %s\n", f.Task, f.Attempts, f.Err)
		}
		return nil
	})
	if err := t.Run(context.Background(), topology.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}); err != nil {
		fmt.Println(err)
	}
	fmt.Println("the others add up to", sum)
	// Output:
	// 5 failed 2 times: 5 is odd
	// the others add up to 5
}
