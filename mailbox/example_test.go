package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// A server and a client in one process. With tcp://*:5555 and tcp://localhost:5555 for the endpoints they run on two
// machines, and either may be any other ZeroMQ program.
func Example() {
	ctx := context.Background()
	server, err := mailbox.New(mailbox.Rep, mailbox.Config{})
	if err != nil {
		panic(err)
	}
	defer server.Close(ctx)
	if _, err := server.Bind(ctx, "inproc://hello"); err != nil {
		panic(err)
	}
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
	if err != nil {
		panic(err)
	}
	defer client.Close(ctx)
	if err := client.Connect("inproc://hello"); err != nil {
		panic(err)
	}
	if err := client.Send(ctx, []byte("Hello")); err != nil {
		panic(err)
	}
	reply, err := client.Recv(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Printf("client: %s\n", reply[0])
	// Output:
	// server: Hello
	// client: World
}

// The endpoint that Bind returns has the port that the system chose.
func ExampleSocket_Bind() {
	ctx := context.Background()
	s, err := mailbox.New(mailbox.Rep, mailbox.Config{})
	if err != nil {
		panic(err)
	}
	defer s.Close(ctx)
	endpoint, err := s.Bind(ctx, "tcp://127.0.0.1:*")
	if err != nil {
		panic(err)
	}
	client, err := mailbox.New(mailbox.Req, mailbox.Config{})
	if err != nil {
		panic(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.Connect(endpoint.String()))
	// Output: <nil>
}

func ExampleParseEndpoint() {
	for _, s := range []string{"tcp://*:5555", "tcp://[::1]:5555", "ipc:///run/app.sock", "tcp://::1:5555", "udp://10.0.0.1:5555"} {
		endpoint, err := mailbox.ParseEndpoint(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(endpoint)
	}
	// Output:
	// tcp://0.0.0.0:5555
	// tcp://[::1]:5555
	// ipc:///run/app.sock
	// mailbox: endpoint "tcp://::1:5555": an IPv6 address goes in brackets: tcp://[::1]:5555
	// mailbox: endpoint "udp://10.0.0.1:5555": transport udp is not supported: between machines write tcp://host:port
}
