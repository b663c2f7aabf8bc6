package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxied runs a Proxy, which is ended with the test. What it returned can be received once.
func proxied(t *testing.T, front, back, capture *Socket, control *ProxyControl) <-chan error {
	ctx, cancel := context.WithCancel(context.Background())
	done, over := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(over)
		done <- Proxy(ctx, front, back, capture, control)
	}()
	t.Cleanup(func() {
		cancel()
		<-over
	})
	return done
}

func returns(t *testing.T, done <-chan error, want error) {
	t.Helper()
	select {
	case err := <-done:
		if !errors.Is(err, want) {
			t.Errorf("Proxy returned %v, want %v", err, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Proxy does not return")
	}
}

// device makes two sockets that are bound, at an endpoint of their own each.
func device(t *testing.T, endpoint string, front, back SocketType, cfg Config) (f, b *Socket, frontAt, backAt string) {
	other := endpoint + "-back"
	if strings.HasPrefix(endpoint, "tcp") {
		other = "tcp://127.0.0.1:*"
	}
	f, b = open(t, front, cfg), open(t, back, cfg)
	return f, b, bind(t, f, endpoint), bind(t, b, other)
}

func TestProxyQueueSharesWorkersAmongClients(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		front, back, frontAt, backAt := device(t, endpoint, Router, Dealer, Config{})
		control := new(ProxyControl)
		done := proxied(t, front, back, nil, control)
		for i := range 3 {
			worker := open(t, Rep, Config{})
			connect(t, worker, backAt)
			go echo(worker, fmt.Sprint("worker ", i))
		}
		const requests = 100
		var mu sync.Mutex
		busy := make(map[string]bool)
		var clients sync.WaitGroup
		for i := range 3 {
			client := open(t, Req, Config{})
			connect(t, client, frontAt)
			clients.Go(func() {
				for n := range requests {
					request := fmt.Sprint(i, " ", n)
					err := client.Send(within(t, 10*time.Second), []byte(request))
					if err != nil {
						t.Error(err)
						return
					}
					reply, err := client.Recv(within(t, 10*time.Second))
					if err != nil || len(reply) != 2 || string(reply[1]) != request {
						t.Errorf("the reply to %q is %q, %v", request, reply, err)
						return
					}
					mu.Lock()
					busy[string(reply[0])] = true
					mu.Unlock()
				}
			})
		}
		clients.Wait()
		if len(busy) != 3 {
			t.Errorf("only %v worked", busy)
		}
		control.Terminate()
		returns(t, done, nil)
		st := control.Stats()
		if st.Front.Received != 3*requests || st.Back.Sent != 3*requests || st.Back.Received != 3*requests ||
			st.Front.Sent != 3*requests || st.Lost != 0 || st.Front.ReceivedBytes != st.Back.SentBytes {
			t.Errorf("%+v", st)
		}
	})
}

func TestProxyStreamerPassesAllOnInOrder(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		front, back, frontAt, backAt := device(t, endpoint, Pull, Push, Config{})
		control := new(ProxyControl)
		proxied(t, front, back, nil, control)
		push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
		connect(t, push, frontAt)
		connect(t, pull, backAt)
		go func() {
			for n := range 5000 {
				push.Send(context.Background(), []byte(fmt.Sprint(n)), nil, []byte("end"))
			}
		}()
		for n := range 5000 {
			expect(t, pull, fmt.Sprint(n), "", "end")
		}
		until(t, "all is counted", func() bool { return control.Stats().Back.Sent == 5000 })
		if st := control.Stats(); st.Front.Sent != 0 || st.Front.ReceivedBytes != 5000*3+10+90*2+900*3+4000*4 {
			t.Errorf("%+v", st)
		}
	})
}

