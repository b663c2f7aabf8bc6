package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// direct plays the whole: the nodes come, the client begins, beta dies and comes back elsewhere, the client ends.
func direct(ctx context.Context, jobs int) (err error) {
	t, err := newTroupe("alpha", "beta", "gamma")
	if err != nil {
		return err
	}
	defer t.close()
	for i, name := range t.names {
		if err := t.start(name, t.seeds[i]); err != nil {
			return err
		}
	}
	n, err := join(ctx, "client", "127.0.0.1:0", t.seeds[2:]) // one that answers is enough
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close(ctx)) }()
	c := newClient(n)
	for _, name := range t.names {
		if err := until(ctx, "the client sees "+name, func() bool { return c.sees(name) }); err != nil {
			return err
		}
	}
	fmt.Println("the client sees", strings.Join(t.names, ", "))

	working, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.give(working)
	}()
	err = c.watch(ctx, t, jobs)
	stop()
	if err != nil {
		return err
	}
	<-ended
	c.sum(t)
	return nil
}

// watch has beta die and come back while the client works.
func (c *client) watch(ctx context.Context, t *troupe, jobs int) error {
	if err := until(ctx, "a third of the jobs are done", func() bool { return c.doneBy(0) > jobs/3 }); err != nil {
		return err
	}
	c.progress(t)
	t.kill("beta")
	began := time.Now()
	if err := until(ctx, "beta is found dead", func() bool { return !c.sees("beta") }); err != nil {
		return err
	}
	fmt.Printf("beta is found dead after %v\n", time.Since(began).Round(10*time.Millisecond))
	c.progress(t)
	free, err := freeAddresses(1)
	if err != nil {
		return err
	}
	if err := t.start("beta", free[0]); err != nil {
		return err
	}
	began = time.Now()
	revived := t.cmds["beta"].Process.Pid
	if err := until(ctx, "beta works again", func() bool { return c.doneBy(revived) > jobs/10 }); err != nil {
		return err
	}
	fmt.Printf("beta works again after %v\n", time.Since(began).Round(10*time.Millisecond))
	return until(ctx, "all jobs are done", func() bool { return c.doneBy(0) >= jobs })
}

// progress says where jobs ran.
func (c *client) progress(t *troupe) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Printf("%d jobs are done:", len(c.done))
	for _, name := range t.names {
		fmt.Printf(" %s %d", name, c.ran[name])
	}
	fmt.Println()
}

// sum is the last line.
func (c *client) sum(t *troupe) {
	revived := c.doneBy(t.cmds["beta"].Process.Pid)
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Printf("jobs=%d done=%d lost=%d doubled=%d retried=%d", c.given, len(c.done), c.given-len(c.done), c.doubled, c.retried)
	for _, name := range t.names {
		fmt.Printf(" %s=%d", name, c.ran[name])
	}
	fmt.Printf(" beta_again=%d\n", revived)
}

// until waits for a condition.
func until(ctx context.Context, what string, holds func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("it did not happen that %s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}
