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

// kind is what the nodes that have a worker offer, by which the client finds them.
const kind = "worker"

// work is a node that can run workers, until standard input ends, as it does when the parent process has.
func work(name, bind string, seeds []string) error {
	n, err := join(context.Background(), name, bind, seeds)
	if err != nil {
		return err
	}
	defer n.Close(context.Background())
	err = actor.RegisterKind(n, kind, func(in actor.Scope, name string, _ string) (actor.PID, error) {
		ref, err := actor.Spawn(in, name, do)
		return ref.PID(), err
	})
	if err != nil {
		return err
	}
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// do does a job.
func do(c *actor.Context, job Job) error {
	time.Sleep(3 * time.Millisecond) // hard work
	return c.Reply(Done{job.ID, os.Getpid()})
}
