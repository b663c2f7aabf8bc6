package mailbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// pairOf returns two sockets connected over inproc.
func pairOf(t *testing.T, binding, connecting SocketType) (b, c *Socket) {
	b, c = open(t, binding, Config{}), open(t, connecting, Config{Identity: []byte("me")})
	connect(t, c, bind(t, b, "inproc://"+t.Name()))
	return b, c
}

func TestReqAlternates(t *testing.T) {
	server, client := pairOf(t, Rep, Req)
	if _, err := client.Recv(ended()); !errors.Is(err, ErrState) {
		t.Errorf("a reply before the request: %v", err)
	}
	send(t, client, "x")
	if err := client.Send(ended(), []byte("y")); !errors.Is(err, ErrState) {
		t.Errorf("a second request: %v", err)
	}
	go echo(server, "")
	expect(t, client, "x")
	if _, err := client.Recv(ended()); !errors.Is(err, ErrState) {
		t.Errorf("a second reply: %v", err)
	}
}

func TestRepAlternates(t *testing.T) {
	server, client := pairOf(t, Rep, Dealer)
	if err := server.Send(ended(), []byte("x")); !errors.Is(err, ErrState) {
		t.Errorf("a reply before the request: %v", err)
	}
	send(t, client, "", "x")
	expect(t, server, "x")
	if _, err := server.Recv(ended()); !errors.Is(err, ErrState) {
		t.Errorf("a second request: %v", err)
	}
	send(t, server, "x")
	if err := server.Send(ended(), []byte("x")); !errors.Is(err, ErrState) {
		t.Errorf("a second reply: %v", err)
	}
}

func TestRepSkipsARequest(t *testing.T) {
	server, client := pairOf(t, Rep, Dealer)
	if err := server.Skip(); !errors.Is(err, ErrState) {
		t.Errorf("skip of nothing: %v", err)
	}
	if err := client.Skip(); !errors.Is(err, ErrUnsupported) {
		t.Errorf("skip on a DEALER: %v", err)
	}
	send(t, client, "", "bad")
	send(t, client, "", "good")
	expect(t, server, "bad")
	if err := server.Skip(); err != nil {
		t.Fatal(err)
	}
	expect(t, server, "good")
	send(t, server, "reply")
	expect(t, client, "", "reply")
	if dropped(server) != 1 {
		t.Errorf("%d messages were dropped, want 1", dropped(server))
	}
}

func TestRepKeepsTheEnvelope(t *testing.T) {
	server, client := pairOf(t, Rep, Dealer)
	send(t, client, "hop", "hop2", "", "a", "", "b")
	expect(t, server, "a", "", "b")
	send(t, server, "c", "")
	expect(t, client, "hop", "hop2", "", "c", "")
}

func TestRepDropsWhatIsNoRequest(t *testing.T) {
	server, client := pairOf(t, Rep, Dealer)
	send(t, client, "no delimiter")
	send(t, client, "nothing behind it", "")
	send(t, client, "")
	send(t, client, "", "good")
	expect(t, server, "good")
	if dropped(server) != 3 {
		t.Errorf("%d messages were dropped, want 3", dropped(server))
	}
}

func TestRepDropsTheReplyToARequesterThatIsGone(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, client := open(t, Rep, Config{}), open(t, Req, Config{})
		bind(t, server, at)
		connect(t, client, at)
		send(t, client, "x")
		expect(t, server, "x")
		shut(t, client)
		until(t, "the server knows", func() bool {
			server.mu.Lock()
			defer server.mu.Unlock()
			return len(server.peers) == 0
		})
		send(t, server, "y")
		if dropped(server) != 1 {
			t.Errorf("%d messages were dropped, want the reply", dropped(server))
		}
		next := open(t, Req, Config{})
		connect(t, next, at)
		send(t, next, "z")
		expect(t, server, "z")
	})
}

