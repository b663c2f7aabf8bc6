package plain_test

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/plain"
)

// A server with one user. Names and passwords go over the wire as they are: this is for networks that are safe otherwise.
func Example() {
	ctx := context.Background()
	passwords := map[string]string{"ada": "lovelace"}
	allow := func(_ context.Context, l plain.Login) error {
		password, known := passwords[l.Username]
		if subtle.ConstantTimeCompare([]byte(password), []byte(l.Password)) != 1 || !known {
			return errors.New("wrong name or password")
		}
		return nil
	}
	server, err := mailbox.New(mailbox.Rep, mailbox.Config{Security: plain.Server{Allow: allow}})
	if err != nil {
		panic(err)
	}
	defer server.Close(ctx)
	endpoint, err := server.Bind(ctx, "tcp://127.0.0.1:*")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			request, err := server.Recv(ctx)
			if err != nil {
				return // the server was closed
			}
			server.Send(ctx, append([]byte("Hello, "), request[0]...))
		}
	}()

	client, err := mailbox.New(mailbox.Req, mailbox.Config{
		Security: plain.Client{Username: "ada", Password: "lovelace"},
	})
	if err != nil {
		panic(err)
	}
	defer client.Close(ctx)
	if err := client.Connect(endpoint.String()); err != nil {
		panic(err)
	}
	if err := client.Send(ctx, []byte("Ada")); err != nil {
		panic(err)
	}
	reply, err := client.Recv(ctx)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s\n", reply[0])
	// Output: Hello, Ada
}
