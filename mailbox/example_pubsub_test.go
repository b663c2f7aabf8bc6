package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// PUB and SUB: a weather station tells everybody who subscribed to a zip code. What nobody subscribed to is not even
// sent. A message's first frame is what subscriptions look at, and they match the start of it.
func Example_pubSub() {
	ctx := context.Background()
	station, err := mailbox.New(mailbox.Pub, mailbox.Config{})
	check(err)
	defer station.Close(ctx)
	endpoint, err := station.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)

	client, err := mailbox.New(mailbox.Sub, mailbox.Config{})
	check(err)
	defer client.Close(ctx)
	check(client.Subscribe(ctx, "1000"))
	check(client.Connect(endpoint.String()))

	// What is published before somebody subscribed is for nobody.
	check(station.WaitSubscribers(ctx, 1))
	for _, report := range [][2]string{{"10001", "cloudy"}, {"10002", "rain"}, {"20500", "sunny"}} {
		check(station.Send(ctx, []byte(report[0]), []byte(report[1])))
	}
	for range 2 {
		report, err := client.Recv(ctx)
		check(err)
		fmt.Printf("%s: %s\n", report[0], report[1])
	}
	// Output:
	// 10001: cloudy
	// 10002: rain
}
