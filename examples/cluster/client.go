package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/node"
)

const (
	patience = time.Second     // with a worker
	grudge   = 2 * time.Second // against a node whose worker was too slow
)

// client gives out jobs, each until it is done.
type client struct {
	node *node.Node

	mu      sync.Mutex
	turn    int
	avoid   map[string]time.Time // nodes, until when
	given   int                  // jobs
	done    map[int]bool
	ran     map[string]int // jobs done, by node
	process map[int]int    // and by process
	doubled int            // answers to jobs that were done already
	retried int
}

func newClient(n *node.Node) *client {
	return &client{node: n, avoid: make(map[string]time.Time), done: make(map[int]bool), ran: make(map[string]int), process: make(map[int]int)}
}

// give gives out jobs, several at a time, until ctx ends. Those that were begun are done then.
func (c *client) give(ctx context.Context) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				c.do(c.next())
			}
		})
	}
	wg.Wait()
}

func (c *client) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given++
	return c.given
}

// do asks one worker after another.
func (c *client) do(id int) {
	for again := false; ; again = true {
		worker := c.choose()
		if worker == "" {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if again {
			fmt.Printf("job %d is given to %s\n", id, worker)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		done, err := actor.As[Done](actor.RefTo[Job](actor.Named("worker@"+worker)).Ask(ctx, c.node, Job{id}))
		cancel()
		if err == nil {
			c.record(done, worker)
			return
		}
		c.failed(worker, again)
		fmt.Printf("job %d: no answer from %s (%v): it may have run there, and is given out again\n", id, worker, short(err))
	}
}

// choose takes turns among the nodes that are known now.
func (c *client) choose() string {
	nodes := c.node.Nodes()
	c.mu.Lock()
	defer c.mu.Unlock()
	for range nodes {
		c.turn++
		name := nodes[c.turn%len(nodes)].Name
		if name != c.node.Name() && time.Now().After(c.avoid[name]) {
			return name
		}
	}
	return ""
}

func (c *client) record(done Done, worker string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done[done.ID] {
		c.doubled++
	}
	c.done[done.ID] = true
	c.ran[worker]++
	c.process[done.Process]++
}

func (c *client) failed(worker string, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.avoid[worker] = time.Now().Add(grudge)
	if !again {
		c.retried++
	}
}

// doneBy returns how many jobs a process has done; 0 stands for all.
func (c *client) doneBy(process int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if process == 0 {
		return len(c.done)
	}
	return c.process[process]
}

// sees reports whether a node is known now.
func (c *client) sees(name string) bool {
	for _, info := range c.node.Nodes() {
		if info.Name == name {
			return true
		}
	}
	return false
}

// short says which of the usual errors err is.
func short(err error) error {
	for _, usual := range []error{actor.ErrUnreachable, actor.ErrNoNode, actor.ErrNoActor, context.DeadlineExceeded} {
		if errors.Is(err, usual) {
			return usual
		}
	}
	return err
}
