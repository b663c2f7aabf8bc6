package mailbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What every transport keeps. The suite runs over all of them.

func TestRequestsAndReplies(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, client := open(t, Rep, Config{}), open(t, Req, Config{})
		bind(t, server, at)
		connect(t, client, at)
		for _, body := range [][]string{{"Hello"}, {""}, {"a", "b", "c"}, {"", "", ""}, {"x", "", "y"}} {
			send(t, client, body...)
			expect(t, server, body...)
			send(t, server, append(body, "and back")...)
			expect(t, client, append(body, "and back")...)
		}
	})
}

func TestRequesterMayBindAndReplierConnect(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, client := open(t, Rep, Config{}), open(t, Req, Config{})
		bind(t, client, at)
		connect(t, server, at)
		for range 3 {
			send(t, client, "Hello")
			expect(t, server, "Hello")
			send(t, server, "World")
			expect(t, client, "World")
		}
	})
}

func TestDealerAndRouterKeepTheOrderBothWays(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router, dealer := open(t, Router, Config{}), open(t, Dealer, Config{Identity: []byte("me")})
		bind(t, router, at)
		connect(t, dealer, at)
		const n = 5000
		go func() {
			for i := range n {
				dealer.Send(context.Background(), []byte(strconv.Itoa(i)))
			}
		}()
		for i := range n {
			expect(t, router, "me", strconv.Itoa(i))
		}
		for i := range 900 {
			send(t, router, "me", strconv.Itoa(i), "")
		}
		for i := range 900 {
			expect(t, dealer, strconv.Itoa(i), "")
		}
	})
}

func TestMessagesWaitForABindThatComesLater(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
		connect(t, dealer, at)
		for i := range 100 {
			send(t, dealer, strconv.Itoa(i))
		}
		bind(t, router, at)
		for i := range 100 {
			if got := recv(t, router); got[1] != strconv.Itoa(i) || len(got[0]) != 5 || got[0][0] != 0 {
				t.Fatalf("received %q, want message %d after an identity of five bytes, the first zero", got, i)
			}
		}
	})
}

func TestConnectSurvivesARestartOfTheOtherSide(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		client := open(t, Req, Config{})
		connect(t, client, at)
		for i := range 5 {
			server := open(t, Rep, Config{})
			bind(t, server, at)
			send(t, client, strconv.Itoa(i))
			expect(t, server, strconv.Itoa(i))
			send(t, server, "ok")
			expect(t, client, "ok")
			shut(t, server)
		}
	})
}

func TestSendsGoToPeersInTurn(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		client := open(t, Req, Config{})
		for i := range 3 {
			server := open(t, Rep, Config{})
			e := bind(t, server, other(at, i))
			go echo(server, strconv.Itoa(i))
			connect(t, client, e)
		}
		for i := range 9 {
			send(t, client, "x")
			expect(t, client, strconv.Itoa(i%3), "x")
		}
	})
}

// other makes more endpoints like one.
func other(at string, i int) string {
	e, _ := ParseEndpoint(at)
	if e.Network == "tcp" {
		return "tcp://127.0.0.1:*"
	}
	return at + strconv.Itoa(i)
}

func TestOneSocketAtManyEndpoints(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server := open(t, Rep, Config{})
		go echo(server, "")
		for i := range 3 {
			client := open(t, Req, Config{})
			connect(t, client, bind(t, server, other(at, i)))
			send(t, client, "Hello")
			expect(t, client, "Hello")
		}
	})
}

func TestFullQueuesBlockTheSenderAndAnEndedContextTriesOnce(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{RecvHWM: 10})
		dealer := open(t, Dealer, Config{SendHWM: 10})
		if err := dealer.Send(ended(), []byte("x")); !errors.Is(err, context.Canceled) {
			t.Fatalf("send without a peer: %v", err)
		}
		connect(t, dealer, at)
		body := make([]byte, 64<<10)
		for range 10 {
			if err := dealer.Send(ended(), body); err != nil {
				t.Fatal(err)
			}
		}
		if err := dealer.Send(ended(), body); !errors.Is(err, context.Canceled) {
			t.Fatalf("send to a full queue: %v", err)
		}
		if err := dealer.Send(within(t, 10*time.Millisecond), body); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("send to a full queue: %v", err)
		}
		bind(t, router, at)
		sent := 10
		for dealer.Send(within(t, 300*time.Millisecond), body) == nil {
			sent++
			if sent > 1000 {
				t.Fatal("nothing holds the sender back")
			}
		}
		if sent < 20 {
			t.Fatalf("only %d messages fit into two queues of ten", sent)
		}
		done := make(chan error)
		go func() { done <- dealer.Send(within(t, 10*time.Second), body) }()
		for range sent {
			if _, err := router.Recv(within(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-done; err != nil {
			t.Fatalf("there was room again, but: %v", err)
		}
		recv(t, router)
		if _, err := router.Recv(ended()); !errors.Is(err, context.Canceled) {
			t.Fatalf("receive from an empty queue: %v", err)
		}
	})
}

func TestLargeMessages(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, client := open(t, Rep, Config{}), open(t, Req, Config{})
		bind(t, server, at)
		go echo(server, "")
		connect(t, client, at)
		big := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
		if err := client.Send(within(t, 10*time.Second), big, []byte("small")); err != nil {
			t.Fatal(err)
		}
		msg, err := client.Recv(within(t, 10*time.Second))
		if err != nil || len(msg) != 2 || !bytes.Equal(msg[0], big) || string(msg[1]) != "small" {
			t.Fatalf("8 MiB came back as %d frames: %v", len(msg), err)
		}
	})
}

