package actor_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// tally counts which member of a pool handled what.
type tally struct {
	mu    sync.Mutex
	count map[string]int // by member's name
	where map[int]string // which member handled it
}

// member handles n: -1 fails, -2 stops it; who asks gets its name.
func (y *tally) member() *player[int] {
	return &player[int]{receive: func(c *actor.Context, n int) error {
		name := ""
		for info := range actor.Tree(c) {
			if info.PID == c.Self() {
				name = info.Name
			}
		}
		switch n {
		case -1:
			return errOwn
		case -2:
			c.Stop()
		}
		y.mu.Lock()
		y.count[name]++
		y.where[n] = name
		y.mu.Unlock()
		return c.Reply(name)
	}}
}

func spawnPool(t *testing.T, s *actor.System, p actor.Pool[int]) (actor.Ref[int], *tally) {
	t.Helper()
	y := &tally{count: map[string]int{}, where: map[int]string{}}
	ref, err := actor.SpawnPool(s, "pool", p, y.member)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return ref, y
}

func TestAPoolSpreadsMessagesAsItsRoutingSays(t *testing.T) {
	for routing, check := range map[actor.Routing]func(t *testing.T, y *tally){
		actor.RoundRobin: func(t *testing.T, y *tally) {
			for name, n := range y.count {
				if n != 100 {
					t.Errorf("%s handled %d", name, n)
				}
			}
		},
		actor.LeastLoaded: func(t *testing.T, y *tally) {
			if len(y.count) != 4 {
				t.Error(y.count)
			}
		},
		actor.Random: func(t *testing.T, y *tally) {
			for name, n := range y.count {
				if n < 50 || n > 150 { // five standard deviations
					t.Errorf("%s handled %d", name, n)
				}
			}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{})
			ref, y := spawnPool(t, s, actor.Pool[int]{Size: 4, Routing: routing})
			for i := range 400 {
				tell(t, s, ref, i)
			}
			synctest.Wait()
			if len(y.where) != 400 || len(y.count) != 4 {
				t.Fatalf("%d handled, by %v", len(y.where), y.count)
			}
			check(t, y)
		})
	}
}

func TestLeastLoadedAvoidsTheBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		gate := make(chan struct{})
		var quick atomic.Int32
		ref, err := actor.SpawnPool(s, "", actor.Pool[int]{Size: 2, Routing: actor.LeastLoaded}, func() *player[int] {
			return &player[int]{receive: func(_ *actor.Context, n int) error {
				if n == 0 {
					<-gate
				}
				quick.Add(1)
				return nil
			}}
		})
		if err != nil {
			t.Fatal(err)
		}
		tell(t, s, ref, 0)
		for range 10 {
			synctest.Wait()
			tell(t, s, ref, 1)
		}
		synctest.Wait()
		if n := quick.Load(); n != 10 {
			t.Fatalf("%d were handled beside the busy member", n)
		}
		close(gate)
	})
}

func TestConsistentHashKeepsAKeyWithItsMemberAndMovesFewWhenThePoolGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, y := spawnPool(t, s, actor.Pool[int]{
			Size: 4, Routing: actor.ConsistentHash, Key: func(n int) string { return fmt.Sprint(n % 1000) },
		})
		first := map[int]string{}
		for i := range 1000 {
			tell(t, s, ref, i)
		}
		synctest.Wait()
		for i := range 1000 {
			first[i] = y.where[i]
		}
		for i := range 1000 {
			tell(t, s, ref, 1000+i)
		}
		synctest.Wait()
		for i := range 1000 {
			if y.where[1000+i] != first[i] {
				t.Fatalf("key %d: %s, then %s", i, first[i], y.where[1000+i])
			}
		}
		for name, n := range y.count {
			if n < 300 || n > 700 {
				t.Errorf("%s handled %d of 2000", name, n)
			}
		}
		if err := actor.Resize(s, ref.PID(), 5); err != nil {
			t.Fatal(err)
		}
		moved := 0
		for i := range 1000 {
			tell(t, s, ref, 2000+i)
		}
		synctest.Wait()
		for i := range 1000 {
			if y.where[2000+i] != first[i] {
				if moved++; y.where[2000+i] != "pool/5" {
					t.Fatalf("key %d moved from %s to %s", i, first[i], y.where[2000+i])
				}
			}
		}
		if moved < 100 || moved > 300 {
			t.Fatalf("%d of 1000 keys moved", moved)
		}
	})
}

