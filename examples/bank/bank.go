package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// bank is the parts that accounts know.
type bank struct {
	journal    actor.Ref[any]
	inspectors actor.Ref[check]
}

// open starts a bank under in: the journal, then the inspectors, then the branch, whose children are the accounts.
func open(in actor.Scope, limit int64) (branch actor.Ref[string], err error) {
	b := new(bank)
	var errs [3]error
	b.journal, errs[0] = actor.SpawnNew(in, "journal", func() *journal { return &journal{totals: map[string]int64{}} })
	b.inspectors, errs[1] = actor.SpawnPool(in, "inspectors", actor.Pool[check]{Size: 4, Routing: actor.LeastLoaded},
		func() *inspector { return &inspector{limit} })
	branch, errs[2] = actor.Spawn(in, "branch", b.account, actor.Supervise(actor.Supervision{Intensity: 20, Period: time.Minute}))
	return branch, errors.Join(errs[:]...)
}

// account replies with the Ref of a customer's account, which it opens if there is none.
func (b *bank) account(c *actor.Context, customer string) error {
	ref, err := actor.SpawnNew(c, customer, func() *account { return &account{bank: b, name: customer} })
	switch {
	case errors.Is(err, actor.ErrNameTaken):
		return c.Reply(actor.RefTo[any](actor.Named("branch/" + customer + "@" + c.Self().Node())))
	case err != nil:
		return c.Reply(err)
	}
	err = c.Watch(ref.PID(), func(end actor.Terminated) error {
		c.Log().Info("account closed", "customer", customer, "reason", end.Reason)
		return nil
	})
	return errors.Join(err, c.Reply(ref))
}

// What the journal takes.
type (
	entry struct {
		customer string
		cents    int64
	}
	total struct{ customer string } // is replied to with the sum of a customer's entries
)

// journal keeps what was booked, through restarts of the accounts. A real one would write to a disk.
type journal struct {
	totals  map[string]int64
	entries int
}

// Start reports now and then.
func (j *journal) Start(c *actor.Context) error {
	c.Every(time.Minute, func() error {
		c.Log().Info("journal", "entries", j.entries, "customers", len(j.totals))
		return nil
	})
	return nil
}

func (j *journal) Receive(c *actor.Context, m any) error {
	switch m := m.(type) {
	case entry:
		j.totals[m.customer] += m.cents
		j.entries++
		return nil
	case total:
		return c.Reply(j.totals[m.customer])
	}
	return fmt.Errorf("the journal does not take %T", m)
}

// check is what an inspector looks at before a transfer.
type check struct {
	customer string
	cents    int64
}

// inspector is one of a pool.
type inspector struct{ limit int64 }

// Receive takes its time.
func (i *inspector) Receive(c *actor.Context, m check) error {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-c.Done():
		return c.Err()
	}
	if m.cents > i.limit {
		return c.Reply(fmt.Errorf("bank: %s wants to transfer %d, more than %d", m.customer, m.cents, i.limit))
	}
	return c.Reply("good")
}