func TestSentFramesAreTheCallersAgain(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
		connect(t, dealer, at)
		frame := []byte("before")
		if err := dealer.Send(within(t, time.Second), frame); err != nil {
			t.Fatal(err)
		}
		copy(frame, "after!")
		bind(t, router, at)
		if got := recv(t, router); got[1] != "before" {
			t.Fatalf("received %q", got)
		}
	})
}

func TestRequestOfALostPeer(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		client, server := open(t, Req, Config{}), open(t, Rep, Config{})
		connect(t, client, at)
		bind(t, server, at)
		send(t, client, "one")
		expect(t, server, "one")
		failed := make(chan error)
		go func() {
			_, err := client.Recv(within(t, 10*time.Second))
			failed <- err
		}()
		shut(t, server)
		if err := <-failed; !errors.Is(err, ErrPeerLost) {
			t.Fatalf("the peer is gone: %v", err)
		}
		send(t, client, "two") // waits for a connection
		if _, err := client.Recv(within(t, 20*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("no connection has carried the request, but: %v", err)
		}
		server = open(t, Rep, Config{})
		bind(t, server, at)
		expect(t, server, "two")
		send(t, server, "2")
		expect(t, client, "2")
	})
}

func TestReplyThatCameBeforeThePeerLeftCounts(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		client, server := open(t, Req, Config{}), open(t, Rep, Config{})
		connect(t, client, at)
		bind(t, server, at)
		send(t, client, "one")
		expect(t, server, "one")
		send(t, server, "1")
		shut(t, server)
		expect(t, client, "1")
	})
}

func TestCloseDeliversWhatWasSent(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
		connect(t, dealer, at)
		for i := range 500 {
			send(t, dealer, strconv.Itoa(i))
		}
		bind(t, router, at) // the dealer's connection comes up only while it is closing
		shut(t, dealer)
		for i := range 500 {
			if got := recv(t, router); got[1] != strconv.Itoa(i) {
				t.Fatalf("received %q, want message %d", got, i)
			}
		}
	})
}

func TestCloseOfTheBindingSideDeliversToo(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
		connect(t, dealer, at)
		bind(t, router, at)
		send(t, dealer, "hello")
		id := recv(t, router)[0]
		for i := range 500 {
			send(t, router, id, strconv.Itoa(i))
		}
		shut(t, router)
		for i := range 500 {
			expect(t, dealer, strconv.Itoa(i))
		}
	})
}

func TestCloseGivesUpWhenItsContextEnds(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer := open(t, Dealer, Config{})
		connect(t, dealer, at)
		for range 1000 {
			send(t, dealer, "x")
		}
		start := time.Now()
		err := dealer.Close(within(t, 50*time.Millisecond))
		if !errors.Is(err, ErrUnsent) || err.Error() != ErrUnsent.Error()+": 1000" {
			t.Errorf("close said %v", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("close took %v", took)
		}
	})
}

func TestEndpointsAreFreeAfterClose(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		for range 20 {
			server, client := open(t, Rep, Config{}), open(t, Req, Config{})
			bind(t, server, at)
			connect(t, client, at)
			send(t, client, "x")
			expect(t, server, "x")
			shut(t, server)
			shut(t, client)
		}
	})
}

func TestClosedSocket(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		s := open(t, Dealer, Config{})
		waiting := make(chan error, 2)
		go func() { _, err := s.Recv(context.Background()); waiting <- err }()
		go func() { waiting <- s.Send(context.Background(), []byte("x")) }()
		until(t, "both wait", func() bool { return s.room.n.Load()+s.in.waiting.n.Load() == 2 })
		shut(t, s)
		shut(t, s)
		_, bindErr := s.Bind(within(t, time.Second), at)
		_, recvErr := s.Recv(within(t, time.Second))
		for _, err := range []error{<-waiting, <-waiting, bindErr, recvErr, s.Connect(at), s.Send(within(t, time.Second), nil)} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

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
		if router.Dropped() == 0 {
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

func TestOrderIsKeptWhateverTheSizes(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		body := make([]byte, 20<<10)
		for round := range 10 {
			dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
			connect(t, dealer, at)
			bind(t, router, at)
			go func() {
				for i := range 1000 {
					if err := dealer.Send(within(t, 10*time.Second), []byte(strconv.Itoa(i)), body[:(i*100+round)%len(body)]); err != nil {
						t.Error(err)
						return
					}
				}
			}()
			for i := range 1000 {
				if got := recv(t, router); got[1] != strconv.Itoa(i) || len(got[2]) != (i*100+round)%len(body) {
					t.Fatalf("received message %s of %d bytes, want %d", got[1], len(got[2]), i)
				}
			}
			shut(t, dealer)
			shut(t, router)
		}
	})
}

func TestClosedSocketsLeaveNothingBehind(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		cycle := func() {
			dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{RecvHWM: 10})
			bind(t, router, at)
			connect(t, dealer, at)
			for range 500 {
				send(t, dealer, string(make([]byte, 1000)))
			}
			recv(t, router) // and the rest stays unread
			router.Close(ended())
			dealer.Close(ended())
		}
		cycle()
		goroutines, files := runtime.NumGoroutine(), openFiles(t)
		for range 50 {
			cycle()
		}
		until(t, "all is as before", func() bool { // the closed ends of connections take a moment
			return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files
		})
	})
}

// openFiles counts this process's file descriptors.
func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("cannot count open files: ", err)
	}
	return len(files)
}
