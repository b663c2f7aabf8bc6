package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// C60: after a publisher's restart, the subscriptions are active before the connection counts as up.
func TestSubscriptionsAreRestoredBeforeAConnectionIsUp(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		sub := open(t, Sub, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		up := make(chan struct{})
		events := sub.Monitor(ctx)
		go func() {
			for e := range events {
				if e.Kind == Connected {
					up <- struct{}{}
				}
			}
		}()
		var topics []string
		for i := range 2000 {
			topics = append(topics, fmt.Sprint(i, "."))
		}
		subscribe(t, sub, topics...)
		connect(t, sub, endpoint)
		for range 3 {
			pub := open(t, Pub, Config{})
			bind(t, pub, endpoint)
			<-up
			for i := range 10 {
				send(t, pub, topics[len(topics)-1-i])
			}
			for i := range 10 {
				expect(t, sub, topics[len(topics)-1-i])
			}
			shut(t, pub)
		}
	})
}

// What changes while nobody is connected is not sent after the set that has it already.
func TestChangesWithoutAConnectionAreNotReplayed(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		sub := open(t, Sub, Config{})
		connect(t, sub, endpoint)
		for range 2 {
			subscribe(t, sub, "a", "b")
			unsubscribe(t, sub, "a", "b")
			subscribe(t, sub, "a")
			pub := open(t, XPub, Config{})
			bind(t, pub, endpoint)
			expect(t, pub, "\x01a")
			subscribe(t, sub, "c")
			expect(t, pub, "\x01c")
			nothing(t, pub)
			shut(t, pub)
			until(t, "disconnected", func() bool { return len(live(sub)) == 0 })
			unsubscribe(t, sub, "a", "c")
		}
	})
}

func TestWhatIsLeftForASubscriberIsNotTheNextOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		pub, sub := open(t, Pub, Config{Network: network}), open(t, Sub, Config{Network: network})
		bind(t, sub, "tcp://there:1")
		connect(t, pub, "tcp://there:1")
		subscribe(t, sub, "secret")
		waitSubscribers(t, pub, 1)
		network.Stall("there:1")
		for range 300 {
			if err := pub.Send(ended(), []byte("secret"), tenKiB); err != nil {
				t.Fatal(err)
			}
		}
		network.Cut("there:1")
		sub.Close(ended())
		synctest.Wait()
		if n := dropped(pub); n < 200 {
			t.Errorf("%d messages are counted as dropped", n)
		}
		network.Resume("there:1")
		next := open(t, XSub, Config{Network: network})
		bind(t, next, "tcp://there:1")
		subscribe(t, next, "x")
		waitSubscribers(t, pub, 1)
		send(t, pub, "x")
		expect(t, next, "x")
		shut(t, next)
		shut(t, pub)
	})
}

func TestSubscribeSaysWhoHasNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		pub, sub := joined(t, "tcp://there:1", Pub, Config{Network: network}, Sub, Config{Network: network})
		network.Stall("there:1")
		begin := time.Now()
		err := sub.Subscribe(within(t, time.Second), "a")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Error(time.Since(begin), err)
		}
		if err := sub.Subscribe(ended(), "b"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		network.Resume("there:1")
		subscribe(t, sub, "c")
		send(t, pub, "b") // subscribed to all the same
		expect(t, sub, "b")
		network.Stall("there:1")
		time.AfterFunc(time.Second, func() { network.Cut("there:1") })
		subscribe(t, sub, "d") // until the connection ends
		network.Resume("there:1")
		shut(t, sub)
		shut(t, pub)
	})
}

func TestAPublisherThatDoesNotReadSubscriptionsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		pub, sub := joined(t, "tcp://there:1", Pub, Config{Network: network}, Sub, Config{Network: network, SendHWM: 10})
		network.Stall("there:1")
		topic := strings.Repeat("x", 1000)
		for range 200 {
			sub.Subscribe(ended(), topic)
			unsubscribe(t, sub, topic)
			for _, in := range live(sub) {
				if n := in.peer.out.Len(); n > 12 {
					t.Fatalf("%d changes wait", n)
				}
			}
			synctest.Wait()
		}
		if len(live(sub)) != 0 {
			t.Error("still connected")
		}
		sub.Subscribe(ended(), "a")
		network.Resume("there:1")
		waitSubscribers(t, pub, 1)
		time.Sleep(time.Minute) // the set is sent anew; synctest's clock
		send(t, pub, "a")
		expect(t, sub, "a")
		shut(t, sub)
		shut(t, pub)
	})
}

