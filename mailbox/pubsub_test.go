package mailbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func subscribe(t testing.TB, s *Socket, topics ...string) {
	t.Helper()
	if err := s.Subscribe(within(t, 10*time.Second), topics...); err != nil {
		t.Fatal(err)
	}
}

func unsubscribe(t testing.TB, s *Socket, topics ...string) {
	t.Helper()
	if err := s.Unsubscribe(topics...); err != nil {
		t.Fatal(err)
	}
}

func waitSubscribers(t testing.TB, s *Socket, n int) {
	t.Helper()
	if err := s.WaitSubscribers(within(t, 10*time.Second), n); err != nil {
		t.Fatal(err)
	}
}

// nothing checks that nothing is there to be received, after what was sent before a Subscribe that has returned.
func nothing(t testing.TB, s *Socket) {
	t.Helper()
	if msg, err := s.Recv(ended()); err == nil {
		t.Fatalf("received %q", text(msg))
	}
}

// waitConnected waits until the subscriber s has a connection that it sends subscriptions over.
func waitConnected(t testing.TB, s *Socket) {
	t.Helper()
	b := s.pattern.(*subscriber)
	until(t, "connected", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.links) > 0
	})
}

// joined returns a socket bound to endpoint, and one connected to it.
func joined(t testing.TB, endpoint string, bound SocketType, boundCfg Config, connected SocketType, connectedCfg Config) (b, c *Socket) {
	t.Helper()
	b, c = open(t, bound, boundCfg), open(t, connected, connectedCfg)
	connect(t, c, bind(t, b, endpoint))
	waitConnected(t, c)
	return b, c
}

// live returns the connections that there are.
func live(s *Socket) (ins []*inlet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.peers {
		if in := p.live.Load(); in != nil {
			ins = append(ins, in)
		}
	}
	return ins
}

// C59: what is published after Subscribe has returned is received.
func TestSubscribeReturnsWhenItIsActive(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		for _, typ := range []SocketType{Pub, XPub} {
			t.Run(string(typ), func(t *testing.T) {
				pub, sub := joined(t, endpoint, typ, Config{}, Sub, Config{})
				for i := range 20 {
					topic := fmt.Sprint("topic ", i, ":")
					send(t, pub, topic)
					subscribe(t, sub, topic)
					for range 100 {
						send(t, pub, topic, "news")
					}
					for range 100 {
						expect(t, sub, topic, "news")
					}
				}
				nothing(t, sub)
				shut(t, sub)
				shut(t, pub)
			})
		}
	})
}

// C59: the slow joiner, from the publisher's side; the publisher connects to the subscriber.
func TestAPublisherCanWaitForItsSubscribers(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := open(t, Pub, Config{}), open(t, Sub, Config{})
		subscribe(t, sub, "")
		connect(t, pub, endpoint)
		if err := pub.WaitSubscribers(ended(), 0); err != nil {
			t.Error(err)
		}
		if err := pub.WaitSubscribers(ended(), 1); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		bind(t, sub, endpoint)
		waitSubscribers(t, pub, 1)
		for i := range 100 {
			send(t, pub, fmt.Sprint(i))
		}
		for i := range 100 {
			expect(t, sub, fmt.Sprint(i))
		}
		waiting := make(chan error)
		go func() { waiting <- pub.WaitSubscribers(context.Background(), 2) }()
		until(t, "waiting", func() bool {
			p := pub.pattern.(*publisher)
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.grown != nil
		})
		pub.Close(ended())
		if err := <-waiting; err != ErrClosed {
			t.Error(err)
		}
	})
}

// C63: a raw SUB matches by prefix.
func TestTopicsArePrefixesOfTheFirstFrame(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, Pub, Config{}, Sub, Config{})
		subscribe(t, sub, "tx", "tx_", "nobody")
		for _, first := range []string{"tx", "t", "tx_trytes", "", "x", "txt"} {
			send(t, pub, first, "tx")
		}
		for _, first := range []string{"tx", "tx_trytes", "txt"} {
			expect(t, sub, first, "tx") // once, however many topics match
		}
		subscribe(t, sub, "")
		send(t, pub, "", "")
		expect(t, sub, "", "")
		nothing(t, sub)
	})
}

func TestATopicSubscribedToTwiceIsUnsubscribedFromTwice(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, Pub, Config{}, Sub, Config{})
		subscribe(t, sub, "a", "a", "b")
		unsubscribe(t, sub, "a", "unknown")
		subscribe(t, sub, "b")
		send(t, pub, "a")
		expect(t, sub, "a")
		unsubscribe(t, sub, "a")
		unsubscribe(t, sub, "a")
		subscribe(t, sub, "c") // the publisher knows of all changes now
		send(t, pub, "a")
		send(t, pub, "b")
		expect(t, sub, "b")
		nothing(t, sub)
		if n := dropped(sub); n != 0 {
			t.Errorf("%d messages were sent in vain", n)
		}
	})
}