func TestReqTakesOnlyTheReplyToItsRequest(t *testing.T) {
	server, client := pairOf(t, Router, Req)
	send(t, client, "one")
	expect(t, server, "me", "", "one")
	send(t, server, "me", "no delimiter")
	send(t, server, "me", "")
	send(t, server, "me", "", "1")
	send(t, server, "me", "", "1 again")
	expect(t, client, "1")
	send(t, client, "two")
	expect(t, server, "me", "", "two")
	send(t, server, "me", "", "2")
	expect(t, client, "2")
	if dropped(client) != 3 {
		t.Errorf("%d messages were dropped, want 3", dropped(client))
	}
}

func TestReqTakesNoReplyFromAnotherPeer(t *testing.T) {
	one, client := pairOf(t, Router, Req)
	two := open(t, Router, Config{})
	connect(t, client, bind(t, two, "inproc://"+t.Name()+"2"))
	send(t, client, "x")
	recv(t, one)
	until(t, "two is connected", func() bool {
		before := dropped(two)
		send(t, two, "me", "", "wrong")
		return dropped(two) == before
	})
	send(t, one, "me", "", "right")
	expect(t, client, "right")
}

func TestRouterRefusesAnIdentityThatIsTaken(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{})
		bind(t, router, at)
		first := open(t, Dealer, Config{Identity: []byte("me")})
		connect(t, first, at)
		send(t, first, "hello")
		expect(t, router, "me", "hello")
		second := open(t, Dealer, Config{Identity: []byte("me")})
		connect(t, second, at)
		send(t, second, "newcomer")
		send(t, router, "me", "for the first")
		expect(t, first, "for the first")
		if msg, err := router.Recv(within(t, 30*time.Millisecond)); err == nil {
			t.Errorf("received %q", msg)
		}
		shut(t, first)
		until(t, "the newcomer is let in", func() bool { // what was written to a refused connection is lost
			send(t, second, "newcomer")
			_, err := router.Recv(within(t, 20*time.Millisecond))
			return err == nil
		})
	})
}

func TestRecvIsFair(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{})
		bind(t, router, at)
		busy, calm := open(t, Dealer, Config{Identity: []byte("busy")}), open(t, Dealer, Config{Identity: []byte("calm")})
		for _, d := range []*Socket{busy, calm} {
			connect(t, d, at)
			send(t, d, "hello")
			recv(t, router)
		}
		for range 500 {
			send(t, busy, "x")
		}
		for range 5 {
			send(t, calm, "x")
		}
		until(t, "all are there", func() bool {
			router.in.mu.Lock()
			defer router.in.mu.Unlock()
			queued := 0
			for _, in := range router.in.ready {
				queued += in.src.(interface{ Len() int }).Len()
			}
			return queued == 505
		})
		fromCalm := 0
		for range 20 {
			if recv(t, router)[0] == "calm" {
				fromCalm++
			}
		}
		if fromCalm != 5 {
			t.Errorf("of the first 20 messages %d are the calm one's, want all its 5", fromCalm)
		}
	})
}

func TestConfigThatCannotBeHonoured(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Identity":     {Identity: make([]byte, 256)},
		"zero byte":    {Identity: []byte{0, 1}},
		"SendHWM":      {SendHWM: -1},
		"RecvHWM":      {RecvHWM: -1},
		"MaxMessage":   {MaxMessage: -1},
		"ReconnectMin": {ReconnectMin: 2, ReconnectMax: 1},
	} {
		if _, err := New(Req, cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := New("STREAM", Config{}); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "STREAM") {
		t.Errorf("STREAM: %v", err)
	}
}

func TestMessagesHaveFrames(t *testing.T) {
	router, dealer := pairOf(t, Router, Dealer)
	if dealer.Send(ended()) == nil || router.Send(ended(), []byte("me")) == nil {
		t.Error("a message without frames was sent")
	}
}

func TestVersionNamesLibraryAndProtocol(t *testing.T) {
	if v := Version(); !strings.HasPrefix(v, "troupe ") || !strings.Contains(v, "ZMTP 3.1") {
		t.Error(v)
	}
}

