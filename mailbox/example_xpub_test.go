package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// XPUB: a PUB that receives its peers' subscriptions as messages: a 1 and the topic, or a 0 and the topic when the last
// one has unsubscribed. Here it makes what is asked for, and nothing else. XSUB is the other end of this: it subscribes
// by sending such messages.
func Example_xpubXsub() {
	ctx := context.Background()
	quotes, err := mailbox.New(mailbox.XPub, mailbox.Config{})
	check(err)
	defer quotes.Close(ctx)
	_, err = quotes.Bind(ctx, "inproc://quotes")
	check(err)

	client, err := mailbox.New(mailbox.XSub, mailbox.Config{})
	check(err)
	defer client.Close(ctx)
	check(client.Connect("inproc://quotes"))
	check(client.Send(ctx, []byte("\x01ACME"))) // or Subscribe

	subscription, err := quotes.Recv(ctx)
	check(err)
	fmt.Printf("publisher: %q\n", subscription[0])
	check(quotes.Send(ctx, subscription[0][1:], []byte("12.50")))

	quote, err := client.Recv(ctx)
	check(err)
	fmt.Printf("subscriber: %s %s\n", quote[0], quote[1])
	// Output:
	// publisher: "\x01ACME"
	// subscriber: ACME 12.50
}
