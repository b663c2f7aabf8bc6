package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// XPUB and XSUB in a Proxy: any number of publishers and subscribers know the proxy's endpoints, and not each other. The
// subscriptions pass to the publishers, so that only what somebody wants passes to the proxy.
func ExampleProxy() {
	ctx := context.Background()
	front, err := mailbox.New(mailbox.XPub, mailbox.Config{})
	check(err)
	defer front.Close(ctx)
	subscribers, err := front.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	back, err := mailbox.New(mailbox.XSub, mailbox.Config{})
	check(err)
	defer back.Close(ctx)
	publishers, err := back.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	go mailbox.Proxy(ctx, front, back, nil) // until one of them is closed

	client, err := mailbox.New(mailbox.Sub, mailbox.Config{})
	check(err)
	defer client.Close(ctx)
	check(client.Connect(subscribers.String()))
	check(client.Subscribe(ctx, "weather"))
	station, err := mailbox.New(mailbox.Pub, mailbox.Config{})
	check(err)
	defer station.Close(ctx)
	check(station.Connect(publishers.String()))

	check(station.WaitSubscribers(ctx, 1))
	check(station.Send(ctx, []byte("weather"), []byte("cloudy")))
	report, err := client.Recv(ctx)
	check(err)
	fmt.Printf("%s: %s\n", report[0], report[1])
	// Output: weather: cloudy
}

// ROUTER and DEALER in a Proxy: a queue between clients and servers, which a control counts, pauses and ends.
func ExampleProxyControl() {
	ctx := context.Background()
	front, err := mailbox.New(mailbox.Router, mailbox.Config{})
	check(err)
	defer front.Close(ctx)
	_, err = front.Bind(ctx, "inproc://clients")
	check(err)
	back, err := mailbox.New(mailbox.Dealer, mailbox.Config{})
	check(err)
	defer back.Close(ctx)
	_, err = back.Bind(ctx, "inproc://servers")
	check(err)
	var control mailbox.ProxyControl
	ended := make(chan error)
	go func() { ended <- mailbox.Proxy(ctx, front, back, nil, &control) }()

	server, err := mailbox.New(mailbox.Rep, mailbox.Config{})
	check(err)
	defer server.Close(ctx)
	check(server.Connect("inproc://servers"))
	client, err := mailbox.New(mailbox.Req, mailbox.Config{})
	check(err)
	defer client.Close(ctx)
	check(client.Connect("inproc://clients"))

	control.Pause() // the request waits
	check(client.Send(ctx, []byte("Hello")))
	fmt.Println("requests:", control.Stats().Front.Received)
	control.Resume()
	request, err := server.Recv(ctx)
	check(err)
	check(server.Send(ctx, request...))
	_, err = client.Recv(ctx)
	check(err)
	fmt.Println("requests:", control.Stats().Front.Received)
	control.Terminate()
	fmt.Println("ended:", <-ended)
	// Output:
	// requests: 0
	// requests: 1
	// ended: <nil>
}
