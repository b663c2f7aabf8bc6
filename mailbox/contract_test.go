package mailbox

import (
	"bytes"
	"context"
	"errors"
	"strconv"
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

// openFiles counts this process's file descriptors.
