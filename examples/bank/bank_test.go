package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/actor/actortest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	if err := run(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// ada: main.Deposit: the balance is 500.00
	// ada: main.Withdraw: the balance is 480.00
	// ada: main.Transfer: the balance is 380.00
	// ada: main.Withdraw: bank: insufficient funds: ada has 38000, not 100000
	// ada: string: actor: handler failed: an account does not take string
	// ada: main.Balance: the balance is 380.00
	// grace: main.Balance: the balance is 100.00
}

// customer opens an account.
func customer(t *testing.T, s *actor.System, branch actor.Ref[string], name string) actor.Ref[any] {
	t.Helper()
	ref, err := actor.As[actor.Ref[any]](branch.Ask(t.Context(), s, name))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func balance(t *testing.T, s *actor.System, account actor.Ref[any]) int64 {
	t.Helper()
	cents, err := actor.As[int64](account.Ask(t.Context(), s, Balance{}))
	if err != nil {
		t.Fatal(err)
	}
	return cents
}

// Whatever fails meanwhile, money is neither lost nor made.
func TestMoneyIsNeitherLostNorMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actortest.Start(t, actor.Config{Node: "bank"})
		branch, err := open(s, 50)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{"ada", "grace", "barbara"}
		var accounts []actor.Ref[any]
		for _, name := range names {
			ref := customer(t, s, branch, name)
			if _, err := ref.Ask(t.Context(), s, Deposit{1000}); err != nil {
				t.Fatal(err)
			}
			accounts = append(accounts, ref)
		}
		var customers sync.WaitGroup
		for i := range accounts {
			customers.Go(func() {
				for n := range 30 {
					to := accounts[(i+1+n%2)%len(accounts)]
					_, _ = accounts[i].Ask(t.Context(), s, Transfer{To: to, Cents: int64(n * 2)}) // some are too much
				}
			})
		}
		customers.Wait()
		var sum int64
		for _, ref := range accounts {
			sum += balance(t, s, ref)
		}
		if sum != 3000 {
			t.Fatalf("3000 went in, there are %d", sum)
		}
	})
}

func TestAnAccountComesBackWithItsMoney(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actortest.Start(t, actor.Config{Node: "bank"})
		branch, err := open(s, 50)
		if err != nil {
			t.Fatal(err)
		}
		ada := customer(t, s, branch, "ada")
		if _, err := ada.Ask(t.Context(), s, Deposit{70}); err != nil {
			t.Fatal(err)
		}
		if err := ada.Tell(s, "nonsense"); err != nil {
			t.Fatal(err)
		}
		if got := balance(t, s, ada); got != 70 {
			t.Fatal(got)
		}
		if err := actor.Stop(t.Context(), s, ada.PID()); err != nil {
			t.Fatal(err)
		}
		if got := balance(t, s, customer(t, s, branch, "ada")); got != 70 {
			t.Fatal(got)
		}
	})
}

// While inspectors look at a transfer, the account serves others, and what can't be brought comes back.
func TestATransferKeepsNobodyWaitingAndComesBackIfItMust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := actortest.Start(t, actor.Config{Node: "bank"})
		branch, err := open(s, 50)
		if err != nil {
			t.Fatal(err)
		}
		ada := customer(t, s, branch, "ada")
		if _, err := ada.Ask(t.Context(), s, Deposit{70}); err != nil {
			t.Fatal(err)
		}
		probe := actortest.NewProbe[any](t, s) // gives no reply: the money is not taken
		transferred := make(chan error)
		go func() {
			_, err := ada.Ask(t.Context(), s, Transfer{To: probe.Ref(), Cents: 40})
			transferred <- err
		}()
		began := time.Now()
		if got := balance(t, s, ada); got != 70 || time.Since(began) != 0 {
			t.Fatal(got, time.Since(began))
		}
		probe.Expect(Deposit{40})
		if err := <-transferred; err == nil {
			t.Fatal("the transfer was accepted")
		}
		if got := balance(t, s, ada); got != 70 {
			t.Fatal(got)
		}
	})
}
