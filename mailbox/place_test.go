package mailbox

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// C11: what is unbound is free at once, and all else stays.
func TestUnbindFreesTheEndpoint(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, stays := open(t, Rep, Config{}), open(t, Req, Config{})
		go echo(server, "")
		connect(t, stays, bind(t, server, other(at, 0)))
		for range 5 {
			bind(t, server, at)
			client := open(t, Req, Config{})
			connect(t, client, at)
			send(t, client, "x")
			expect(t, client, "x")
			if err := server.Unbind(within(t, 10*time.Second), at); err != nil {
				t.Fatal(err)
			}
			next := open(t, Rep, Config{})
			bind(t, next, at)
			send(t, client, "y")
			for {
				if got := recv(t, next); got[0] == "y" {
					break
				}
			}
			shut(t, next)
			shut(t, client)
			send(t, stays, "z")
			expect(t, stays, "z")
		}
	})
}

func TestUnbindTakesWhatBindWasGivenOrReturned(t *testing.T) {
	s := open(t, Pull, Config{})
	bind(t, s, "tcp://127.0.0.1:*")
	second := bind(t, s, "tcp://127.0.0.1:*")
	for _, at := range []string{second, "tcp://127.0.0.1:*"} {
		if err := s.Unbind(within(t, 10*time.Second), at); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	if err := s.Unbind(ended(), "tcp://127.0.0.1:0"); !errors.Is(err, ErrEndpoint) {
		t.Errorf("nothing is bound any more: %v", err)
	}
}

func TestUnknownEndpointsCannotBeLeft(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		s := open(t, Dealer, Config{})
		bound := bind(t, s, other(at, 1))
		connect(t, s, at)
		for call, c := range map[string]struct {
			err  error
			hint string
		}{
			"unbind what is connected":  {s.Unbind(ended(), at), "Disconnect"},
			"disconnect what is bound":  {s.Disconnect(ended(), bound), "Unbind"},
			"unbind what is nothing":    {s.Unbind(ended(), "inproc://nowhere"), "not bound"},
			"disconnect what isn't one": {s.Disconnect(ended(), "nonsense"), "write"},
		} {
			if !errors.Is(c.err, ErrEndpoint) || !strings.Contains(c.err.Error(), c.hint) {
				t.Errorf("%s: %v", call, c.err)
			}
		}
		shut(t, s)
		if err := s.Unbind(ended(), bound); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestDisconnectDeliversWhatIsQueued(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
		connect(t, push, at)
		for i := range 500 {
			send(t, push, strconv.Itoa(i))
		}
		left := make(chan error)
		go func() { left <- push.Disconnect(within(t, 10*time.Second), at) }()
		until(t, "it is leaving", func() bool { return push.Send(ended(), []byte("x")) != nil })
		extra := push.dropped.of(Lost).Load()
		bind(t, pull, at)
		if err := <-left; err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			expect(t, pull, strconv.Itoa(i))
		}
		if extra != 0 || dropped(push) != 0 {
			t.Errorf("%d messages were dropped", dropped(push))
		}
	})
}

func TestUnbindDeliversWhatIsQueued(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
		bind(t, push, at)
		connect(t, pull, at)
		for i := range 500 {
			send(t, push, strconv.Itoa(i))
		}
		if err := push.Unbind(within(t, 10*time.Second), at); err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			expect(t, pull, strconv.Itoa(i))
		}
	})
}

func TestDisconnectGivesUpWhenItsContextEnds(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push := open(t, Push, Config{})
		connect(t, push, at)
		for range 100 {
			send(t, push, "x")
		}
		err := push.Disconnect(within(t, time.Millisecond), at)
		if !errors.Is(err, ErrUnsent) || err.Error() != ErrUnsent.Error()+": 100" {
			t.Errorf("disconnect said %v", err)
		}
		if n := push.Stats().Dropped[Lost]; n != 100 {
			t.Errorf("%d messages count as lost", n)
		}
		connect(t, push, at)
		pull := open(t, Pull, Config{})
		bind(t, pull, at)
		send(t, push, "y")
		expect(t, pull, "y")
	})
}

func TestDisconnectEndsOneOfTwoConnections(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
		bind(t, pull, at)
		for range 2 {
			connect(t, push, at)
		}
		until(t, "both are there", func() bool { return len(livePeers(pull)) == 2 })
		for left := 1; left >= 0; left-- {
			if err := push.Disconnect(within(t, 10*time.Second), at); err != nil {
				t.Fatal(err)
			}
			until(t, "it is gone", func() bool { return len(livePeers(pull)) == left })
		}
		if err := push.Send(ended(), []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("send to nobody: %v", err)
		}
		if err := push.Disconnect(ended(), at); !errors.Is(err, ErrEndpoint) {
			t.Errorf("nothing is connected any more: %v", err)
		}
	})
}

