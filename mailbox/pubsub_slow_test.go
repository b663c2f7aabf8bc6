package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// C65: what is not received is counted, for the subscriber and in all.
func TestABurstIsReceivedOrCounted(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, Pub, Config{SendHWM: 100}, Sub, Config{RecvHWM: 100})
		subscribe(t, sub, "")
		const sent = 5000
		for range sent {
			if err := pub.Send(ended(), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		lost := pub.Stats().Dropped[Full]
		for range sent - lost {
			expect(t, sub, "x")
		}
		subscribe(t, sub, "end")
		nothing(t, sub)
		if peers := pub.Stats().Peers; len(peers) != 1 || peers[0].Dropped[Full] != lost {
			t.Errorf("%d were lost, the peers are %+v", lost, peers)
		}
	})
}

// C65: with NoDrop nothing is lost, however slow a subscriber is; each gets all, in order.
func TestNoDropLosesNothing(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		for _, typ := range []SocketType{Pub, XPub} {
			t.Run(string(typ), func(t *testing.T) {
				pub := open(t, typ, Config{SendHWM: 10, NoDrop: true})
				bind(t, pub, endpoint)
				const senders, each = 3, 300
				var receiving sync.WaitGroup
				for range 3 {
					sub := open(t, Sub, Config{RecvHWM: 10})
					connect(t, sub, endpoint)
					subscribe(t, sub, "")
					receiving.Go(func() {
						next, ctx := make([]int, senders), within(t, 10*time.Second)
						for range senders * each {
							msg, err := sub.Recv(ctx)
							if err != nil {
								t.Error(err)
								return
							}
							var from, n int
							fmt.Sscan(string(msg[0]), &from, &n)
							if n != next[from] {
								t.Errorf("received %d, want %d", n, next[from])
								return
							}
							next[from]++
						}
					})
				}
				waitSubscribers(t, pub, 3)
				for i := range senders {
					receiving.Go(func() {
						ctx := within(t, 10*time.Second)
						for n := range each {
							if err := pub.Send(ctx, fmt.Append(nil, i, n)); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				receiving.Wait()
				if n := dropped(pub); n > 0 {
					t.Errorf("%d messages were dropped", n)
				}
			})
		}
	})
}

// C64: a slow subscriber loses what it does not read, and nobody else does; what waits for it is bounded.
func TestASlowSubscriberLosesOnlyItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		pub := open(t, Pub, Config{Network: network, SendHWM: 50, memory: 1 << 20})
		slow, fast := open(t, Sub, Config{Network: network}), open(t, Sub, Config{Network: network})
		bind(t, pub, "tcp://a:1")
		bind(t, pub, "tcp://b:1")
		connect(t, slow, "tcp://a:1")
		connect(t, fast, "tcp://b:1")
		subscribe(t, slow, "")
		subscribe(t, fast, "")
		waitSubscribers(t, pub, 2)
		network.Stall("a:1")
		const sent = 1000
		for i := range sent {
			send(t, pub, fmt.Sprint(i), string(tenKiB))
			if got := recv(t, fast); got[0] != fmt.Sprint(i) {
				t.Fatalf("received %s, want %d", got[0], i)
			}
		}
		lost := uint64(0)
		for _, p := range pub.Stats().Peers {
			lost += p.Dropped[Full]
			if p.Queued > 50 {
				t.Errorf("%d messages wait", p.Queued)
			}
		}
		if lost < sent-100 || lost != pub.Stats().Dropped[Full] {
			t.Errorf("%d messages are counted as lost", lost)
		}
		network.Resume("a:1")
		for range sent - lost {
			recv(t, slow)
		}
		nothing(t, slow)
		for _, s := range []*Socket{slow, fast, pub} {
			shut(t, s)
		}
	})
}

func TestNoDropSendsToAllOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		pub := open(t, Pub, Config{Network: network, SendHWM: 5, NoDrop: true})
		slow, fast := open(t, Sub, Config{Network: network}), open(t, Sub, Config{Network: network})
		bind(t, pub, "tcp://a:1")
		bind(t, pub, "tcp://b:1")
		connect(t, slow, "tcp://a:1")
		connect(t, fast, "tcp://b:1")
		subscribe(t, slow, "all")
		subscribe(t, fast, "all", "fast")
		waitSubscribers(t, pub, 2)
		network.Stall("a:1")
		sent := 0
		for ; pub.Send(ended(), []byte("all"), tenKiB) == nil; sent++ {
			synctest.Wait()
		}
		begin := time.Now()
		err := pub.Send(within(t, time.Second), []byte("all"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Error(time.Since(begin), err)
		}
		for range sent {
			if got := recv(t, fast); got[0] != "all" {
				t.Fatal(got[0])
			}
		}
		nothing(t, fast)
		send(t, pub, "fast") // which the slow one did not ask for
		expect(t, fast, "fast")
		waiting := make(chan error)
		go func() { waiting <- pub.Send(context.Background(), []byte("all"), []byte("last")) }()
		synctest.Wait()
		network.Cut("a:1") // nobody else has no room
		if err := <-waiting; err != nil {
			t.Error(err)
		}
		expect(t, fast, "all", "last")
		network.Resume("a:1")
		for _, s := range []*Socket{slow, fast, pub} {
			shut(t, s)
		}
	})
}

func TestAMessageForNobodyCostsNoMemory(t *testing.T) {
	pub, sub := joined(t, "inproc://"+t.Name(), Pub, Config{}, Sub, Config{})
	subscribe(t, sub, "a", "b/c", "b/d")
	ctx, head, body := context.Background(), []byte("b/e"), make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() { pub.Send(ctx, head, body) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