// While the back has no room the proxy leaves messages where they are, and so the sender has to wait.
func TestProxyReceivesNothingWhileThereIsNoRoom(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		front, back, frontAt, backAt := device(t, endpoint, Pull, Push, Config{})
		control := new(ProxyControl)
		done := proxied(t, front, back, nil, control)
		push := open(t, Push, Config{})
		connect(t, push, frontAt)
		send(t, push, "early")
		until(t, "the message is there", func() bool { return front.in.more() })
		until(t, "the proxy waits for room", func() bool { return back.room.n.Load() == 1 })
		if st := control.Stats(); st.Front.Received != 0 {
			t.Errorf("%+v without anybody at the back", st)
		}
		pull := open(t, Pull, Config{})
		connect(t, pull, backAt)
		expect(t, pull, "early")

		// A proxy that looks just when the peer goes away may take a message all the same, but not each time.
		for kept := 0; ; kept++ {
			until(t, "the proxy waits for a message", func() bool { return front.in.waiting.n.Load() == 1 })
			shut(t, pull)
			until(t, "the back's peer is gone", func() bool { return !back.hasRoom() })
			before := control.Stats().Front.Received
			send(t, push, "late")
			until(t, "the proxy has looked", func() bool { return front.in.waiting.n.Load() == 0 })
			control.Pause()
			if control.Stats().Front.Received == before {
				break
			}
			if kept == 3 {
				t.Fatal("it receives without room")
			}
			pull = open(t, Pull, Config{})
			connect(t, pull, backAt)
			expect(t, pull, "late")
			control.Resume()
		}
		control.Terminate()
		returns(t, done, nil)
		if st := control.Stats(); st.Lost != 0 {
			t.Errorf("%+v", st)
		}
		expect(t, front, "late")
	})
}

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
				until(t, "the publisher has noticed", func() bool { return !told(pub, "a") })
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

// A Pause is exact: nothing is received once it has returned, and nothing is lost by it.
func TestProxyPausesAndResumesWithNothingLost(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		front, back, frontAt, backAt := device(t, endpoint, Router, Dealer, Config{})
		control := new(ProxyControl)
		control.Pause() // before it starts
		done := proxied(t, front, back, nil, control)
		client, worker := open(t, Dealer, Config{}), open(t, Router, Config{})
		connect(t, client, frontAt)
		connect(t, worker, backAt)
		send(t, client, "0")
		until(t, "the message is there", func() bool { return front.in.more() })
		if st := control.Stats(); st != (ProxyStats{}) {
			t.Errorf("%+v while paused", st)
		}
		control.Resume()
		for range 2 { // of no effect
			control.Resume()
		}
		const all = 20_000
		go func() {
			for n := 1; n < all; n++ {
				client.Send(context.Background(), []byte(fmt.Sprint(n)))
			}
		}()
		var got atomic.Int64
		go func() {
			for n := range all {
				msg, err := worker.Recv(context.Background())
				if err != nil {
					return
				}
				if last := string(msg[len(msg)-1]); last != fmt.Sprint(n) {
					t.Errorf("got %s, want %d", last, n)
				}
				got.Add(1)
			}
		}()
		for range 20 {
			before := control.Stats().Front.Received
			until(t, "some passed", func() bool { return control.Stats().Front.Received > before || got.Load() == all })
			control.Pause()
			control.Pause()
			received := control.Stats().Front.Received
			until(t, "what was received is passed on", func() bool {
				st := control.Stats()
				return st.Back.Sent == st.Front.Received && st.Front.Received <= received+1
			})
			quiet := control.Stats()
			until(t, "all that passed has arrived", func() bool { return uint64(got.Load()) == quiet.Back.Sent })
			if now := control.Stats(); now != quiet {
				t.Fatalf("%+v, then %+v while paused", quiet, now)
			}
			control.Resume()
		}
		until(t, "all arrive", func() bool { return got.Load() == all })
		control.Pause()
		control.Terminate() // paused or not
		returns(t, done, nil)
		if st := control.Stats(); st.Lost != 0 || st.Front.Received != all || st.Back.Sent != all {
			t.Errorf("%+v", st)
		}
	})
}

