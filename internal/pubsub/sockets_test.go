package pubsub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// inBubble runs test with a world of its own.
func inBubble(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) { test(newWorld(t)) })
}

func TestWhatNobodyWantsIsNotEncoded(t *testing.T) {
	for _, cfg := range []Config{{}, {LastValues: 10}} {
		inBubble(t, func(w *world) {
			p, s := w.publisher(cfg), w.subscriber(cfg)
			w.subscribe(s, "a")
			synctest.Wait()
			w.publish(p, "ab 1", "b 2", " 3", "a 4", "b unencodable")
			w.expect(s, "a 4")
			if !slices.Equal(w.encoded, []string{"a 4"}) {
				w.t.Errorf("encoded %q", w.encoded)
			}
			if err := p.Publish(w.t.Context(), "a", "unencodable"); err == nil {
				w.t.Error("what can't be encoded is published")
			}
			w.publish(p, "a 5")
			w.expect(s, "a 5")
			if s.Missed() > 0 {
				w.t.Error("what was not published is missed")
			}
		})
	}
}

func TestPublishOfWhatNobodyWantsAllocatesNothing(t *testing.T) {
	inBubble(t, func(w *world) {
		p, s := w.publisher(Config{}), w.subscriber(Config{})
		w.subscribe(s, "a")
		ctx := w.t.Context()
		if n := testing.AllocsPerRun(100, func() { p.Publish(ctx, "b", "b 1") }); n > 0 {
			w.t.Error(n, "allocations")
		}
	})
}

// C60
func TestSubscriptionsComeBackWithTheConnection(t *testing.T) {
	inBubble(t, func(w *world) {
		p, s := w.publisher(Config{}), w.subscriber(Config{})
		other := w.subscriber(Config{})
		w.subscribe(s, "a", "b", "c")
		w.subscribe(other, "b")
		w.publish(p, "a 1", "b 1")
		w.expect(s, "a 1", "b 1")
		for round := range 20 {
			w.net.Cut("news:5556")
			synctest.Wait()
			w.must(p.WaitSubscribers(w.within(time.Minute), 2))
			w.publish(p, fmt.Sprint("a ", round), fmt.Sprint("c ", round))
			w.expect(s, fmt.Sprint("a ", round), fmt.Sprint("c ", round))
		}
		if s.Missed() > 0 {
			w.t.Error("missed", s.Missed())
		}
	})
}

func TestWhatWasLostWithAConnectionIsMissed(t *testing.T) {
	inBubble(t, func(w *world) {
		p, s := w.publisher(Config{}), w.subscriber(Config{})
		w.subscribe(s, "a")
		w.publish(p, "a 1")
		w.expect(s, "a 1")
		w.net.Stall("news:5556")
		w.publish(p, "a 2", "a 3", "a 4")
		w.net.Cut("news:5556")
		w.net.Resume("news:5556")
		synctest.Wait()
		w.must(p.WaitSubscribers(w.within(time.Minute), 1))
		w.publish(p, "a 5")
		w.expect(s, "a 5")
		if s.Missed("a") != 3 {
			w.t.Error("missed", s.Missed("a"))
		}
	})
}

func TestWhoWasAwayGetsTheLastValues(t *testing.T) {
	inBubble(t, func(w *world) {
		cfg := Config{LastValues: 10}
		p, s := w.publisher(cfg), w.subscriber(cfg)
		w.subscribe(s, "a", "b")
		w.publish(p, "a 1", "b 1")
		w.expect(s, "a 1", "b 1")
		w.net.Cut("news:5556")
		synctest.Wait()
		w.publish(p, "a 2", "a 3", "a 4") // nobody is there
		w.must(p.WaitSubscribers(w.within(time.Minute), 1))
		w.expect(s, "a 4")
		if s.Missed("a") != 2 {
			w.t.Error("missed", s.Missed("a"))
		}
	})
}

func TestWhoLostTheLastUpdateGetsTheLastValue(t *testing.T) {
	inBubble(t, func(w *world) {
		cfg := Config{LastValues: 10, Queue: 10}
		p, s, stuck := w.publisher(cfg), w.subscriber(cfg), w.subscriber(cfg)
		w.subscribe(s, "a")
		w.subscribe(stuck, "a")
		large := strings.Repeat(".", 1000)
		for i := range 1000 {
			w.publish(p, fmt.Sprint("a ", large, i))
		}
		got := w.drain(s)
		if got[len(got)-1] == fmt.Sprint("a ", large, 999) {
			w.t.Fatal("nothing was lost")
		}
		time.Sleep(10 * time.Second)
		w.expect(s, fmt.Sprint("a ", large, 999))
		if uint64(len(got))+1+s.Missed() != 1000 {
			w.t.Error(len(got), s.Missed())
		}
	})
}

func TestARestartedPublisherIsNoGapAndRepeatsNothing(t *testing.T) {
	inBubble(t, func(w *world) {
		cfg := Config{LastValues: 10}
		p, s := w.publisher(cfg), w.subscriber(cfg)
		w.subscribe(s, "a")
		w.publish(p, "a 1", "a 2", "a 3")
		w.expect(s, "a 1", "a 2", "a 3")
		w.must(p.Close(w.t.Context()))
		p = w.publisher(cfg)
		w.must(p.WaitSubscribers(w.within(time.Minute), 1))
		w.publish(p, "a 1", "a 2")
		w.expect(s, "a 1", "a 2")
		if s.Missed() > 0 {
			w.t.Error("missed", s.Missed())
		}
	})
}

