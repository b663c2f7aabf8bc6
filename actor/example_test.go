package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"sync/atomic"
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
	if by == 0 {
		return errors.New("nothing to count")
	}
	a.n += by
	return c.Reply(a.n)
}

// A pool whose members are on several nodes, all of which have registered the kind. Here it is the same node twice.
func ExampleNewProxy() {
	ctx := context.Background()
	system, err := actor.NewSystem(actor.Config{Node: "alpha"})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close(ctx)
	err = actor.RegisterKind(system, "greeter", func(in actor.Scope, name string, greeting string) (actor.PID, error) {
		ref, err := actor.Spawn(in, name, func(c *actor.Context, m Hello) error { return c.Reply(greeting + m.Name) })
		return ref.PID(), err
	})
	if err != nil {
		log.Fatal(err)
	}

	nodes := []string{"alpha", "alpha"}
	var next atomic.Int32
	proxy := actor.Proxy{
		Node: func() string { return nodes[int(next.Add(1))%len(nodes)] },
		Kind: "greeter",
		Arg:  "Hello, ",
	}
	greeters, err := actor.SpawnPool(system, "greeters", actor.Pool[Hello]{Size: 4},
		func() actor.Receiver[Hello] { return actor.NewProxy[Hello](proxy) })
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(actor.As[string](greeters.Ask(ctx, system, Hello{"World"})))
	// Output: Hello, World <nil>
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

// A supervisor restarts its workers by itself; beyond three failures in a minute it fails, and starts anew with all of them.
func ExampleSupervise() {
	ctx := context.Background()
	system, err := actor.NewSystem(actor.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close(ctx)

	boss, err := actor.Spawn(system, "boss", func(c *actor.Context, worker string) error {
		ref, err := actor.SpawnNew(c, worker, func() *counter { return new(counter) })
		if err != nil {
			return c.Reply(err)
		}
		return c.Reply(ref)
	}, actor.Supervise(actor.Supervision{Strategy: actor.OneForAll, Intensity: 3, Period: time.Minute}))
	if err != nil {
		log.Fatal(err)
	}
	worker, err := actor.As[actor.Ref[int]](boss.Ask(ctx, system, "worker"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = worker.Ask(ctx, system, 40)
	fmt.Println(err)
	_, err = worker.Ask(ctx, system, 0) // fails: see counter
	fmt.Println(errors.Is(err, actor.ErrFailed))
	fmt.Println(actor.As[int](worker.Ask(ctx, system, 2)))
	// Output:
	// <nil>
	// true
	// 2 <nil>
}
