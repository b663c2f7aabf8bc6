// Hello is the hello world of the ZeroMQ Guide: a client says Hello ten times, a server answers World. Run it whole, as
// processes (-processes), or each role on its own (-run server, -run client), also against the Guide's clients and
// servers in any language. -help lists all flags.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/topology"
)

func main() {
	count := flag.Int("count", 10, "how many times the client says Hello")
	delay := flag.Duration("delay", 0, "how long the server pretends to work on each reply")

	t := topology.New("hello")
	hello := topology.Service[string, string](t, "hello", "tcp://127.0.0.1:5555", topology.ZMQ(codec.Raw))

	topology.Server(t, "server", hello, func(ctx context.Context, request string) (string, error) {
		select {
		case <-time.After(*delay):
			return "World", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	})

	topology.Client(t, "client", hello, func(ctx context.Context, server *topology.Caller[string, string]) error {
		for range *count {
			reply, err := server.Call(ctx, "Hello")
			if err != nil {
				return err
			}
			fmt.Println("Hello ->", reply)
		}
		return nil
	})

	topology.Main(t)
}
