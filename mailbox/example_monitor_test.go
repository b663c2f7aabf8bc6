package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// A monitor tells what happens to a socket's connections.
func ExampleSocket_Monitor() {
	ctx := context.Background()
	server, err := mailbox.New(mailbox.Rep, mailbox.Config{})
	check(err)
	defer server.Close(ctx)
	events := server.Monitor(ctx)
	endpoint, err := server.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	client, err := mailbox.New(mailbox.Req, mailbox.Config{})
	check(err)
	check(client.Connect(endpoint.String()))

	for e := range events { // in a goroutine, usually
		fmt.Println(e.Kind)
		switch e.Kind {
		case mailbox.Accepted:
			client.Close(ctx)
		case mailbox.Disconnected:
			server.Close(ctx) // which ends the loop
		}
	}
	// Output:
	// listening
	// accepted
	// disconnected
	// closed
}