// greet connects to a publisher by hand, as a SUB of ZMTP 3.1.
func greet(t testing.TB, network *memnet.Network, address string) net.Conn {
	t.Helper()
	c, err := network.Dial(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	hello := greeting + ready(property("Socket-Type", "SUB"))
	io.WriteString(c, hello)
	if _, err := io.ReadFull(c, make([]byte, len(greeting)+len(ready(property("Socket-Type", "PUB"))))); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBothFormsOfSubscriptionsAreUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		pub := open(t, XPub, Config{Network: network})
		bind(t, pub, "tcp://there:1")
		c := greet(t, network, "there:1")
		io.WriteString(c, "\x00\x02\x01a"+"\x04\x0b\x09SUBSCRIBEb"+"\x04\x0a\x09SUBSCRIBE"+"\x04\x08\x06CANCELa"+"\x00\x02\x00b"+"\x04\x07\x06CANCEL"+"\x00\x00")
		for _, want := range []string{"\x01a", "\x01b", "\x01", "\x00a", "\x00b", "\x00", ""} {
			expect(t, pub, want)
		}
		c.Close()
		shut(t, pub)
	})
}

func TestASubscriptionFloodEndsItsConnection(t *testing.T) {
	for name, topic := range map[string]func(i int) []byte{
		"many": func(i int) []byte { return fmt.Append(nil, i) },
		"long": func(i int) []byte { return append(bytes.Repeat([]byte("x"), 200), fmt.Append(nil, i)...) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				pub, sub := open(t, XPub, Config{Network: network, memory: 64 << 10, RecvHWM: 10}), open(t, Sub, Config{Network: network})
				log := new(lines)
				pub.cfg.Log = slog.New(slog.NewTextHandler(log, nil))
				connect(t, sub, bind(t, pub, "tcp://there:1"))
				synctest.Wait()
				subscribe(t, sub, "other")
				c := greet(t, network, "there:1")
				p := pub.pattern.(*publisher)
				for i := range 100_000 {
					topic := topic(i)
					if _, err := c.Write(append([]byte{0, byte(1 + len(topic)), 1}, topic...)); err != nil {
						break
					}
					if i == 99_999 {
						t.Error("nothing ended the flood")
					}
				}
				synctest.Wait()
				if n := p.notices.Len(); n > 11 {
					t.Errorf("%d notices are kept", n)
				}
				if n := 0; p.active != 1 {
					p.topics.walk(func(string) { n++ })
					t.Errorf("%d subscribers and %d topics are left", p.active, n)
				}
				if !strings.Contains(log.b.String(), "subscribed to more") {
					t.Errorf("the log says %s", log.b.String())
				}
				send(t, pub, "other")
				expect(t, sub, "other")
				c.Close()
				shut(t, sub)
				shut(t, pub)
			})
		})
	}
}

func TestASubWithoutSubscriptionsIsToldOnce(t *testing.T) {
	sub := open(t, Sub, Config{})
	log := new(lines)
	sub.cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	for range 3 {
		sub.Recv(ended())
	}
	if n := log.count(); n != 1 || !strings.Contains(log.b.String(), "Subscribe") {
		t.Errorf("%d lines: %s", n, log.b.String())
	}
}

// Or a goroutine that both receives and subscribes would wait for ever: the answer is behind messages that it is to receive.
func TestSubscribeDoesNotWaitForAnAnswerBehindUnreadMessages(t *testing.T) {
	pub, sub := joined(t, "tcp://127.0.0.1:*", Pub, Config{NoDrop: true}, Sub, Config{RecvHWM: 1})
	subscribe(t, sub, "a")
	waitSubscribers(t, pub, 1)
	const n = 1000
	for i := range n {
		send(t, pub, fmt.Sprint("a", i))
	}
	subscribe(t, sub, "b")
	for i := range n {
		expect(t, sub, fmt.Sprint("a", i))
	}
	subscribe(t, sub, "c") // this one is waited for
	send(t, pub, "b")
	send(t, pub, "c")
	expect(t, sub, "b")
	expect(t, sub, "c")
}
