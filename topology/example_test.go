package topology_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

// A service with its server and a client, run whole in this process. With topology.Main(t) in the place of Run, flags
// decide where the roles run.
func Example() {
	t := topology.New("shouting")
	shout := topology.Service[string, string](t, "shout", "tcp://127.0.0.1:5555", topology.ZMQ(codec.Raw))
	topology.Server(t, "server", shout, func(_ context.Context, word string) (string, error) {
		return strings.ToUpper(word), nil
	})
	topology.Client(t, "client", shout, func(ctx context.Context, c *topology.Caller[string, string]) error {
		for _, word := range []string{"hello", "world"} {
			reply, err := c.Call(ctx, word)
			if err != nil {
				return err
			}
			fmt.Println(reply)
		}
		return nil
	})
	if err := t.Run(context.Background(), topology.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// HELLO
	// WORLD
}
