package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// DEALER and ROUTER: the client sends three requests without waiting, and the server answers when it likes: here, the
// last one first. The first frame of what a ROUTER receives and sends is the identity of the client.
func Example_dealerRouter() {
	ctx := context.Background()
	server, err := mailbox.New(mailbox.Router, mailbox.Config{})
	check(err)
	defer server.Close(ctx)
	endpoint, err := server.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)

	client, err := mailbox.New(mailbox.Dealer, mailbox.Config{Identity: []byte("ann")})
	check(err)
	defer client.Close(ctx)
	check(client.Connect(endpoint.String()))
	for _, request := range []string{"one", "two", "three"} {
		check(client.Send(ctx, []byte(request)))
	}

	var requests [][][]byte
	for range 3 {
		request, err := server.Recv(ctx)
		check(err)
		fmt.Printf("%s asks %s\n", request[0], request[1])
		requests = append(requests, request)
	}
	for i := range requests {
		check(server.Send(ctx, requests[2-i]...))
	}
	for range 3 {
		reply, err := client.Recv(ctx)
		check(err)
		fmt.Printf("reply to %s\n", reply[0])
	}
	// Output:
	// ann asks one
	// ann asks two
	// ann asks three
	// reply to three
	// reply to two
	// reply to one
}
