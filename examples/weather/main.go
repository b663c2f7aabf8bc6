// Weather is the weather updates of the ZeroMQ Guide: a server publishes the weather of 100,000 zip codes, and a client
// averages the temperature over 100 updates of one of them. Run it whole, as processes (-processes -n client=5), or each
// role on its own (-run server, -run client). With -plain it speaks the Guide's text, "10001 -20 45", so that the Guide's
// servers and clients in any language take either side. -help lists all flags.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/troupe-go/troupe/topology"
)

// Update is the weather at a place.
type Update struct {
	Zip         int
	Temperature int // in degrees Fahrenheit
	Humidity    int // in percent
}

// zip returns the text of a zip code: five digits.
func zip(code int) string {
	text := strconv.Itoa(100_000 + code)
	return text[1:]
}

func main() {
	place := flag.String("zip", "10001", "whose weather the client averages: five digits")
	count := flag.Int("updates", 100, "over how many updates")
	plain := flag.Bool("plain", false, "speak the Guide's text with foreign programs")

	t := topology.New("weather")
	updates := topology.Topic(t, "updates", "tcp://127.0.0.1:5556", func(u Update) string { return zip(u.Zip) },
		topology.ZMQWhen(plain, guide{}))

	topology.Publisher(t, "server", updates, func(ctx context.Context, out *topology.Outlet[Update]) error {
		for ctx.Err() == nil {
			u := Update{Zip: rand.IntN(100_000), Temperature: rand.IntN(215) - 80, Humidity: rand.IntN(50) + 10}
			if err := out.Publish(ctx, u); err != nil {
				return err
			}
		}
		return nil
	})

	topology.Subscriber(t, "client", updates, func(ctx context.Context, in *topology.Inlet[Update]) error {
		if err := in.Subscribe(ctx, *place); err != nil {
			return err
		}
		sum := 0
		for range *count {
			u, err := in.Next(ctx)
			if err != nil {
				return err
			}
			sum += u.Temperature
		}
		fmt.Printf("zip=%s updates=%d average_temperature=%.1f\n", *place, *count, float64(sum)/float64(*count))
		return nil
	})

	topology.Main(t)
}
