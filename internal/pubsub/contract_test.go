package pubsub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// C63
func TestKeysAreExactAndPrefixesAreNot(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p := publisher(Config{})
		exact, prefix, all, both := subscriber(), subscriber(), subscriber(), subscriber()
		w.subscribe(exact, "tx", "")
		w.must(prefix.Subscribe(w.t.Context(), false, "tx", "b"))
		w.must(all.Subscribe(w.t.Context(), false, ""))
		w.subscribe(both, "tx")
		w.must(both.Subscribe(w.t.Context(), false, "t", "tx"))
		w.publish(p, "tx_trytes 1", "t 2", "tx 3", " 4", "block 5")
		w.expect(exact, "tx 3", " 4")
		w.expect(prefix, "tx_trytes 1", "tx 3", "block 5")
		w.expect(all, "tx_trytes 1", "t 2", "tx 3", " 4", "block 5")
		w.expect(both, "tx_trytes 1", "t 2", "tx 3")
	})
}

func TestWhatIsSubscribedToTwiceIsToBeUnsubscribedFromTwice(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p, s := publisher(Config{}), subscriber()
		w.subscribe(s, "a")
		w.subscribe(s, "a", "b")
		w.must(s.Subscribe(w.t.Context(), false, "a"))
		w.must(s.Unsubscribe(true, "a", "c"))
		w.publish(p, "a 1", "ab 2", "b 3")
		w.expect(s, "a 1", "ab 2", "b 3")
		w.must(s.Unsubscribe(true, "a"))
		w.publish(p, "a 1", "ab 2")
		w.expect(s, "a 1", "ab 2")
		w.must(s.Unsubscribe(false, "a"))
		w.publish(p, "a 1", "ab 2", "b 3")
		w.expect(s, "b 3")
	})
}

func TestNothingArrivesAfterUnsubscribe(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p, s := publisher(Config{}), subscriber()
		w.subscribe(s, "a", "b")
		w.must(s.Subscribe(w.t.Context(), false, "c", "aa"))
		w.publish(p, "a 1", "b 2", "cc 3", "aa 4")
		synctest.Wait()
		w.must(s.Unsubscribe(true, "a"))
		w.must(s.Unsubscribe(false, "c"))
		w.expect(s, "b 2", "aa 4")
		if n := s.Missed(); n > 0 {
			w.t.Error("missed", n)
		}
	})
}

// C64, C65
func TestASlowSubscriberLosesAloneAndKnowsHowMuch(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p := publisher(Config{Queue: 10})
		fast, slow := subscriber(), subscriber()
		w.subscribe(fast, "a", "b")
		w.subscribe(slow, "a", "b")
		const each = 10_000
		got := 0
		for i := range each {
			w.publish(p, fmt.Sprint("a ", i), fmt.Sprint("b ", strings.Repeat(".", 100), i))
			got += len(w.drain(fast))
		}
		if got != 2*each || fast.Missed() > 0 {
			w.t.Errorf("the fast one got %d of %d and knows of %d more", got, 2*each, fast.Missed())
		}
		late := len(w.drain(slow))
		time.Sleep(2 * time.Second) // when the publisher has told how many there were
		late += len(w.drain(slow))
		if late == 2*each || late+int(slow.Missed()) != 2*each {
			w.t.Errorf("the slow one got %d of %d and knows of %d more", late, 2*each, slow.Missed())
		}
		if slow.Missed("a")+slow.Missed("b") != slow.Missed() || slow.Missed("a") == 0 || slow.Missed("c") > 0 {
			w.t.Error("by key:", slow.Missed("a"), slow.Missed("b"), slow.Missed("c"))
		}
		if p.Dropped() < slow.Missed() {
			w.t.Error("the publisher knows of", p.Dropped())
		}
	})
}

// C65
func TestHoldLosesNothingAndWaitsAsLongAsTheContext(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p := publisher(Config{Queue: 10, Hold: true})
		s, idle := subscriber(), subscriber()
		w.subscribe(s, "a")
		w.subscribe(idle, "b")
		large := strings.Repeat("x", 1000)
		const n = 3000
		done := make(chan error)
		go func() {
			for i := range n {
				if err := p.Publish(w.t.Context(), "a", fmt.Sprint(i, large)); err != nil {
					done <- err
				}
			}
			done <- nil
		}()
		for i := range n {
			if i%100 == 0 {
				time.Sleep(time.Second)
			}
			v, err := s.Recv(w.t.Context())
			if err != nil || v != fmt.Sprint(i, large) {
				w.t.Fatal(i, v, err)
			}
		}
		w.must(<-done)
		var err error
		sent := 0
		for ctx := w.within(time.Minute); err == nil; sent++ {
			err = p.Publish(ctx, "a", fmt.Sprint(sent, large))
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			w.t.Error(err)
		}
		w.publish(p, "b 1") // nobody whom it is for is full
		w.expect(idle, "b 1")
		w.must(s.Unsubscribe(true, "a"))
		synctest.Wait()
		w.publish(p, "a 1") // nor here
		w.subscribe(s, "a")
		w.drain(s)
		w.publish(p, "a 2")
		w.expect(s, "a 2")
		if s.Missed() > 0 || p.Dropped() > 0 {
			w.t.Error("missed", s.Missed(), "dropped", p.Dropped())
		}
	})
}

