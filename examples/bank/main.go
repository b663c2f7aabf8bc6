// Bank is a service of supervised actors with state: accounts that are opened on demand and survive their own failures,
// transfers between them that keep neither account busy, a pool of inspectors that look at each transfer, and a journal.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/troupe-go/troupe/actor"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	system, err := actor.NewSystem(actor.Config{Node: "bank"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, system.Close(ctx)) }()
	branch, err := open(system, 1_000_00)
	if err != nil {
		return err
	}
	customers := map[string]actor.Ref[any]{}
	for _, name := range []string{"ada", "grace"} {
		if customers[name], err = actor.As[actor.Ref[any]](branch.Ask(ctx, system, name)); err != nil {
			return err
		}
	}
	for _, order := range []struct {
		customer string
		order    any
	}{
		{"ada", Deposit{500_00}},
		{"ada", Withdraw{20_00}},
		{"ada", Transfer{To: customers["grace"], Cents: 100_00}},
		{"ada", Withdraw{1_000_00}}, // refused: the account has too little
		{"ada", "close"},            // a failure: the account starts anew, with what the journal knows
		{"ada", Balance{}},
		{"grace", Balance{}},
	} {
		balance, err := actor.As[int64](customers[order.customer].Ask(ctx, system, order.order))
		if err != nil {
			fmt.Printf("%s: %T: %v\n", order.customer, order.order, err)
			continue
		}
		fmt.Printf("%s: %T: the balance is %d.%02d\n", order.customer, order.order, balance/100, balance%100)
	}
	return nil
}
