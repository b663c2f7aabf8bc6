package gossip_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/node"
	"github.com/troupe-go/troupe/node/gossip"
)

// Beta knows where alpha gossips, and so both can reach each other's actors by name.
func Example() {
	ctx := context.Background()
	start := func(name, gossips string, seeds ...string) *node.Node {
		n, err := node.Start(ctx, node.Config{
			Name:      name,
			Listen:    []string{"tcp://127.0.0.1:0"},
			Discovery: gossip.Discovery{Bind: gossips, Seeds: seeds, Key: []byte("a secret of 16 B")},
		})
		if err != nil {
			log.Fatal(err)
		}
		return n
	}
	alpha := start("alpha", "127.0.0.1:7946")
	defer alpha.Close(ctx)
	beta := start("beta", "127.0.0.1:7947", "127.0.0.1:7946")
	defer beta.Close(ctx)
	_, err := actor.Spawn(beta, "greeter", func(c *actor.Context, name string) error { return c.Reply("Hello, " + name) })
	if err != nil {
		log.Fatal(err)
	}
	for len(alpha.Nodes()) < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Println(actor.As[string](actor.RefTo[string](actor.Named("greeter@beta")).Ask(ctx, alpha, "alpha")))
	// It prints: Hello, alpha <nil>
}
