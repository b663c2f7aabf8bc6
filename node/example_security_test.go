package node_test

import (
	"context"
	"fmt"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/mailbox/curve"
	"github.com/troupe-go/troupe/node"
)

// Two nodes that know each other by their keys. In earnest each makes its pair once, keeps what Secret returns in a file
// of its own (curve.ParseSecretKey reads it), and gives the other its public key.
func Example_security() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	alphasKey, betasKey := curve.NewKeyPair(), curve.NewKeyPair()

	beta, err := node.Start(ctx, node.Config{
		Name:   "beta",
		Listen: []string{"tcp://127.0.0.1:0"}, // or "tcp://*:4000", for other machines
		Security: &node.Security{
			Key:   betasKey,
			Nodes: map[string][]curve.Key{"alpha": {alphasKey.Public()}},
		},
	})
	if err != nil {
		panic(err)
	}
	defer beta.Close(ctx)
	alpha, err := node.Start(ctx, node.Config{
		Name:  "alpha",
		Peers: map[string]string{"beta": beta.Endpoints()[0].String()},
		Security: &node.Security{
			Key:   alphasKey,
			Nodes: map[string][]curve.Key{"beta": {betasKey.Public()}},
		},
	})
	if err != nil {
		panic(err)
	}
	defer alpha.Close(ctx)

	_, err = actor.Spawn(beta, "safe", func(c *actor.Context, m string) error {
		return c.Reply("nobody else knows of " + m)
	})
	if err != nil {
		panic(err)
	}
	safe := actor.RefTo[string](actor.Named("safe@beta"))
	fmt.Println(actor.As[string](safe.Ask(ctx, alpha, "the treasure")))
	// Output: nobody else knows of the treasure <nil>
}
