package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// REQ and REP: a server and a client in one process. With tcp://*:5555 and tcp://localhost:5555 for the endpoints they
// run on two machines, and either may be any other ZeroMQ program.
func Example() {
	ctx := context.Background()
	server, err := mailbox.New(mailbox.Rep, mailbox.Config{})
	check(err)
	defer server.Close(ctx)
	_, err = server.Bind(ctx, "inproc://hello")
	check(err)
	go func() {
		for {
			request, err := server.Recv(ctx)
			if err != nil {
				return // the server was closed
			}
			fmt.Printf("server: %s\n", request[0])
			server.Send(ctx, []byte("World"))
		}
	}()

	client, err := mailbox.New(mailbox.Req, mailbox.Config{})
	check(err)
	defer client.Close(ctx)
	check(client.Connect("inproc://hello"))
	check(client.Send(ctx, []byte("Hello")))
	reply, err := client.Recv(ctx)
	check(err)
	fmt.Printf("client: %s\n", reply[0])
	// Output:
	// server: Hello
	// client: World
}

// check is for errors that an example does not expect.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
