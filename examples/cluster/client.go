package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

	starting sync.Mutex // a worker

	mu      sync.Mutex
	turn    int
	avoid   map[string]time.Time      // nodes, until when
	workers map[string]actor.Ref[Job] // by node
	given   int                       // jobs
	done    map[int]bool
	ran     map[string]int // jobs done, by node
	process map[int]int    // and by process
	doubled int            // answers to jobs that were done already
	retried int
}

func newClient(n *node.Node) *client {
	return &client{node: n, avoid: make(map[string]time.Time), workers: make(map[string]actor.Ref[Job]), done: make(map[int]bool), ran: make(map[string]int), process: make(map[int]int)}
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
		at := c.choose()
		if at == "" {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if again {
			fmt.Printf("job %d is given to %s\n", id, at)
		}
		done, err := c.ask(at, Job{id})
		if err == nil {
			c.record(done, at)
			return
		}
		c.failed(at, err, again)
		fmt.Printf("job %d: no answer from %s (%v): it may have run there, and is given out again\n", id, at, short(err))
	}
}

// ask asks the worker at a node.
func (c *client) ask(at string, job Job) (Done, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	worker, err := c.worker(ctx, at)
	if err != nil {
		return Done{}, err
	}
	return actor.As[Done](worker.Ask(ctx, c.node, job))
}

// worker returns the client's worker at a node, which it starts there if it has none.
func (c *client) worker(ctx context.Context, at string) (actor.Ref[Job], error) {
	c.starting.Lock()
	defer c.starting.Unlock()
	c.mu.Lock()
	worker, there := c.workers[at]
	c.mu.Unlock()
	if there {
		return worker, nil
	}
	pid, err := actor.SpawnOn(ctx, c.node, at, kind, "", "")
	if err != nil {
		return worker, err
	}
	worker = actor.RefTo[Job](pid)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.workers[at] = worker
	return worker, nil
}

// choose takes turns among the nodes that are known now and can run workers.
func (c *client) choose() string {
	nodes := c.node.Nodes()
	c.mu.Lock()
	defer c.mu.Unlock()
	for range nodes {
		c.turn++
		n := nodes[c.turn%len(nodes)]
		if slices.Contains(n.Kinds, kind) && time.Now().After(c.avoid[n.Name]) {
			return n.Name
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

// failed leaves a node alone for a while. If its worker is gone it gets another one then.
func (c *client) failed(at string, err error, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.avoid[at] = time.Now().Add(grudge)
	if errors.Is(err, actor.ErrUnreachable) || errors.Is(err, actor.ErrNoActor) {
		delete(c.workers, at)
	}
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
