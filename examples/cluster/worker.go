package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// Job is what the client asks for.
type Job struct{ ID int }

// Done is the answer.
type Done struct {
	ID      int
	Process int
}

// work is a node with a worker, until standard input ends, as it does when the parent process has.
func work(name, bind string, seeds []string) error {
	n, err := join(context.Background(), name, bind, seeds)
	if err != nil {
		return err
	}
	defer n.Close(context.Background())
	_, err = actor.Spawn(n, "worker", func(c *actor.Context, job Job) error {
		time.Sleep(3 * time.Millisecond) // hard work
		return c.Reply(Done{job.ID, os.Getpid()})
	})
	if err != nil {
		return err
	}
	io.Copy(io.Discard, os.Stdin)
	return nil
}