func TestReqTakesNoReplyFromTheNextConnection(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, client := open(t, Router, Config{}), open(t, Req, Config{Identity: []byte("me")})
		connect(t, client, at)
		bind(t, server, at)
		send(t, client, "one")
		expect(t, server, "me", "", "one")
		shut(t, server)
		server = open(t, Router, Config{})
		bind(t, server, at)
		until(t, "the client is back", func() bool {
			before := dropped(server)
			send(t, server, "me", "", "late")
			return dropped(server) == before
		})
		until(t, "the late reply is there", func() bool {
			client.in.mu.Lock()
			defer client.in.mu.Unlock()
			return len(client.in.ready) > 0
		})
		if msg, err := client.Recv(within(t, 10*time.Second)); !errors.Is(err, ErrPeerLost) {
			t.Fatalf("received %q, %v", msg, err)
		}
		send(t, client, "two")
		expect(t, server, "me", "", "two")
		send(t, server, "me", "", "2")
		expect(t, client, "2")
	})
}

// With a network of their own, outages are made at will and take no time.

func TestRepRepliesToNoLaterConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		server, client := open(t, Rep, Config{Network: network}), open(t, Req, Config{Network: network})
		bind(t, client, "tcp://client:5555")
		connect(t, server, "tcp://client:5555")
		send(t, client, "one")
		expect(t, server, "one")
		network.Stall("client:5555")
		send(t, server, strings.Repeat("1", 200<<10)) // too long to be written
		network.Cut("client:5555")
		network.Resume("client:5555")
		if _, err := client.Recv(context.Background()); !errors.Is(err, ErrPeerLost) {
			t.Fatalf("the connection was cut: %v", err)
		}
		send(t, client, "two")
		expect(t, server, "two")
		send(t, server, "2")
		expect(t, client, "2")
		shut(t, client)
		shut(t, server)
	})
}

func TestARequestOutlastsOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		server, client := open(t, Rep, Config{Network: network}), open(t, Req, Config{Network: network})
		const at = "tcp://server:5555"
		connect(t, client, at)
		send(t, client, "one")
		time.Sleep(10 * time.Minute)
		bind(t, server, at)
		expect(t, server, "one")

		network.Cut("server:5555")
		if _, err := client.Recv(context.Background()); !errors.Is(err, ErrPeerLost) {
			t.Fatalf("the connection was cut: %v", err)
		}
		send(t, server, "1") // to nobody
		send(t, client, "two")
		expect(t, server, "two")
		send(t, server, "2")
		expect(t, client, "2")
		shut(t, client)
		shut(t, server)
	})
}

func TestCutsOfInprocConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		server, client := open(t, Rep, Config{Network: network}), open(t, Req, Config{Network: network})
		bind(t, server, "inproc://server")
		connect(t, client, "inproc://server")
		for range 10 {
			send(t, client, "one")
			expect(t, server, "one")
			network.Cut("server")
			if _, err := client.Recv(context.Background()); !errors.Is(err, ErrPeerLost) {
				t.Fatalf("the connection was cut: %v", err)
			}
			send(t, server, "1") // to nobody
		}
		shut(t, client)
		shut(t, server)
	})
}

func TestAStalledPeerDoesNotHoldUpClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		server, client := open(t, Router, Config{Network: network}), open(t, Dealer, Config{Network: network})
		const at = "tcp://server:5555"
		bind(t, server, at)
		connect(t, client, at)
		send(t, client, "x")
		recv(t, server)
		network.Stall("server:5555")
		start := time.Now()
		for range 100 {
			send(t, client, string(make([]byte, 10<<10)))
		}
		if err := client.Close(context.Background()); !errors.Is(err, ErrUnsent) {
			t.Errorf("close said %v", err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("close took %v, want the default linger", took)
		}
		network.Resume("server:5555")
		shut(t, server)
	})
}
