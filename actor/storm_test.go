package actor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// storm is an actor that now and then fails, stops itself, stashes what is not negative, or has a child, and counts what
// it handled.
func storm(handled *atomic.Uint64, random func(n int) int) func() *player[int] {
	return func() *player[int] {
		return &player[int]{
			start: func(c *actor.Context) error {
				if random(50) == 0 {
					return errOwn
				}
				return nil
			},
			receive: func(c *actor.Context, n int) error {
				switch random(40) {
				case 4:
					if n >= 0 && c.Stash() == nil {
						return nil
					}
				case 5:
					c.Unstash()
				case 0:
					return errOwn
				case 1:
					panic("storm")
				case 2:
					if random(10) == 0 {
						c.Stop()
					}
				case 3:
					_, _ = actor.Spawn(c, fmt.Sprint("child", random(3)), func(*actor.Context, int) error { return nil })
				}
				handled.Add(1)
				_ = c.Reply(n)
				return nil
			},
		}
	}
}

// Accepted = handled + dead-lettered, once nothing is queued any more, whatever happens in between.
func TestEveryAcceptedMessageIsHandledOrADeadLetter(t *testing.T) {
	for seed := range uint64(10) {
		s := start(t, actor.Config{Node: "n", HWM: 8, Wait: time.Microsecond, Supervision: tireless})
		var accepted, handled atomic.Uint64
		var sources sync.WaitGroup
		for worker := range uint64(6) {
			rng := rand.New(rand.NewPCG(seed, worker))
			sources.Go(func() {
				for range 1500 {
					name := fmt.Sprint("actor", rng.IntN(5))
					ref := actor.RefTo[int](actor.Named(name + "@n"))
					switch op := rng.IntN(100); {
					case op < 3:
						policy := actor.Policy(rng.IntN(4))
						_, err := actor.SpawnNew(s, name, storm(&handled, rand.IntN), actor.OnFull(policy), actor.HWM(1+rng.IntN(20)))
						if err != nil && !errors.Is(err, actor.ErrNameTaken) {
							t.Error(err)
						}
					case op < 5:
						ctx, cancel := context.WithCancel(context.Background())
						if rng.IntN(2) == 0 {
							cancel()
						}
						err := actor.Stop(ctx, s, ref.PID())
						if err != nil && !errors.Is(err, actor.ErrNoActor) && !errors.Is(err, context.Canceled) { // a busy machine
							t.Error(err)
						}
						cancel()
					case op < 10:
						if ref.Urgent(s, op) == nil {
							accepted.Add(1)
						}
					default:
						if ref.Tell(s, op) == nil {
							accepted.Add(1)
						}
					}
				}
			})
		}
		sources.Wait()
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := handled.Load() + countDead(s); got != accepted.Load() {
			t.Fatalf("seed %d: %d accepted; %d handled, dead letters %v", seed, accepted.Load(), handled.Load(), s.DeadLetters())
		}
	}
}

// Every Ask ends, with its own answer or with an error that says why there is none.
func TestEveryAskEnds(t *testing.T) {
	s := start(t, actor.Config{Node: "n", HWM: 4, Wait: time.Microsecond, Supervision: tireless})
	var handled atomic.Uint64
	var sources sync.WaitGroup
	ctx := within(t, time.Minute)
	for worker := range uint64(6) {
		rng := rand.New(rand.NewPCG(1, worker))
		sources.Go(func() {
			for i := range 1500 {
				name := fmt.Sprint("actor", rng.IntN(3))
				ref := actor.RefTo[int](actor.Named(name + "@n"))
				switch op := rng.IntN(100); {
				case op < 4:
					_, _ = actor.SpawnNew(s, name, storm(&handled, rand.IntN))
				case op < 6:
					_ = actor.Stop(ctx, s, ref.PID())
				default:
					got, err := actor.As[int](ref.Ask(ctx, s, -i-1))
					switch {
					case err == nil && got != -i-1:
						t.Errorf("asked %d, got %d", -i-1, got)
					case err == nil, errors.Is(err, actor.ErrNoActor), errors.Is(err, actor.ErrFull), errors.Is(err, actor.ErrFailed):
					default:
						t.Error(err)
					}
				}
			}
		})
	}
	sources.Wait()
}
