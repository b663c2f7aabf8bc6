package mailbox

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// balanced says whether all that from sent is with to: received, waiting there or dropped there.
func balanced(from, to Stats) bool {
	return from.Sent == to.Received+uint64(to.Waiting)+to.Dropped[Lost]+to.Dropped[Unexpected]
}

// total is how many messages were dropped, for whatever reason.
func total(dropped map[Reason]uint64) (n uint64) {
	for _, of := range dropped {
		n += of
	}
	return n
}

// sum is what the peers of st did, together.
func sum(st Stats) (all Traffic, dropped uint64) {
	for _, p := range st.Peers {
		all.Sent += p.Sent
		all.SentBytes += p.SentBytes
		all.Received += p.Received
		all.ReceivedBytes += p.ReceivedBytes
		all.Queued += p.Queued
		all.Waiting += p.Waiting
		dropped += total(p.Dropped)
	}
	return all, dropped
}

func TestCountersOfBothEndsAgree(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router, dealer := open(t, Router, Config{}), open(t, Dealer, Config{Identity: []byte("me")})
		bind(t, router, at)
		connect(t, dealer, at)
		const n = 300
		for range n {
			send(t, dealer, "abc", "", "de")
		}
		for range n {
			recv(t, router)
		}
		for range n / 2 {
			send(t, router, "me", "1234")
		}
		send(t, router, "nobody", "x")
		for range n / 3 {
			expect(t, dealer, "1234")
		}
		var d, r Stats
		until(t, "all is through", func() bool {
			d, r = dealer.Stats(), router.Stats()
			return d.Queued == 0 && r.Queued+d.Waiting == n/2-n/3
		})
		if d.Sent != n || d.SentBytes != 5*n || r.Received != n || r.ReceivedBytes != 5*n || !balanced(d, r) {
			t.Errorf("the dealer sent %+v, the router got %+v", d.Traffic, r.Traffic)
		}
		if !balanced(r, d) || r.Sent+uint64(r.Queued) != n/2 || d.Received != n/3 || d.ReceivedBytes != 4*n/3 {
			t.Errorf("the router sent %+v, the dealer got %+v", r.Traffic, d.Traffic)
		}
		if r.Dropped[NoPeer] != 1 || total(r.Dropped) != 1 || len(d.Dropped) != 0 {
			t.Errorf("the router dropped %v, the dealer %v", r.Dropped, d.Dropped)
		}
		if p := r.Peers[0]; len(r.Peers) != 1 || p.Type != Dealer || string(p.Identity) != "me" || !p.Connected || p.Received != n ||
			p.Endpoint != (Endpoint{}) || p.Since.IsZero() {
			t.Errorf("the router's peers are %+v", r.Peers)
		}
		if p := d.Peers[0]; len(d.Peers) != 1 || p.Type != Router || p.Endpoint.String() != at || !p.Connected || p.SentBytes != 5*n {
			t.Errorf("the dealer's peers are %+v", d.Peers)
		}
	})
}

func TestPeersThatAreGoneCountInTheTotals(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{})
		bind(t, router, at)
		for i := range 5 {
			id := fmt.Sprint("dealer", i)
			dealer := open(t, Dealer, Config{Identity: []byte(id)})
			connect(t, dealer, at)
			for range 3 {
				send(t, dealer, "hello")
			}
			until(t, "it is there", func() bool {
				peers := router.Stats().Peers
				return len(peers) == 1 && string(peers[0].Identity) == id && peers[0].Connected
			})
			recv(t, router)
			send(t, router, id, "you")
			expect(t, dealer, "you")
			shut(t, dealer)
		}
		var st Stats
		until(t, "nobody is there", func() bool { st = router.Stats(); return len(st.Peers) == 0 })
		if st.Sent != 5 || st.SentBytes != 15 || st.Received != 5 || st.Waiting != 10 || len(st.Dropped) != 0 {
			t.Errorf("%+v", st)
		}
		for range 10 {
			recv(t, router)
		}
		if st = router.Stats(); st.Received != 15 || st.ReceivedBytes != 75 || st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
		if router.Recv(ended()); len(router.in.inlets) != 0 {
			t.Errorf("%d inlets are kept", len(router.in.inlets))
		}
	})
}