func TestSeveralPublishersConnectToASubscriberThatIsBound(t *testing.T) {
	inBubble(t, func(w *world) {
		s, err := NewSubscriber(w.config(Config{LastValues: 1}), decode)
		w.must(err)
		defer s.Close(ended)
		_, err = s.Bind(w.t.Context(), endpoint)
		w.must(err)
		w.subscribe(s, "a")
		var all []string
		for i := range 3 {
			p, err := NewPublisher(w.config(Config{LastValues: 1}), w.encode)
			w.must(err)
			defer p.Close(ended)
			w.publish(p, fmt.Sprint("a first of ", i))
			w.must(p.Connect(endpoint))
			w.must(p.WaitSubscribers(w.within(time.Minute), 1))
			synctest.Wait()
			w.publish(p, fmt.Sprint("a second of ", i))
			all = append(all, fmt.Sprint("a first of ", i), fmt.Sprint("a second of ", i))
		}
		got := w.drain(s)
		slices.Sort(got)
		slices.Sort(all)
		if !slices.Equal(got, all) || s.Missed() > 0 {
			w.t.Errorf("%q, missed %d", got, s.Missed())
		}
	})
}

func TestAProxyFansOutSubscriptionsAndLastValues(t *testing.T) {
	inBubble(t, func(w *world) {
		cfg := Config{LastValues: 10}
		p := w.publisher(cfg)
		in, out := w.raw(mailbox.XSub, mailbox.Config{}), w.raw(mailbox.XPub, mailbox.Config{Verbose: true})
		w.must(in.Connect(endpoint))
		_, err := out.Bind(w.t.Context(), "tcp://far:1")
		w.must(err)
		ctx, cancel := context.WithCancel(w.t.Context())
		ended := make(chan error)
		go func() { ended <- mailbox.Proxy(ctx, in, out, nil) }()
		w.publish(p, "a 0")
		var all []*Subscriber[string]
		for range 3 {
			s, err := NewSubscriber(w.config(cfg), decode)
			w.must(err)
			w.t.Cleanup(func() { s.Close(context.Background()) })
			w.must(s.Connect("tcp://far:1"))
			w.subscribe(s, "a")
			all = append(all, s)
		}
		w.must(p.WaitSubscribers(w.within(time.Minute), 3))
		w.publish(p, "a 1", "b 2")
		for _, s := range all {
			w.expect(s, "a 0", "a 1")
			s.Close(context.Background())
		}
		synctest.Wait()
		if n, _ := p.audience.look(); n != 0 {
			w.t.Error(n, "are there still")
		}
		cancel()
		<-ended
	})
}

func TestWhoWantsSomethingElseIsTold(t *testing.T) {
	for name, cfg := range map[string]Config{"topic": {Topic: "sports"}, "version": {Topic: "news"}} {
		inBubble(t, func(w *world) {
			p := w.publisher(Config{})
			s := w.subscriber(cfg)
			want := `this is \"troupe-topic/1 news\", and you want \"troupe-topic/1 sports\"`
			if name == "version" {
				w.must(s.socket.Subscribe(w.t.Context(), hello(s.id, "news")[:18]+"troupe-topic/2 news"))
				want = `this is \"troupe-topic/1 news\", and you want \"troupe-topic/2 news\"`
			} else {
				w.subscribe(s, "a")
			}
			w.publish(p, "a 1")
			w.expect(s)
			if log := w.log.String(); name == "topic" && !strings.Contains(log, "a publisher refuses this subscriber") ||
				!strings.Contains(log, "a subscriber of something else") || name == "topic" && !strings.Contains(log, want) {
				w.t.Error(log)
			}
			if err := p.WaitSubscribers(ended, 1); err == nil {
				w.t.Error("it counts as a subscriber")
			}
		})
	}
}

func TestWhatCanNotBeDecodedIsMissed(t *testing.T) {
	inBubble(t, func(w *world) {
		p, s := w.publisher(Config{}), w.subscriber(Config{})
		w.subscribe(s, "a")
		w.publish(p, "a undecodable", "a 2", "a undecodable")
		w.expect(s, "a 2")
		if s.Missed() != 2 || s.Missed("a") != 2 || w.log.Lines("undecodable") != 1 {
			w.t.Error("missed", s.Missed(), w.log.String())
		}
	})
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	inBubble(t, func(w *world) {
		p, s := w.publisher(Config{}), w.subscriber(Config{})
		w.subscribe(s, "a")
		w.net.Stall("news:5556")
		w.publish(p, numbered("a", 900)...)
		closed := make(chan error)
		go func() { closed <- p.Close(w.t.Context()) }()
		synctest.Wait()
		if err := p.Publish(w.t.Context(), "a", "a"); !errors.Is(err, mailbox.ErrClosed) {
			w.t.Error(err)
		}
		if err := p.Publish(w.t.Context(), "b", "b"); !errors.Is(err, mailbox.ErrClosed) {
			w.t.Error(err)
		}
		w.net.Resume("news:5556")
		w.must(<-closed)
		w.expect(s, numbered("a", 900)...)
	})
}

func TestWhoComesWhileAValueIsPublishedGetsIt(t *testing.T) {
	inBubble(t, func(w *world) {
		cfg := Config{LastValues: 10}
		p, s := w.publisher(cfg), w.subscriber(cfg)
		for i := range 300 {
			key := fmt.Sprint("k", i)
			all := numbered(key, 50)
			published := make(chan struct{})
			go func() {
				defer close(published)
				w.publish(p, all...)
			}()
			w.subscribe(s, key)
			<-published
			got := w.drain(s)
			if len(got) == 0 || !slices.Equal(got, all[len(all)-len(got):]) {
				w.t.Fatalf("got %q of 50", got)
			}
			if s.Missed() > 0 {
				w.t.Fatal("missed", s.Missed())
			}
		}
	})
}
