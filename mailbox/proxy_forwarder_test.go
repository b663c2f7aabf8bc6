package mailbox

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// C59: a publisher that comes late gets the subscriptions that are there already.
func TestProxyForwarderPassesSubscriptionsToPublishers(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		front, back, frontAt, backAt := device(t, endpoint, XPub, XSub, Config{})
		proxied(t, front, back, nil, nil)
		early, late := open(t, Pub, Config{}), open(t, Pub, Config{})
		connect(t, early, backAt)
		a, b := open(t, Sub, Config{}), open(t, Sub, Config{})
		for _, sub := range []*Socket{a, b} {
			connect(t, sub, frontAt)
		}
		ctx := within(t, 10*time.Second)
		if err := errors.Join(a.Subscribe(ctx, "a"), b.Subscribe(ctx, "b")); err != nil {
			t.Fatal(err)
		}
		for _, pub := range []*Socket{early, late} {
			if pub == late {
				connect(t, pub, backAt)
			}
			// Two topics make one subscriber: the proxy.
			if err := pub.WaitSubscribers(ctx, 1); err != nil {
				t.Fatal(err)
			}
			until(t, "both subscriptions pass", func() bool { return told(pub, "a") && told(pub, "b") })
			send(t, pub, "c")
			send(t, pub, "a", "1")
			send(t, pub, "b", "2")
			expect(t, a, "a", "1")
			expect(t, b, "b", "2")
		}
		if err := a.Unsubscribe("a"); err != nil {
			t.Fatal(err)
		}
		until(t, "the end of a subscription passes", func() bool { return !told(early, "a") && !told(late, "a") })
	})
}

// told says whether somebody has subscribed to the topic at a PUB.
func told(s *Socket, topic string) bool {
	p := s.pattern.(*publisher)
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(reached(&p.topics, topic)) > 0
}

// A forwarder may be in two halves, with any two sockets between that pass messages both ways.
func TestProxyForwarderInTwoHalves(t *testing.T) {
	for _, typ := range []SocketType{Pair, Dealer} {
		xpub, near, frontAt, borderAt := device(t, "inproc://"+t.Name()+string(typ), XPub, typ, Config{})
		far, xsub := open(t, typ, Config{}), open(t, XSub, Config{})
		connect(t, far, borderAt)
		backAt := bind(t, xsub, "inproc://"+t.Name()+string(typ)+"-far")
		proxied(t, xpub, near, nil, nil)
		proxied(t, far, xsub, nil, nil)
		sub, pub := open(t, Sub, Config{}), open(t, Pub, Config{})
		connect(t, sub, frontAt)
		connect(t, pub, backAt)
		ctx := within(t, 10*time.Second)
		if err := errors.Join(sub.Subscribe(ctx, "a"), pub.WaitSubscribers(ctx, 1)); err != nil {
			t.Fatal(err)
		}
		send(t, pub, "b")
		send(t, pub, "a", "1")
		expect(t, sub, "a", "1")
	}
}

// C60: when a proxy comes back all subscriptions are there again before its subscribers count as connected.
func TestProxyThatIsRestartedGetsTheSubscriptionsAgain(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			frontAt, backAt := tr.endpoint(t), tr.endpoint(t)
			if tr.name == "inproc" {
				backAt += "-back"
			}
			sub, pub := open(t, Sub, Config{}), open(t, Pub, Config{})
			connect(t, sub, frontAt)
			connect(t, pub, backAt)
			ctx := within(t, 20*time.Second)
			if err := sub.Subscribe(ctx, "a", "b"); err != nil {
				t.Fatal(err)
			}
			for run := range 3 {
				front, back := open(t, XPub, Config{}), open(t, XSub, Config{})
				bind(t, front, frontAt)
				bind(t, back, backAt)
				control := new(ProxyControl)
				done := proxied(t, front, back, nil, control)
				until(t, "both subscriptions pass", func() bool { return told(pub, "a") && told(pub, "b") })
				for n := range 10 {
					send(t, pub, "a", fmt.Sprint(run, n))
					send(t, pub, "b", fmt.Sprint(run, n))
				}
				for n := range 10 {
					expect(t, sub, "a", fmt.Sprint(run, n))
					expect(t, sub, "b", fmt.Sprint(run, n))
				}
				control.Terminate()
				returns(t, done, nil)
				shut(t, front)
				shut(t, back)
				until(t, "the publisher has noticed", func() bool { return !told(pub, "a") && !told(pub, "b") })
			}
		})
	}
}

func TestProxyPassesOneWayFromSubToPub(t *testing.T) {
	front, back, frontAt, backAt := device(t, "inproc://"+t.Name(), Sub, Pub, Config{})
	proxied(t, front, back, nil, nil)
	pub, sub := open(t, Pub, Config{}), open(t, Sub, Config{})
	connect(t, pub, frontAt)
	connect(t, sub, backAt)
	ctx := within(t, 10*time.Second)
	if err := errors.Join(front.Subscribe(ctx, "a"), sub.Subscribe(ctx, "a"), pub.WaitSubscribers(ctx, 1), back.WaitSubscribers(ctx, 1)); err != nil {
		t.Fatal(err)
	}
	send(t, pub, "b")
	send(t, pub, "a")
	expect(t, sub, "a")
}