// C22, C84: what is published, times the subscribers, is received or dropped or waits.
func TestPublishedTimesSubscribersIsReceivedOrCounted(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		pub := open(t, Pub, Config{SendHWM: 10})
		bind(t, pub, at)
		fast, slow := open(t, Sub, Config{}), open(t, Sub, Config{RecvHWM: 10})
		for _, s := range []*Socket{fast, slow} {
			connect(t, s, at)
			if err := s.Subscribe(within(t, 10*time.Second), ""); err != nil {
				t.Fatal(err)
			}
		}
		if err := pub.WaitSubscribers(within(t, 10*time.Second), 2); err != nil {
			t.Fatal(err)
		}
		const n = 3000
		body := make([]byte, 10<<10)
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				if _, err := fast.Recv(ctx); err != nil {
					return
				}
			}
		})
		for range n {
			if err := pub.Send(context.Background(), body); err != nil {
				t.Fatal(err)
			}
		}
		wg.Go(func() { // now the slow one gets what it has, and what is under way to it
			for {
				if _, err := slow.Recv(ctx); err != nil {
					return
				}
			}
		})
		var p, f, s Stats
		until(t, "all is at rest", func() bool {
			p, f, s = pub.Stats(), fast.Stats(), slow.Stats()
			return p.Queued == 0 && p.Sent == f.Received+s.Received
		})
		cancel()
		wg.Wait()
		if got := f.Received + s.Received + total(p.Dropped) + total(f.Dropped) + total(s.Dropped); got != 2*n {
			t.Errorf("%d of %d are accounted for: %+v, %+v, %+v", got, 2*n, p, f, s)
		}
		if p.Dropped[Full] == 0 {
			t.Errorf("nothing was dropped: %+v", p)
		}
		if all, dropped := sum(p); all != p.Traffic || dropped != total(p.Dropped) {
			t.Errorf("the peers' counters are %+v and %d dropped, the socket's %+v", all, dropped, p)
		}
	})
}

func TestRepliesAndRequestsAreAccountedFor(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, client := open(t, Rep, Config{}), open(t, Dealer, Config{})
		bind(t, server, at)
		connect(t, client, at)
		send(t, client, "no request")
		send(t, client, "", "one")
		send(t, client, "", "two")
		expect(t, server, "one")
		if err := server.Skip(); err != nil {
			t.Fatal(err)
		}
		expect(t, server, "two")
		send(t, server, "2")
		expect(t, client, "", "2")
		until(t, "all is counted", func() bool { return server.Stats().Queued == 0 && client.Stats().Queued == 0 })
		s, c := server.Stats(), client.Stats()
		if c.Sent != 3 || s.Received != 2 || s.ReceivedBytes != 6 || s.Dropped[Unexpected] != 1 || s.Dropped[Skipped] != 1 || !balanced(c, s) {
			t.Errorf("server %+v, client %+v", s, c)
		}
	})
}

func TestWhatCloseCouldNotSendIsCounted(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer := open(t, Dealer, Config{})
		connect(t, dealer, at)
		for range 7 {
			send(t, dealer, "x")
		}
		if st := dealer.Stats(); st.Queued != 7 || st.Sent != 0 || st.Peers[0].Connected || !st.Peers[0].Since.IsZero() {
			t.Errorf("%+v", st)
		}
		dealer.Close(ended())
		if st := dealer.Stats(); st.Queued != 0 || st.Dropped[Lost] != 7 {
			t.Errorf("%+v", st)
		}
	})
}

// C84: reading counters a hundred times a second disturbs nobody and races with nothing.
func TestCountersCanBeReadUnderLoad(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{})
		bind(t, router, at)
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				msg, err := router.Recv(ctx)
				if err != nil {
					return
				}
				router.Send(ctx, msg...)
			}
		})
		for i := range 3 {
			wg.Go(func() {
				for ctx.Err() == nil { // and connections come and go
					dealer, err := New(Dealer, Config{Log: quiet, Identity: []byte{byte('a' + i)}})
					if err != nil {
						t.Error(err)
						return
					}
					dealer.Connect(at)
					for range 200 {
						dealer.Send(ctx, []byte("x"))
						dealer.Recv(ctx)
						dealer.Stats()
					}
					dealer.Close(ctx)
				}
			})
		}
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		var before Stats
		for range 30 {
			<-tick.C
			st := router.Stats()
			if st.Sent < before.Sent || st.Received < before.Received || st.Queued < 0 || st.Waiting < 0 {
				t.Errorf("%+v after %+v", st, before)
			}
			before = st
		}
		cancel()
		wg.Wait()
		if before.Received == 0 {
			t.Error("nothing moved")
		}
	})
}
