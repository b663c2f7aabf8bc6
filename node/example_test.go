package node_test

import (
	"context"
	"fmt"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/node"
)

// Hello is what the greeter is sent.
type Hello struct{ Name string }

// Two nodes greet each other: here in one process, though nothing but the endpoint would differ between two machines.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	beta, err := node.Start(ctx, node.Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}})
	if err != nil {
		panic(err)
	}
	defer beta.Close(ctx)
	alpha, err := node.Start(ctx, node.Config{
		Name:  "alpha",
		Peers: map[string]string{"beta": beta.Endpoints()[0].String()},
	})
	if err != nil {
		panic(err)
	}
	defer alpha.Close(ctx)

	for _, n := range []*node.Node{alpha, beta} {
		_, err := actor.Spawn(n, "greeter", func(c *actor.Context, m Hello) error {
			return c.Reply(fmt.Sprintf("Hello %s, this is %s", m.Name, n.Name()))
		})
		if err != nil {
			panic(err)
		}
	}

	// alpha dialled beta, but beta finds alpha as well.
	atBeta := actor.RefTo[Hello](actor.Named("greeter@beta"))
	fmt.Println(actor.As[string](atBeta.Ask(ctx, alpha, Hello{"alpha"})))
	atAlpha := actor.RefTo[Hello](actor.Named("greeter@alpha"))
	fmt.Println(actor.As[string](atAlpha.Ask(ctx, beta, Hello{"beta"})))
	// Output:
	// Hello alpha, this is beta <nil>
	// Hello beta, this is alpha <nil>
}
