package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// forest is a tree of actors that fail in all ways, in handlers and hooks, and that take their time. Each sees that its
// instances follow one another, with their hooks in order.
type forest struct {
	t       *testing.T
	mu      sync.Mutex
	random  *rand.Rand
	handled atomic.Uint64
	calm    atomic.Bool // no more failures
}

func (f *forest) rand(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.IntN(n)
}

func (f *forest) nap() {
	if f.rand(6) == 0 {
		time.Sleep(time.Duration(f.rand(3000)) * time.Millisecond)
	}
}

// fail fails three times in n.
func (f *forest) fail(n int) error {
	if f.calm.Load() {
		return nil
	}
	switch f.rand(n) {
	case 0:
		return errOwn
	case 1:
		panic(errOwn)
	case 2:
		runtime.Goexit()
	}
	return nil
}

func (f *forest) rules() actor.Supervision {
	return actor.Supervision{
		Strategy: actor.Strategy(f.rand(3)), Intensity: 1 + f.rand(8), Period: time.Duration(1+f.rand(60)) * time.Second,
		Backoff: time.Duration(f.rand(4)-1) * 100 * time.Millisecond,
		Decide: func(error) actor.Decision {
			switch f.rand(30) {
			case 0:
				return actor.DecideStop
			case 1:
				return actor.DecideEscalate
			case 2:
				return actor.DecideResume
			case 3:
				runtime.Goexit()
			}
			return actor.DecideRestart
		},
	}
}

func (f *forest) plant(in actor.Scope, path, name string, depth int) error {
	path += name
	var busy, up atomic.Int32
	enter := func() (leave func()) {
		if busy.Add(1) != 1 {
			f.t.Errorf("%s does two things at once", path)
		}
		return func() { busy.Add(-1) }
	}
	_, err := actor.SpawnNew(in, name, func() *player[int] {
		living := false
		return &player[int]{
			start: func(c *actor.Context) error {
				defer enter()()
				f.nap()
				for i := range 3 * min(depth, 1) {
					if err := f.plant(c, path+"/", fmt.Sprint(i), depth-1); err != nil {
						return err
					}
				}
				if err := f.fail(20); err != nil {
					return err
				}
				if living = true; up.Add(1) != 1 {
					f.t.Errorf("%s starts though it is up", path)
				}
				return nil
			},
			stop: func(*actor.Context) error {
				defer enter()()
				if up.Add(-1) != 0 || !living {
					f.t.Errorf("%s stops though it is not up", path)
				}
				living = false
				f.nap()
				return f.fail(10)
			},
			receive: func(c *actor.Context, n int) error {
				defer enter()()
				if !living {
					f.t.Errorf("%s handles though it is not up", path)
				}
				f.nap()
				if f.rand(20) == 0 {
					c.Stop()
				}
				if err := f.fail(12); err != nil {
					return err
				}
				f.handled.Add(1)
				return nil
			},
		}
	}, actor.Supervise(f.rules()), actor.Restart(actor.RestartType(f.rand(3))), actor.Shutdown(time.Duration(f.rand(8))*time.Second))
	return err
}

// disturb does something to some actor.
func (f *forest) disturb(s *actor.System, accepted *uint64) {
	name := "top"
	for range f.rand(3) {
		name += fmt.Sprint("/", f.rand(3))
	}
	pid := actor.Named(name + "@n")
	switch f.rand(30) {
	case 0:
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = actor.Stop(ended, s, pid)
	case 1:
		go func() { _ = actor.Stop(context.Background(), s, pid) }()
	default:
		if actor.RefTo[int](pid).Tell(s, 1) == nil {
			*accepted++
		}
	}
}

func TestTreesInWhichEverythingFailsKeepTheOrderOfLivesAndEnd(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			s, err := actor.NewSystem(actor.Config{Node: "n", HWM: 50, Wait: time.Microsecond, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			f := &forest{t: t, random: rand.New(rand.NewPCG(seed, 0))}
			var accepted uint64
			for range 150 {
				if err := f.plant(s, "", "top", 2); err != nil && !errors.Is(err, actor.ErrNameTaken) {
					t.Error(err)
				}
				for range f.rand(5) {
					f.disturb(s, &accepted)
				}
				time.Sleep(time.Duration(f.rand(800)) * time.Millisecond)
			}
			f.calm.Store(true)
			began, ctx := time.Now(), within(t, time.Duration(f.rand(100))*time.Second)
			_ = s.Close(ctx) // a handler may take longer
			if took := time.Since(began); took > 102*time.Second {
				t.Errorf("Close took %v", took)
			}
			time.Sleep(time.Hour)
			if got := f.handled.Load() + countDead(s); got != accepted {
				t.Errorf("%d accepted; %d handled, dead letters %v", accepted, f.handled.Load(), s.DeadLetters())
			}
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