func TestProxyCapturesWhatItPassesOn(t *testing.T) {
	for _, types := range [][2]SocketType{{Push, Pull}, {Pub, Sub}, {Pair, Pair}, {Dealer, Dealer}} {
		t.Run(string(types[0]), func(t *testing.T) {
			front, back, frontAt, backAt := device(t, "inproc://"+t.Name(), Router, Dealer, Config{})
			capture, watcher := open(t, types[0], Config{}), open(t, types[1], Config{})
			connect(t, watcher, bind(t, capture, "inproc://"+t.Name()+"-capture"))
			if types[0] == Pub {
				ctx := within(t, 10*time.Second)
				if err := errors.Join(watcher.Subscribe(ctx, ""), capture.WaitSubscribers(ctx, 1)); err != nil {
					t.Fatal(err)
				}
			} else {
				until(t, "somebody watches", capture.hasRoom)
			}
			control := new(ProxyControl)
			proxied(t, front, back, capture, control)
			client, worker := open(t, Req, Config{Identity: []byte("me")}), open(t, Rep, Config{})
			connect(t, client, frontAt)
			connect(t, worker, backAt)
			send(t, client, "question", "")
			expect(t, worker, "question", "")
			send(t, worker, "answer")
			expect(t, client, "answer")
			expect(t, watcher, "me", "", "question", "")
			expect(t, watcher, "me", "", "answer")
			if st := control.Stats(); st.Uncaptured != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// What the capture's peer and the receiver do with their frames is no business of each other's.
func TestProxyCapturesACopy(t *testing.T) {
	front, back, frontAt, backAt := device(t, "inproc://"+t.Name(), Pull, Push, Config{})
	capture, watcher := open(t, Push, Config{}), open(t, Pull, Config{})
	connect(t, watcher, bind(t, capture, "inproc://"+t.Name()+"-capture"))
	until(t, "somebody watches", capture.hasRoom)
	proxied(t, front, back, capture, nil)
	push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
	connect(t, push, frontAt)
	connect(t, pull, backAt)
	send(t, push, "message")
	msg, err := pull.Recv(within(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	clear(msg[0])
	expect(t, watcher, "message")
}

func TestProxyGoesOnWithoutItsCapture(t *testing.T) {
	front, back, frontAt, backAt := device(t, "inproc://"+t.Name(), Pull, Push, Config{})
	capture := open(t, Push, Config{SendHWM: 1}) // nobody there, later closed
	control := new(ProxyControl)
	proxied(t, front, back, capture, control)
	push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
	connect(t, push, frontAt)
	connect(t, pull, backAt)
	for n := range 200 {
		if n == 100 {
			shut(t, capture)
		}
		send(t, push, fmt.Sprint(n))
		expect(t, pull, fmt.Sprint(n))
	}
	until(t, "all are counted", func() bool { return control.Stats().Uncaptured == 200 })
}

func TestProxyEndsWithItsContext(t *testing.T) {
	front, back, _, _ := device(t, "inproc://"+t.Name(), Router, Dealer, Config{})
	ctx, cancel := context.WithCancelCause(context.Background())
	done := make(chan error)
	go func() { done <- Proxy(ctx, front, back, nil) }()
	cancel(errors.New("some cause"))
	returns(t, done, context.Canceled)
	ctx, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	go func() { done <- Proxy(ctx, front, back, nil) }()
	returns(t, done, context.DeadlineExceeded)
}

func TestProxyEndsWhenASocketIsClosed(t *testing.T) {
	for _, types := range [][2]SocketType{{Router, Dealer}, {Pull, Push}, {XPub, XSub}} {
		for which := range 2 {
			t.Run(fmt.Sprint(string(types[0]), "-", string(types[1]), " ", which), func(t *testing.T) {
				front, back, _, _ := device(t, "inproc://"+t.Name(), types[0], types[1], Config{})
				done := proxied(t, front, back, nil, nil)
				shut(t, []*Socket{front, back}[which])
				returns(t, done, ErrClosed)
				returns(t, proxied(t, front, back, nil, nil), ErrClosed)
			})
		}
	}
}

// A message that was received and can't be passed on any more is counted.
func TestProxyCountsWhatItLoses(t *testing.T) {
	front, back, frontAt, backAt := device(t, "inproc://"+t.Name(), Router, Dealer, Config{})
	control := new(ProxyControl)
	done := proxied(t, front, back, nil, control)
	client, worker := open(t, Dealer, Config{}), open(t, Dealer, Config{})
	connect(t, client, frontAt)
	connect(t, worker, backAt)
	send(t, worker, "no envelope") // refused by the ROUTER
	until(t, "it is counted", func() bool { return control.Stats().Lost == 1 })
	send(t, client, "on it goes")
	if got := recv(t, worker); got[len(got)-1] != "on it goes" {
		t.Errorf("got %q", got)
	}
	control.Terminate()
	returns(t, done, nil)
	if st := control.Stats(); st.Back.Received != 1 || st.Front.Sent != 0 || st.Front.Received != 1 || st.Back.Sent != 1 {
		t.Errorf("%+v", st)
	}
}

func TestProxyControlServesOneProxyAtATime(t *testing.T) {
	front, back, frontAt, backAt := device(t, "inproc://"+t.Name(), Pull, Push, Config{})
	control := new(ProxyControl)
	push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
	connect(t, push, frontAt)
	connect(t, pull, backAt)
	for n := range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- Proxy(ctx, front, back, nil, control) }()
		send(t, push, "message")
		expect(t, pull, "message")
		if err := Proxy(ctx, front, back, nil, control); !errors.Is(err, ErrState) {
			t.Errorf("a second proxy: %v", err)
		}
		until(t, "it is counted", func() bool { return control.Stats().Back.Sent == uint64(n+1) })
		cancel()
		returns(t, done, context.Canceled)
	}
	control.Terminate()
	if err := Proxy(context.Background(), front, back, nil, control); err != nil {
		t.Errorf("with a control that was terminated: %v", err)
	}
}

func TestProxyRefusesWhatMakesNoSense(t *testing.T) {
	all := []SocketType{Req, Rep, Dealer, Router, Push, Pull, Pub, Sub, XPub, XSub, Pair}
	sockets := make(map[SocketType][2]*Socket)
	for _, typ := range all {
		sockets[typ] = [2]*Socket{open(t, typ, Config{}), open(t, typ, Config{})}
	}
	fine := map[SocketType][]SocketType{
		Dealer: {Dealer, Router, Push, Pull, Pub, Sub, XPub, XSub, Pair},
		Router: {Dealer, Router, Push, Pull, Pub, Sub, XSub, Pair},
		Pair:   {Dealer, Router, Push, Pull, Pub, Sub, XPub, XSub, Pair},
		XSub:   {Dealer, Router, Push, Pull, Pub, Sub, XPub, XSub, Pair},
		XPub:   {Dealer, Push, XSub, Pair},
		Push:   {Dealer, Router, Pull, Sub, XPub, XSub, Pair},
		Pub:    {Dealer, Router, Pull, Sub, XSub, Pair},
		Pull:   {Dealer, Router, Push, Pub, XSub, Pair},
		Sub:    {Dealer, Router, Push, Pub, XSub, Pair},
	}
	for _, front := range all {
		for _, back := range all {
			err := Proxy(ended(), sockets[front][0], sockets[back][1], nil)
			if slices.Contains(fine[front], back) {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%s and %s: %v", front, back, err)
				}
			} else if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s and %s: %v, want one that wraps ErrUnsupported", front, back, err)
			}
		}
		err := Proxy(ended(), sockets[Router][0], sockets[Dealer][0], sockets[front][1])
		if slices.Contains([]SocketType{Push, Pub, Pair, Dealer}, front) != errors.Is(err, context.Canceled) {
			t.Errorf("capture with a %s: %v", front, err)
		}
	}
	router, dealer := sockets[Router][0], sockets[Dealer][0]
	for name, err := range map[string]error{
		"without a back":            Proxy(ended(), router, nil, nil),
		"without a front":           Proxy(ended(), nil, dealer, nil),
		"with one socket":           Proxy(ended(), dealer, dealer, nil),
		"with its back for capture": Proxy(ended(), router, dealer, dealer),
		"with two controls":         Proxy(ended(), router, dealer, nil, new(ProxyControl), new(ProxyControl)),
	} {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkProxyStreamer(b *testing.B) {
	for _, tr := range transports {
		b.Run(tr.name, func(b *testing.B) {
			front, back := open(b, Pull, Config{}), open(b, Push, Config{})
			frontAt := bind(b, front, tr.endpoint(b))
			other := frontAt + "-back"
			if tr.name == "tcp" {
				other = "tcp://127.0.0.1:*"
			}
			backAt := bind(b, back, other)
			ctx, cancel := context.WithCancel(context.Background())
			over := make(chan error)
			go func() { over <- Proxy(ctx, front, back, nil) }()
			defer func() { cancel(); <-over }()
			push, pull := open(b, Push, Config{}), open(b, Pull, Config{})
			connect(b, push, frontAt)
			connect(b, pull, backAt)
			message := make([]byte, 100)
			push.Send(ctx, message)
			pull.Recv(ctx)
			b.ReportAllocs()
			b.ResetTimer()
			go func() {
				for range b.N {
					push.Send(ctx, message)
				}
			}()
			for range b.N {
				pull.Recv(ctx)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}
