package mailbox

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestManyGoroutinesKeepTheirOrder(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		const senders, each = 64, 100
		dealer, router := open(t, Dealer, Config{SendHWM: 50}), open(t, Router, Config{RecvHWM: 50})
		bind(t, router, at)
		connect(t, dealer, at)
		var wg sync.WaitGroup
		for g := range senders {
			wg.Go(func() {
				for i := range each {
					if err := dealer.Send(within(t, 20*time.Second), []byte{byte(g)}, []byte(strconv.Itoa(i))); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		next := make([]int, senders)
		for range senders * each {
			msg := recv(t, router)
			g := msg[1][0]
			if msg[2] != strconv.Itoa(next[g]) {
				t.Fatalf("sender %d: received %s, want %d", g, msg[2], next[g])
			}
			next[g]++
		}
		wg.Wait()
	})
}

func TestManyReceiversTakeEachMessageOnce(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		const receivers, messages = 64, 3000
		dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
		bind(t, router, at)
		connect(t, dealer, at)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var seen [messages]atomic.Int32
		var got atomic.Int32
		var wg sync.WaitGroup
		for range receivers {
			wg.Go(func() {
				for {
					msg, err := router.Recv(ctx)
					if err != nil {
						return
					}
					i, _ := strconv.Atoi(string(msg[1]))
					seen[i].Add(1)
					if got.Add(1) == messages {
						cancel()
					}
				}
			})
		}
		for i := range messages {
			send(t, dealer, strconv.Itoa(i))
		}
		until(t, "all received", func() bool { return got.Load() == messages })
		wg.Wait()
		for i := range seen {
			if n := seen[i].Load(); n != 1 {
				t.Errorf("message %d was received %d times", i, n)
			}
		}
	})
}

func TestAPeerThatDoesNotReadDelaysNoOther(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{SendHWM: 10})
		bind(t, router, at)
		stuck := open(t, Dealer, Config{Identity: []byte("stuck"), RecvHWM: 10})
		alive := open(t, Dealer, Config{Identity: []byte("alive")})
		for _, d := range []*Socket{stuck, alive} {
			connect(t, d, at)
			send(t, d, "hello")
			recv(t, router)
		}
		body := string(make([]byte, 64<<10))
		for i := range 200 {
			send(t, router, "stuck", body)
			send(t, router, "alive", strconv.Itoa(i))
			expect(t, alive, strconv.Itoa(i))
		}
		if dropped(router) == 0 {
			t.Error("what had no room was not counted")
		}
	})
}

func TestADeadPeerBlocksNoSends(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer, one, two := open(t, Dealer, Config{SendHWM: 10}), open(t, Router, Config{}), open(t, Router, Config{})
		connect(t, dealer, bind(t, one, other(at, 1)))
		connect(t, dealer, bind(t, two, other(at, 2)))
		send(t, dealer, "x")
		send(t, dealer, "x")
		recv(t, one)
		recv(t, two)
		shut(t, one)
		for range 500 { // ten wait for one to return, the rest goes to two
			send(t, dealer, "x")
		}
		for range 480 {
			recv(t, two)
		}
	})
}