func TestABroadcastReachesAllAndItsAskGetsTheFirstReply(t *testing.T) {
	for _, copying := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{CopyMessages: copying, Supervision: tireless})
			var handled atomic.Int32
			var made atomic.Int32
			ref, err := actor.SpawnPool(s, "", actor.Pool[string]{Size: 3, Routing: actor.Broadcast, Within: time.Minute}, func() *player[string] {
				me := int(made.Add(1))
				return &player[string]{receive: func(c *actor.Context, m string) error {
					handled.Add(1)
					switch {
					case m == "hang":
						<-c.Done()
					case m == "fail" || m == "some fail" && me == 1:
						return errOwn
					case m == "some fail":
						time.Sleep(time.Duration(me) * time.Second)
						return c.Reply(me)
					}
					return nil
				}}
			})
			if err != nil {
				t.Fatal(err)
			}
			tell(t, s, ref, "hello")
			synctest.Wait()
			if n := handled.Load(); n != 3 {
				t.Fatalf("%d handled it", n)
			}
			began := time.Now()
			n, err := actor.As[int](ref.Ask(t.Context(), s, "some fail"))
			if n != 2 || err != nil || time.Since(began) != 2*time.Second {
				t.Fatal(n, err, time.Since(began))
			}
			time.Sleep(time.Minute)
			wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1}) // the third reply is none
			_, err = ref.Ask(t.Context(), s, "fail")
			wantErr(t, err, errOwn)
			began = time.Now()
			_, err = ref.Ask(t.Context(), s, "hang")
			wantErr(t, err, context.DeadlineExceeded)
			if time.Since(began) != time.Minute {
				t.Fatal(time.Since(began))
			}
			asked := make(chan error)
			go func() {
				_, err := ref.Ask(context.Background(), s, "hang")
				asked <- err
			}()
			synctest.Wait()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			go actor.Stop(ended, s, ref.PID())
			wantErr(t, <-asked, actor.ErrClosed)
		})
	}
}

func TestAPoolIsResizedWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		ref, y := spawnPool(t, s, actor.Pool[int]{Size: 2})
		size := func(want int) {
			t.Helper()
			synctest.Wait()
			if n := inspect(t, s, ref.PID()).Children; n != want {
				t.Fatalf("%d members", n)
			}
		}
		sent := 0
		for _, n := range []int{5, 1, 8, 3} {
			for range 100 {
				tell(t, s, ref, sent)
				sent++
			}
			if err := actor.Resize(s, ref.PID(), n); err != nil {
				t.Fatal(err)
			}
			size(n)
		}
		if len(y.where) != sent {
			t.Fatalf("%d of %d handled", len(y.where), sent)
		}
		tell(t, s, ref, -1, -2) // one fails and restarts, one stops and is replaced
		size(3)
		wantDead(t, s, map[actor.Reason]uint64{actor.Failed: 1})
		wantErr(t, actor.Resize(s, ref.PID(), 0), actor.ErrUsage)
		wantErr(t, actor.Resize(s, does(t, s, "").PID(), 1), actor.ErrUsage)
		for _, p := range []actor.Pool[int]{{Size: -1}, {Routing: 77}, {Routing: actor.ConsistentHash}, {Key: func(int) string { return "" }}} {
			_, err := actor.SpawnPool(s, "", p, y.member)
			wantErr(t, err, actor.ErrUsage)
		}
	})
}

