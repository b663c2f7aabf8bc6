package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
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

func TestAProxyReceivesNothingForPeersThatDoNotCount(t *testing.T) {
	for _, typ := range []SocketType{Push, Pair, Dealer} {
		t.Run(string(typ), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				in := open(t, Pull, Config{Network: network})
				push := open(t, Push, Config{Network: network})
				connect(t, push, bind(t, in, "tcp://front:1"))
				back := open(t, typ, Config{Network: network, Immediate: true})
				connect(t, back, "tcp://back:1") // nobody yet
				control := new(ProxyControl)
				done := proxied(t, in, back, nil, control)
				send(t, push, "early")
				synctest.Wait()
				if st := control.Stats(); st.Front.Received != 0 {
					t.Errorf("%+v without anybody at the back", st)
				}
				there := open(t, map[SocketType]SocketType{Push: Pull, Pair: Pair, Dealer: Router}[typ], Config{Network: network})
				bind(t, there, "tcp://back:1")
				if got := recv(t, there); got[len(got)-1] != "early" {
					t.Errorf("received %q", got)
				}
				control.Terminate()
				returns(t, done, nil)
			})
		})
	}
}
