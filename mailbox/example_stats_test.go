package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// What a socket drops is counted, by reason: here, what a ROUTER sends to an identity that nobody has.
func ExampleSocket_Stats() {
	ctx := context.Background()
	router, err := mailbox.New(mailbox.Router, mailbox.Config{})
	check(err)
	defer router.Close(ctx)
	check(router.Send(ctx, []byte("ann"), []byte("Hello")))
	stats := router.Stats()
	fmt.Println("sent:", stats.Sent)
	fmt.Println("dropped, no peer:", stats.Dropped[mailbox.NoPeer])
	// Output:
	// sent: 0
	// dropped, no peer: 1
}
