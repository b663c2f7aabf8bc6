package mailbox_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/troupe-go/troupe/mailbox"
)

// PUSH and PULL: a ventilator spreads tasks over three workers, and a sink collects the results. Workers may come and go
// at any time, on any machine: they connect, and only the ventilator and the sink have endpoints to be known.
func Example_pushPull() {
	ctx := context.Background()
	ventilator, err := mailbox.New(mailbox.Push, mailbox.Config{})
	check(err)
	defer ventilator.Close(ctx)
	tasks, err := ventilator.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)
	sink, err := mailbox.New(mailbox.Pull, mailbox.Config{})
	check(err)
	defer sink.Close(ctx)
	results, err := sink.Bind(ctx, "tcp://127.0.0.1:*")
	check(err)

	for range 3 {
		in, err := mailbox.New(mailbox.Pull, mailbox.Config{})
		check(err)
		defer in.Close(ctx)
		check(in.Connect(tasks.String()))
		out, err := mailbox.New(mailbox.Push, mailbox.Config{})
		check(err)
		defer out.Close(ctx)
		check(out.Connect(results.String()))
		go func() { // a worker
			for {
				task, err := in.Recv(ctx)
				if err != nil {
					return // the socket was closed
				}
				n, _ := strconv.Atoi(string(task[0]))
				out.Send(ctx, []byte(strconv.Itoa(n*n)))
			}
		}()
	}

	for n := range 100 {
		check(ventilator.Send(ctx, []byte(strconv.Itoa(n))))
	}
	sum := 0
	for range 100 {
		result, err := sink.Recv(ctx)
		check(err)
		n, _ := strconv.Atoi(string(result[0]))
		sum += n
	}
	fmt.Println("the sum of the squares is", sum)
	// Output: the sum of the squares is 328350
}
