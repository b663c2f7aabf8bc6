package topology_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

var errNegative = errors.New("no root of a negative number")

// Without ZMQ a service carries any Go values, has as many servers as are needed, and its callers get the handlers'
// errors, which keep their identity over sockets if they are registered.
func ExampleService() {
	if err := codec.RegisterError(errNegative, "example.negative"); err != nil {
		fmt.Println(err)
	}
	t := topology.New("roots")
	roots := topology.Service[int, int](t, "roots", "tcp://127.0.0.1:5555")
	topology.Server(t, "server", roots, func(_ context.Context, n int) (int, error) {
		if n < 0 {
			return 0, fmt.Errorf("%d: %w", n, errNegative)
		}
		root := 0
		for (root+1)*(root+1) <= n {
			root++
		}
		return root, nil
	}, topology.Instances(4))
	topology.Client(t, "client", roots, func(ctx context.Context, c *topology.Caller[int, int]) error {
		var all sync.WaitGroup
		var roots [5]int
		for i := range roots {
			all.Go(func() { roots[i], _ = c.Call(ctx, i*i*i) })
		}
		all.Wait()
		fmt.Println(roots)
		_, err := c.Call(ctx, -4)
		fmt.Println(err, errors.Is(err, errNegative))
		return nil
	})
	quiet := topology.Options{Log: slog.New(slog.DiscardHandler)}
	if err := t.Run(context.Background(), quiet); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [0 1 2 5 8]
	// -4: no root of a negative number true
}

// Each instance has a state of its own, here a cache.
func ExampleServerNew() {
	t := topology.New("lengths")
	lengths := topology.Service[string, int](t, "lengths", "tcp://127.0.0.1:5555")
	topology.ServerNew(t, "server", lengths, func(context.Context) (func(context.Context, string) (int, error), error) {
		known := map[string]int{}
		return func(_ context.Context, word string) (int, error) {
			if _, ok := known[word]; !ok {
				fmt.Println("measuring", word)
				known[word] = len(word)
			}
			return known[word], nil
		}, nil
	})
	topology.Client(t, "client", lengths, func(ctx context.Context, c *topology.Caller[string, int]) error {
		for _, word := range []string{"curtain", "stage", "curtain"} {
			n, err := c.Call(ctx, word)
			if err != nil {
				return err
			}
			fmt.Println(word, n)
		}
		return nil
	})
	if err := t.Run(context.Background(), topology.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// measuring curtain
	// curtain 7
	// measuring stage
	// stage 5
	// curtain 7
}

// A reply that is long, or never ends, comes in parts. The loop decides how fast, and when it is enough.
func ExampleStreamServer() {
	t := topology.New("powers")
	powers := topology.Service[int, int](t, "powers", "tcp://127.0.0.1:5555")
	topology.StreamServer(t, "server", powers, func(_ context.Context, base int, send func(int) error) error {
		for power := 1; ; power *= base {
			if err := send(power); err != nil { // the caller has had enough
				return nil
			}
		}
	})
	topology.Client(t, "client", powers, func(ctx context.Context, c *topology.Caller[int, int]) error {
		for power, err := range c.Stream(ctx, 3) {
			if err != nil {
				return err
			}
			if power > 100 {
				break
			}
			fmt.Println(power)
		}
		return nil
	})
	if err := t.Run(context.Background(), topology.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1
	// 3
	// 9
	// 27
	// 81
}