// What came can be received, even if it fills the queue and nobody reads.
func TestDisconnectKeepsWhatCame(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push, pull := open(t, Push, Config{}), open(t, Pull, Config{RecvHWM: 10})
		bind(t, push, at)
		connect(t, pull, at)
		for i := range 100 {
			send(t, push, strconv.Itoa(i))
		}
		until(t, "the queue is full", func() bool {
			pull.in.mu.Lock()
			defer pull.in.mu.Unlock()
			return len(pull.in.ready) == 1 && pull.in.ready[0].src.(interface{ Len() int }).Len() >= 10
		})
		expect(t, pull, "0")
		if err := pull.Disconnect(within(t, 10*time.Second), at); err != nil {
			t.Fatal(err)
		}
		expect(t, pull, "1")
	})
}

func TestTheRequestOfADisconnectedPeerFails(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		for _, there := range []bool{true, false} {
			client, server := open(t, Req, Config{}), open(t, Rep, Config{})
			connect(t, client, at)
			if there {
				bind(t, server, at)
			}
			send(t, client, "x")
			if there {
				expect(t, server, "x")
			}
			failed := make(chan error)
			go func() {
				_, err := client.Recv(within(t, 10*time.Second))
				failed <- err
			}()
			client.Disconnect(within(t, 20*time.Millisecond), at)
			if err := <-failed; !errors.Is(err, ErrPeerLost) {
				t.Errorf("connected %v: %v", there, err)
			}
			shut(t, server)
		}
	})
}

func TestEndpointsMayBeLeftWhileTheSocketCloses(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		for range 10 {
			s, peer := open(t, Dealer, Config{}), open(t, Dealer, Config{})
			e := bind(t, s, other(at, 1))
			connect(t, s, at)
			connect(t, peer, e)
			var all sync.WaitGroup
			all.Go(func() { s.Unbind(within(t, time.Second), e) })
			all.Go(func() { s.Disconnect(within(t, time.Second), at) })
			all.Go(func() { s.Close(within(t, time.Second)) })
			all.Wait()
			next := open(t, Dealer, Config{})
			bind(t, next, e)
			shut(t, next)
			shut(t, peer)
		}
	})
}

// With Immediate nothing waits for a connection that may never come.
func TestImmediateSendsOnlyToWhoIsThere(t *testing.T) {
	overEachPair(t, func(t *testing.T, w oneWay, at string) {
		if w.from == Pair {
			t.Skip("has no choice of peers")
		}
		from, to := open(t, w.from, Config{Immediate: true}), open(t, w.to, Config{})
		e := bind(t, to, other(at, 1))
		connect(t, from, at) // nobody
		if err := from.Send(ended(), []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("send to nobody: %v", err)
		}
		connect(t, from, e)
		for i := range 20 {
			send(t, from, strconv.Itoa(i))
		}
		for i := range 20 {
			expect(t, to, strconv.Itoa(i))
		}
		shut(t, to)
		until(t, "it is gone", func() bool { return len(livePeers(from)) == 0 })
		if err := from.Send(ended(), []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("send to nobody: %v", err)
		}
	})
}

func TestImmediatePairAndRouter(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		a, b := open(t, Pair, Config{Immediate: true}), open(t, Pair, Config{})
		connect(t, a, at)
		if err := a.Send(ended(), []byte("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("send to nobody: %v", err)
		}
		bind(t, b, at)
		send(t, a, "x")
		expect(t, b, "x")
		shut(t, b)

		router := open(t, Router, Config{Immediate: true, Mandatory: true})
		dealer := open(t, Dealer, Config{Identity: []byte("me")})
		connect(t, router, at)
		bind(t, dealer, at)
		send(t, dealer, "hello")
		expect(t, router, "me", "hello")
		send(t, router, "me", "x")
		expect(t, dealer, "x")
		shut(t, dealer)
		until(t, "it is gone", func() bool {
			return errors.Is(router.Send(ended(), []byte("me"), []byte("x")), ErrUnroutable)
		})
	})
}

func TestOpenEndpointsWithoutSecurityAreWarnedAbout(t *testing.T) {
	for at, want := range map[string]int{"tcp://0.0.0.0:*": 1, "tcp://*:*": 1, "tcp://127.0.0.1:*": 0, "tcp://localhost:*": 0, "inproc://" + t.Name(): 0} {
		var log bytes.Buffer
		s, err := New(Pull, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		bind(t, s, at)
		shut(t, s)
		if got := strings.Count(log.String(), "level=WARN"); got != want || want > 0 && !strings.Contains(log.String(), "Config.Security") {
			t.Errorf("%s: %s", at, log.String())
		}
	}
}