func TestWhoComesLateGetsTheLastValues(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p := publisher(Config{LastValues: 3})
		early := subscriber()
		w.subscribe(early, "a")
		w.publish(p, "a 1", "a 2", "b 1", "ab 1", "a 3")
		w.expect(early, "a 1", "a 2", "a 3")
		late, later := subscriber(), subscriber()
		w.subscribe(late, "a", "none")
		w.expect(late, "a 3")
		w.must(later.Subscribe(w.t.Context(), false, "a"))
		w.expect(later, "ab 1", "a 3")
		w.must(later.Subscribe(w.t.Context(), false, ""))
		w.expect(later, "b 1")     // it has the others
		w.publish(p, "a 4", "c 1") // b is the oldest of four
		w.expect(early, "a 4")
		w.expect(late, "a 4")
		w.expect(later, "a 4", "c 1")
		last := subscriber()
		w.must(last.Subscribe(w.t.Context(), false, ""))
		w.expect(last, "ab 1", "a 4", "c 1")
		w.publish(p, "b 2") // anew
		w.expect(later, "b 2")
		for _, s := range []receiver{early, late, later, last} {
			if s.Missed() > 0 {
				w.t.Error("missed", s.Missed())
			}
		}
	})
}

func TestASnapshotOfManyValuesIsWholeAndUpdatesFollowIt(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		const n = 20_000
		p := publisher(Config{LastValues: n, Queue: 100})
		for i := range n {
			w.publish(p, fmt.Sprintf("k%d 0", i))
		}
		stuck, s := subscriber(), subscriber()
		w.must(stuck.Subscribe(w.t.Context(), false, "k"))
		w.must(s.Subscribe(w.t.Context(), false, "k"))
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for i := range n / 10 {
				p.Publish(w.t.Context(), fmt.Sprint("k", i*10), fmt.Sprintf("k%d 1", i*10))
				if i%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		}()
		seen := make(map[string]string)
		for changed := 0; changed < n/10 || len(seen) < n; {
			v, err := s.Recv(w.within(time.Minute))
			if err != nil {
				w.t.Fatal(err, len(seen), changed)
			}
			key, state, _ := strings.Cut(v, " ")
			before, had := seen[key]
			if had && before >= state {
				w.t.Fatalf("%s after %s", v, before)
			}
			if seen[key] = state; state == "1" {
				changed++
			}
		}
		<-stop
		if s.Missed() > 0 {
			w.t.Error("missed", s.Missed())
		}
		w.must(stuck.Close(ended))
	})
}

func TestAPublisherCanWaitForSubscribers(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p := publisher(Config{})
		s := subscriber()
		err := p.WaitSubscribers(w.within(time.Second), 1)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "0 of 1") {
			w.t.Error(err)
		}
		got := make(chan error)
		go func() {
			err := p.WaitSubscribers(w.t.Context(), 2)
			w.publish(p, "a 1", "b 2")
			got <- err
		}()
		w.subscribe(s, "a", "b")
		w.subscribe(subscriber(), "b")
		w.must(<-got)
		w.expect(s, "a 1", "b 2")
		w.must(s.Unsubscribe(true, "a", "b")) // to nothing
		synctest.Wait()
		if err := p.WaitSubscribers(w.within(time.Second), 2); err == nil {
			w.t.Error("who subscribes to nothing counts")
		}
		w.must(p.WaitSubscribers(ended, 1))
		w.subscribe(s, "a")
		w.must(p.WaitSubscribers(w.within(time.Second), 2))
		w.must(s.Close(ended))
		synctest.Wait()
		if err := p.WaitSubscribers(ended, 2); err == nil {
			w.t.Error("who is gone counts")
		}
	})
}

func TestKeysThatCanNotBeAreRefused(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p, s := publisher(Config{}), subscriber()
		for _, key := range []string{"a\x00", "\x00", strings.Repeat("x", MaxKey+1)} {
			for _, err := range []error{
				p.Publish(w.t.Context(), key, "v"), s.Subscribe(w.t.Context(), true, "fine", key), s.Subscribe(w.t.Context(), false, key),
			} {
				if !errors.Is(err, ErrKey) {
					w.t.Error(key, err)
				}
			}
		}
		w.publish(p, "fine 1")
		w.expect(s)
		long := strings.Repeat("x", MaxKey)
		w.subscribe(s, long)
		w.publish(p, long+" 1")
		w.expect(s, long+" 1")
	})
}

func TestAClosedSubscriberFailsAndIsForgotten(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p := publisher(Config{Hold: true, Queue: 1})
		s := subscriber()
		w.subscribe(s, "a")
		w.must(s.Subscribe(w.t.Context(), false, "a", "b"))
		got := make(chan error)
		go func() {
			_, err := s.Recv(w.t.Context())
			got <- err
		}()
		synctest.Wait()
		w.must(s.Close(ended))
		if err := <-got; !errors.Is(err, mailbox.ErrClosed) {
			w.t.Error(err)
		}
		if err := s.Subscribe(w.t.Context(), true, "c"); !errors.Is(err, mailbox.ErrClosed) {
			w.t.Error(err)
		}
		for range 10_000 {
			w.publish(p, "a 1", "b 2")
		}
	})
}

func TestSeveralGoroutinesReceiveFromOneSubscriber(t *testing.T) {
	overForms(t, func(w *world, publisher func(Config) sender, subscriber func() receiver) {
		p := publisher(Config{Hold: true, Queue: 5})
		s := subscriber()
		w.subscribe(s, "a")
		const n = 1000
		got := make(chan string)
		ctx, cancel := context.WithCancel(w.t.Context())
		for range 4 {
			go func() {
				for {
					v, err := s.Recv(ctx)
					if err != nil {
						return
					}
					got <- v
				}
			}()
		}
		go w.publish(p, numbered("a", n)...)
		seen := map[string]bool{}
		for range n {
			seen[<-got] = true
		}
		cancel()
		synctest.Wait()
		if len(seen) != n {
			w.t.Error(len(seen))
		}
	})
}
