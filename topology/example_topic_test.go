package topology_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/topology"
)

type Reading struct {
	Sensor  string
	Celsius float64
}

// A topic whose publisher waits for its subscriber, which subscribes to one key of three and finds out that it missed
// nothing.
func ExampleTopic() {
	t := topology.New("house")
	readings := topology.Topic(t, "readings", "tcp://127.0.0.1:5556", func(r Reading) string { return r.Sensor })
	topology.Publisher(t, "thermometer", readings, func(ctx context.Context, out *topology.Outlet[Reading]) error {
		if err := out.WaitSubscribers(ctx, 1); err != nil {
			return err
		}
		for i := range 3 {
			for _, sensor := range []string{"attic", "kitchen", "kitchen-oven"} {
				if err := out.Publish(ctx, Reading{sensor, 20 + float64(i)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	topology.Subscriber(t, "display", readings, func(ctx context.Context, in *topology.Inlet[Reading]) error {
		if err := in.Subscribe(ctx, "kitchen"); err != nil {
			return err
		}
		for r := range in.All(ctx) {
			fmt.Println(r)
			if r.Celsius == 22 {
				break
			}
		}
		fmt.Println("missed:", in.Missed())
		return ctx.Err()
	})
	if err := t.Run(context.Background(), topology.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {kitchen 20}
	// {kitchen 21}
	// {kitchen 22}
	// missed: 0
}

// A publisher that returns once it has published its settings: a subscriber that comes later gets the last value of each,
// and then what changes.
func ExampleLastValueCache() {
	type setting struct{ Name, Value string }
	t := topology.New("settings")
	settings := topology.Topic(t, "settings", "tcp://127.0.0.1:5556", func(s setting) string { return s.Name },
		topology.LastValueCache(1000))
	published := make(chan struct{})
	topology.Publisher(t, "editor", settings, func(ctx context.Context, out *topology.Outlet[setting]) error {
		defer close(published)
		for _, s := range []setting{{"log.level", "info"}, {"log.file", "none"}, {"log.level", "debug"}} {
			if err := out.Publish(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	topology.Subscriber(t, "logger", settings, func(ctx context.Context, in *topology.Inlet[setting]) error {
		<-published
		if err := in.SubscribePrefix(ctx, "log."); err != nil {
			return err
		}
		for range 2 {
			s, err := in.Next(ctx)
			if err != nil {
				return err
			}
			fmt.Println(s.Name, s.Value)
		}
		return nil
	})
	if err := t.Run(context.Background(), topology.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// log.file none
	// log.level debug
}

// Stocks are published by several processes and read on many machines: a Fanout is bound to both topics, and all others
// connect to it. With topology.Main(t), "-run exchange" and the like start each where it belongs.
func ExampleFanout() {
	type price struct {
		Stock string
		Cents int
	}
	stock := func(p price) string { return p.Stock }
	t := topology.New("stocks")
	quotes := topology.Topic(t, "quotes", "tcp://10.0.0.7:5556", stock)
	prices := topology.Topic(t, "prices", "tcp://10.0.0.7:5557", stock)
	topology.Publisher(t, "exchange", quotes, func(ctx context.Context, out *topology.Outlet[price]) error {
		if err := out.WaitSubscribers(ctx, 2); err != nil {
			return err
		}
		return out.Publish(ctx, price{"TRPE", 4200})
	}, topology.Instances(3))
	topology.Fanout(t, "floor", quotes, prices, topology.Binds(quotes))
	topology.Subscriber(t, "broker", prices, func(ctx context.Context, in *topology.Inlet[price]) error {
		if err := in.Subscribe(ctx, "TRPE"); err != nil {
			return err
		}
		for range 3 {
			p, err := in.Next(ctx)
			if err != nil {
				return err
			}
			fmt.Println(p.Stock, p.Cents)
		}
		return nil
	}, topology.Instances(2))
	if err := t.Run(context.Background(), topology.Options{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// TRPE 4200
	// TRPE 4200
	// TRPE 4200
	// TRPE 4200
	// TRPE 4200
	// TRPE 4200
}
