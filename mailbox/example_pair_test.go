package mailbox_test

import (
	"context"
	"fmt"

	"github.com/troupe-go/troupe/mailbox"
)

// PAIR: two goroutines, or processes, that talk to each other and to nobody else.
func Example_pair() {
	ctx := context.Background()
	parent, err := mailbox.New(mailbox.Pair, mailbox.Config{})
	check(err)
	defer parent.Close(ctx)
	_, err = parent.Bind(ctx, "inproc://child")
	check(err)
	child, err := mailbox.New(mailbox.Pair, mailbox.Config{})
	check(err)
	defer child.Close(ctx)
	check(child.Connect("inproc://child"))

	go func() {
		order, err := child.Recv(ctx)
		check(err)
		check(child.Send(ctx, order[0], []byte("done")))
	}()
	check(parent.Send(ctx, []byte("tidy up")))
	answer, err := parent.Recv(ctx)
	check(err)
	fmt.Printf("%s: %s\n", answer[0], answer[1])
	// Output: tidy up: done
}