// A full member is passed over; when all are full, the pool's own mailbox fills, and nothing is lost.
func TestAFullPoolHoldsItsSendersUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		gate := make(chan struct{})
		var handled atomic.Int32
		ref, err := actor.SpawnPool(s, "", actor.Pool[int]{Size: 2, Member: []actor.Option{actor.HWM(3)}}, func() *player[int] {
			return &player[int]{receive: func(*actor.Context, int) error { <-gate; handled.Add(1); return nil }}
		}, actor.HWM(4), actor.OnFull(actor.Reject))
		if err != nil {
			t.Fatal(err)
		}
		accepted := 0
		for i := range 20 {
			if ref.Tell(s, i) == nil {
				accepted++
			}
			synctest.Wait()
		}
		if accepted != 10 { // 3 and 3, and 4
			t.Fatalf("%d accepted", accepted)
		}
		close(gate)
		synctest.Wait()
		if n := handled.Load(); n != 10 {
			t.Fatalf("%d handled", n)
		}
		wantDead(t, s, map[actor.Reason]uint64{})
	})
}

// Whatever a full member would do with a message from elsewhere, the pool tries the next.
func TestAFullMemberThatDropsIsPassedOver(t *testing.T) {
	for _, policy := range []actor.Policy{actor.DropNewest, actor.DropOldest} {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, actor.Config{})
			gate := make(chan struct{})
			var handled atomic.Int32
			ref, err := actor.SpawnPool(s, "", actor.Pool[int]{Size: 2, Member: []actor.Option{actor.HWM(3), actor.OnFull(policy)}}, func() *player[int] {
				return &player[int]{receive: func(c *actor.Context, n int) error {
					if n == 0 {
						<-gate
					}
					handled.Add(1)
					return nil
				}}
			})
			if err != nil {
				t.Fatal(err)
			}
			tell(t, s, ref, 0) // one member is busy, and soon full
			for range 100 {
				tell(t, s, ref, 1)
				synctest.Wait()
			}
			close(gate)
			synctest.Wait()
			if n := handled.Load(); n != 101 {
				t.Errorf("%v: %d handled", policy, n)
			}
			wantDead(t, s, map[actor.Reason]uint64{})
		})
	}
}

func TestAnAskThatWaitsInAPoolThatIsStoppedHearsThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{})
		pool, err := actor.SpawnPool(s, "", actor.Pool[int]{Size: 1, Member: []actor.Option{actor.HWM(1)}}, func() *player[int] {
			return &player[int]{receive: func(c *actor.Context, n int) error { <-c.Done(); return nil }}
		})
		if err != nil {
			t.Fatal(err)
		}
		tell(t, s, pool, 1)
		synctest.Wait()
		asked := make(chan error, 1)
		go func() {
			_, err := pool.Ask(t.Context(), s, 2)
			asked <- err
		}()
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := actor.Stop(ended, s, pool.PID()); err != nil {
			t.Fatal(err)
		}
		err = <-asked
		wantErr(t, err, actor.ErrNoActor)
		wantDead(t, s, map[actor.Reason]uint64{actor.Stopped: 1})
	})
}

func TestAResizeIsNotLostWhenAMemberFailsBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "n"})
		gate := make(chan struct{})
		pool, err := actor.SpawnPool(s, "pool", actor.Pool[int]{
			Size: 2, Routing: actor.ConsistentHash, Key: func(int) string { <-gate; return "" },
		}, func() *player[int] {
			return &player[int]{receive: func(c *actor.Context, n int) error {
				if n == 0 {
					return errOwn
				}
				return nil
			}}
		}, actor.Supervise(actor.Supervision{Decide: func(error) actor.Decision { return actor.DecideStop }}))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		tell(t, s, pool, 1) // the pool is busy
		tell(t, s, actor.RefTo[int](actor.Named("pool/1@n")), 0)
		synctest.Wait()
		if err := actor.Resize(s, pool.PID(), 4); err != nil {
			t.Fatal(err)
		}
		close(gate)
		synctest.Wait()
		if info, err := actor.Inspect(s, pool.PID()); err != nil || info.Children != 4 {
			t.Fatalf("%+v, %v", info, err)
		}
	})
}
