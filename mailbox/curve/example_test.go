package curve_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// A server that lets in one client. In earnest each makes its pair once, keeps what Secret returns in a file of its own,
// and gives away the public key.
func Example() {
	ctx := context.Background()
	serverKey, adasKey := curve.NewKeyPair(), curve.NewKeyPair()

	known := map[curve.Key]string{adasKey.Public(): "ada"}
	allow := func(_ context.Context, c curve.Claim) error {
		if known[c.Key] == "" {
			return fmt.Errorf("%v is not known here", c.Key)
		}
		return nil
	}
	server, err := mailbox.New(mailbox.Rep, mailbox.Config{Security: curve.Server{Key: serverKey, Allow: allow}})
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
		Security: curve.Client{Key: adasKey, ServerKey: serverKey.Public()},
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

// Keys are text in configuration files: those of zmq_curve(7).
func ExampleParseSecretKey() {
	pair, err := curve.ParseSecretKey("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
	if err != nil {
		panic(err)
	}
	fmt.Println(pair.Public())
	fmt.Println(pair)
	// Output:
	// rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
	// key pair of rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
}
