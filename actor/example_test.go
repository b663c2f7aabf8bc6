package actor_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/troupe-go/troupe/actor"
)

type Hello struct{ Name string }

// One actor greets: ask it from outside.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()

	system, err := actor.NewSystem(actor.Config{Node: "hello"})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close(ctx)

	greeter, err := actor.Spawn(system, "greeter", func(c *actor.Context, m Hello) error {
		return c.Reply("Hello, " + m.Name)
	})
	if err != nil {
		log.Fatal(err)
	}
	s, err := actor.As[string](greeter.Ask(ctx, system, Hello{"World"}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s)
	// Output: Hello, World
}

// counter is an actor with state: a restart gets a fresh one.
type counter struct{ n int }

func (a *counter) Start(c *actor.Context) error {
	c.Log().Debug("starting")
	return nil
}

func (a *counter) Receive(c *actor.Context, by int) error {
	a.n += by
	return c.Reply(a.n)
}

func ExampleSpawnNew() {
	ctx := context.Background()
	system, err := actor.NewSystem(actor.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close(ctx)

	count, err := actor.SpawnNew(system, "counter", func() *counter { return new(counter) })
	if err != nil {
		log.Fatal(err)
	}
	if err := count.Tell(system, 40); err != nil {
		log.Fatal(err)
	}
	fmt.Println(actor.As[int](count.Ask(ctx, system, 2)))
	// Output: 42 <nil>
}
