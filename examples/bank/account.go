package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// What an account takes. Amounts are in cents.
type (
	Deposit  struct{ Cents int64 } // is replied to with the new balance, as are the next two
	Withdraw struct{ Cents int64 }
	Balance  struct{}
	Transfer struct { // is replied to with the new balance once the money has arrived, or is back
		To    actor.Ref[any]
		Cents int64
	}
)

// ErrFunds is a refusal: nothing is wrong with the account but what is in it.
var ErrFunds = errors.New("bank: insufficient funds")

// patience is how long the bank waits for an answer from its own parts.
const patience = 5 * time.Second

// account is an actor with a balance in memory, which the journal knows too: a new instance asks for it.
type account struct {
	bank    *bank
	name    string
	balance int64
}

// Start fetches the balance. If the journal does not answer it is a failure, and the supervisor tries again.
func (a *account) Start(c *actor.Context) (err error) {
	ctx, cancel := context.WithTimeout(c, patience)
	defer cancel()
	a.balance, err = actor.As[int64](a.bank.journal.Ask(ctx, c, total{a.name}))
	return err
}

func (a *account) Receive(c *actor.Context, m any) error {
	switch m := m.(type) {
	case Deposit:
		return c.Reply(a.book(c, m.Cents))
	case Withdraw:
		return c.Reply(a.book(c, -m.Cents))
	case Balance:
		return c.Reply(a.balance)
	case Transfer:
		return a.transfer(c, m)
	}
	return fmt.Errorf("an account does not take %T", m)
}

// book changes the balance, or says why not. What it returns is the reply.
func (a *account) book(c *actor.Context, cents int64) any {
	if a.balance+cents < 0 {
		return fmt.Errorf("%w: %s has %d, not %d", ErrFunds, a.name, a.balance, -cents)
	}
	if err := a.bank.journal.Tell(c, entry{a.name, cents}); err != nil {
		return err
	}
	a.balance += cents
	return a.balance
}

// transfer has an inspector look at it, takes the money, and brings it to the other account, all without keeping this one
// from its other customers meanwhile. If it can't be brought it comes back. (A real bank would number its deposits: one whose
// answer is only late has been booked.)
func (a *account) transfer(c *actor.Context, m Transfer) error {
	later := c.ReplyLater()
	ctx, cancel := context.WithTimeout(c, patience)
	actor.Then(a.bank.inspectors.Begin(ctx, c, check{a.name, m.Cents}), func(_ string, err error) error {
		if err != nil {
			cancel()
			return later.Reply(err)
		}
		if refusal, ok := a.book(c, -m.Cents).(error); ok {
			cancel()
			return later.Reply(refusal)
		}
		actor.Then(m.To.Begin(ctx, c, Deposit{m.Cents}), func(_ int64, err error) error {
			cancel()
			if err != nil {
				a.book(c, m.Cents)
				return later.Reply(fmt.Errorf("the money is back: %w", err))
			}
			return later.Reply(a.balance)
		})
		return nil
	})
	return nil
}
