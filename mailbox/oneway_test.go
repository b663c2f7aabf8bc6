package mailbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What every pair of patterns keeps in which one end sends messages to the other as they are, over every transport.

// oneWay is such a pair.
type oneWay struct{ from, to SocketType }

var oneWays = []oneWay{{Push, Pull}, {Pair, Pair}, {Dealer, Dealer}}

// overEachPair runs test for each pair over each transport.
func overEachPair(t *testing.T, test func(t *testing.T, w oneWay, at string)) {
	for _, w := range oneWays {
		t.Run(strings.ToLower(fmt.Sprint(w.from, "-", w.to)), func(t *testing.T) {
			overEach(t, func(t *testing.T, at string) { test(t, w, at) })
		})
	}
}

func TestMessagesComeInOrderAndWhole(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		for _, senderBinds := range []bool{true, false} {
			from, to := open(t, w.from, Config{}), open(t, w.to, Config{})
			if senderBinds {
				at = bind(t, from, other(at, 0))
				connect(t, to, at)
			} else {
				at = bind(t, to, other(at, 1))
				connect(t, from, at)
			}
			for _, frames := range [][]string{{"Hello"}, {""}, {"a", "b", "c"}, {"", "", ""}, {"x", "", "y"}, {strings.Repeat("z", 100<<10), ""}} {
				send(t, from, frames...)
				expect(t, to, frames...)
			}
			go func() {
				for i := range 3000 {
					from.Send(context.Background(), []byte(strconv.Itoa(i)))
				}
			}()
			for i := range 3000 {
				expect(t, to, strconv.Itoa(i))
			}
		}
	})
}

// C12, C68: it does not matter which side is there first.
func TestWhatIsSentBeforeTheOtherSideIsThereArrives(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		from, to := open(t, w.from, Config{}), open(t, w.to, Config{})
		connect(t, from, at)
		for i := range 100 {
			send(t, from, strconv.Itoa(i), "")
		}
		bind(t, to, at)
		for i := range 100 {
			expect(t, to, strconv.Itoa(i), "")
		}
	})
}

// C05: what is sent while nobody is there waits; nothing is lost in silence.
func TestAReceiverMayBeRestarted(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		from := open(t, w.from, Config{})
		connect(t, from, at)
		for i := range 4 {
			to := open(t, w.to, Config{})
			bind(t, to, at)
			expectSoon := func(want string) {
				t.Helper()
				send(t, from, want)
				expect(t, to, want)
			}
			expectSoon(strconv.Itoa(i))
			expectSoon("again")
			shut(t, to)
			until(t, "the sender knows", func() bool { return len(livePeers(from)) == 0 })
		}
		if n := dropped(from); n != 0 {
			t.Errorf("%d messages were dropped", n)
		}
	})
}

// livePeers returns those that are connected.
func livePeers(s *Socket) (live []*peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.peers {
		if p.live.Load() != nil {
			live = append(live, p)
		}
	}
	return live
}

func TestASenderMayBeRestarted(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		to := open(t, w.to, Config{})
		connect(t, to, at)
		for i := range 4 {
			from := open(t, w.from, Config{})
			bind(t, from, at)
			for j := range 10 {
				send(t, from, strconv.Itoa(i), strconv.Itoa(j)) // waits for the receiver
			}
			shut(t, from)
			for j := range 10 {
				expect(t, to, strconv.Itoa(i), strconv.Itoa(j))
			}
		}
	})
}

func TestASenderWaitsAtTheHighWaterMark(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		from, to := open(t, w.from, Config{SendHWM: 10}), open(t, w.to, Config{RecvHWM: 10})
		if err := from.Send(ended(), []byte("x")); !errors.Is(err, context.Canceled) {
			t.Fatalf("send without a peer: %v", err)
		}
		connect(t, from, at)
		body := make([]byte, 64<<10)
		for range 10 {
			if err := from.Send(ended(), body); err != nil {
				t.Fatal(err)
			}
		}
		if err := from.Send(ended(), body); !errors.Is(err, context.Canceled) {
			t.Fatalf("send to a full queue: %v", err)
		}
		if err := from.Send(within(t, time.Millisecond), body); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("send to a full queue: %v", err)
		}
		done := make(chan error)
		go func() { done <- from.Send(within(t, 10*time.Second), []byte("last")) }()
		until(t, "the sender waits", func() bool { return from.room.n.Load() == 1 })
		bind(t, to, at)
		for range 10 {
			recv(t, to)
		}
		expect(t, to, "last")
		if err := <-done; err != nil {
			t.Fatalf("there was room again, but: %v", err)
		}
	})
}

func TestClosingSenderDelivers(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		from, to := open(t, w.from, Config{}), open(t, w.to, Config{})
		connect(t, from, at)
		for i := range 100 {
			send(t, from, strconv.Itoa(i))
		}
		bind(t, to, at)
		shut(t, from)
		for i := range 100 {
			expect(t, to, strconv.Itoa(i))
		}
	})
}

// C85: every goroutine's messages come in its order.
func TestManyGoroutinesSendInTheirOrder(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		from, to := open(t, w.from, Config{}), open(t, w.to, Config{})
		bind(t, to, at)
		connect(t, from, at)
		const senders, each = 64, 50
		for i := range senders {
			go func() {
				for j := range each {
					from.Send(context.Background(), []byte(strconv.Itoa(i)), []byte(strconv.Itoa(j)))
				}
			}()
		}
		var next [senders]int
		for range senders * each {
			got := recv(t, to)
			i, _ := strconv.Atoi(got[0])
			if got[1] != strconv.Itoa(next[i]) {
				t.Fatalf("sender %d: received message %s, want %d", i, got[1], next[i])
			}
			next[i]++
		}
	})
}
