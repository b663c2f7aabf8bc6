package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// The endpoint that Bind returns has the port that the system chose.
func ExampleSocket_Bind() {
	ctx := context.Background()
	s, err := mailbox.New(mailbox.Rep, mailbox.Config{})
	check(err)
	defer s.Close(ctx)
	endpoint, err := s.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	client, err := mailbox.New(mailbox.Req, mailbox.Config{})
	check(err)
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