func TestWhatWasUnsubscribedFromIsNotReceivedAnyMore(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, Pub, Config{}, Sub, Config{})
		subscribe(t, sub, "a", "b")
		for range 10 {
			send(t, pub, "a")
		}
		send(t, pub, "b")
		unsubscribe(t, sub, "a") // they may be here already
		expect(t, sub, "b")
		nothing(t, sub)
		if n := sub.Stats().Dropped[Unexpected]; n != 10 {
			t.Errorf("%d messages are counted as unexpected", n)
		}
	})
}

func TestWhoHasNotSubscribedGetsNothing(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, other := joined(t, endpoint, Pub, Config{}, XSub, Config{})
		sub := open(t, Sub, Config{})
		connect(t, sub, endpoint)
		subscribe(t, sub, "")
		waitSubscribers(t, pub, 1)
		send(t, pub, "x")
		expect(t, sub, "x")
		subscribe(t, other, "other")
		send(t, pub, "x")
		expect(t, sub, "x")
		nothing(t, other)
	})
}

// Each peer's frames are its own.
func TestReceivedFramesAreNotShared(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub := open(t, Pub, Config{})
		bind(t, pub, endpoint)
		var subs []*Socket
		for range 3 {
			sub := open(t, Sub, Config{})
			connect(t, sub, endpoint)
			subscribe(t, sub, "")
			subs = append(subs, sub)
		}
		waitSubscribers(t, pub, 3)
		body := []byte("hello")
		if err := pub.Send(ended(), body); err != nil {
			t.Fatal(err)
		}
		copy(body, "xxxxx")
		for _, sub := range subs {
			msg, err := sub.Recv(within(t, 10*time.Second))
			if err != nil || string(msg[0]) != "hello" {
				t.Fatalf("%q, %v", msg, err)
			}
			copy(msg[0], "other")
		}
	})
}

func TestASubReceivesFromItsPublishersInTurn(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		sub := open(t, Sub, Config{})
		subscribe(t, sub, "")
		bind(t, sub, endpoint)
		const each = 50
		var pubs []*Socket
		for range 3 {
			pub := open(t, Pub, Config{})
			connect(t, pub, endpoint)
			waitSubscribers(t, pub, 1)
			pubs = append(pubs, pub)
		}
		for i, pub := range pubs {
			for range each {
				send(t, pub, fmt.Sprint(i))
			}
		}
		until(t, "all are here", func() bool { // the first ones at least
			for _, in := range live(sub) {
				if in.wire && in.inbox.Len() == 0 {
					return false
				}
			}
			return true
		})
		got := make(map[string]int)
		for range 3 * each {
			got[recv(t, sub)[0]]++
		}
		if len(got) != 3 || got["0"] != each || got["1"] != each {
			t.Error(got)
		}
	})
}

func TestTheOtherPatternsMethodsAreUnsupported(t *testing.T) {
	ctx := ended()
	for name, call := range map[string]func() error{
		"PUB Recv":             func() error { _, err := open(t, Pub, Config{}).Recv(ctx); return err },
		"SUB Send":             func() error { return open(t, Sub, Config{}).Send(ctx, nil) },
		"PUB Subscribe":        func() error { return open(t, Pub, Config{}).Subscribe(ctx, "") },
		"XPUB Unsubscribe":     func() error { return open(t, XPub, Config{}).Unsubscribe("") },
		"SUB WaitSubscribers":  func() error { return open(t, Sub, Config{}).WaitSubscribers(ctx, 0) },
		"DEALER Subscribe":     func() error { return open(t, Dealer, Config{}).Subscribe(ctx, "") },
		"XSUB WaitSubscribers": func() error { return open(t, XSub, Config{}).WaitSubscribers(ctx, 0) },
	} {
		if err := call(); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	sub, pub := open(t, Sub, Config{}), open(t, Pub, Config{})
	sub.Close(ctx)
	pub.Close(ctx)
	for name, err := range map[string]error{
		"Subscribe":       sub.Subscribe(ctx, ""),
		"Unsubscribe":     sub.Unsubscribe(""),
		"WaitSubscribers": pub.WaitSubscribers(ctx, 0),
		"Send":            pub.Send(ctx, nil),
	} {
		if err != ErrClosed {
			t.Errorf("%s: %v", name, err)
		}
	}
}
