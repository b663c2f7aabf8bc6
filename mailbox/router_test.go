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

func TestMandatoryRouterSaysWhoIsUnknown(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router, dealer := open(t, Router, Config{Mandatory: true}), open(t, Dealer, Config{Identity: []byte("me")})
		bind(t, router, at)
		err := router.Send(ended(), []byte("me"), []byte("x"))
		if !errors.Is(err, ErrUnroutable) || !strings.Contains(err.Error(), `"me"`) {
			t.Errorf("nobody is there: %v", err)
		}
		connect(t, dealer, at)
		send(t, dealer, "hello")
		expect(t, router, "me", "hello")
		send(t, router, "me", "x")
		expect(t, dealer, "x")
		shut(t, dealer)
		until(t, "the router knows", func() bool {
			return errors.Is(router.Send(ended(), []byte("me"), []byte("x")), ErrUnroutable)
		})
	})
}

// Those who wait for one peer hold up nobody who waits for another, whoever came first.
func TestMandatoryRouterWaitsForRoom(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{Mandatory: true, SendHWM: 3, SendBuffer: 32 << 10})
		bind(t, router, at)
		names := []string{"a", "b"}
		dealers := make(map[string]*Socket)
		body := make([]byte, 64<<10)
		const n = 30
		for _, name := range names {
			d := open(t, Dealer, Config{Identity: []byte(name), RecvHWM: 3, RecvBuffer: 32 << 10})
			connect(t, d, at)
			send(t, d, "hello")
			expect(t, router, name, "hello")
			dealers[name] = d
			go func() {
				for range n {
					if err := router.Send(within(t, 20*time.Second), []byte(name), body); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		until(t, "both wait", func() bool { return router.room.n.Load() == 2 })
		for _, name := range []string{"b", "a"} {
			for range n {
				recv(t, dealers[name])
			}
		}
		if n := dropped(router); n != 0 {
			t.Errorf("%d messages were dropped", n)
		}
	})
}

func TestMandatoryRouterStopsWaitingForWhoIsGone(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{Mandatory: true, SendHWM: 3, SendBuffer: 32 << 10})
		bind(t, router, at)
		d := open(t, Dealer, Config{Identity: []byte("a"), RecvHWM: 3, RecvBuffer: 32 << 10})
		connect(t, d, at)
		send(t, d, "hello")
		expect(t, router, "a", "hello")
		body := make([]byte, 64<<10)
		done := make(chan error)
		go func() {
			for {
				if err := router.Send(context.Background(), []byte("a"), body); err != nil {
					done <- err
					return
				}
			}
		}()
		until(t, "it waits", func() bool { return router.room.n.Load() == 1 })
		d.Close(ended())
		if err := <-done; !errors.Is(err, ErrUnroutable) {
			t.Errorf("the peer is gone: %v", err)
		}
	})
}

func TestHandoverGivesTheIdentityToTheNewcomer(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{Handover: true, Mandatory: true})
		bind(t, router, at)
		config := Config{Identity: []byte("me"), ReconnectMin: time.Hour, ReconnectMax: time.Hour} // or it would take it back
		first, second := open(t, Dealer, config), open(t, Dealer, config)
		connect(t, first, at)
		send(t, first, "first")
		expect(t, router, "me", "first")
		connect(t, second, at)
		send(t, second, "second")
		expect(t, router, "me", "second")
		until(t, "the first is gone", func() bool { return len(livePeers(router)) == 1 && len(livePeers(first)) == 0 })
		for range 10 {
			send(t, router, "me", "for the second")
			expect(t, second, "for the second")
		}
		if msg, err := first.Recv(ended()); err == nil {
			t.Errorf("the first received %q", msg)
		}
		shut(t, second)
		until(t, "the identity is free", func() bool {
			return errors.Is(router.Send(ended(), []byte("me"), []byte("x")), ErrUnroutable)
		})
	})
}

// Whoever is at an endpoint now is not called what somebody else was called who was there.
func TestARouterForgetsTheIdentityOfWhoWasAtAnEndpointBefore(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{Mandatory: true})
		connect(t, router, at)
		for _, name := range []string{"a", "b"} {
			dealer := open(t, Dealer, Config{Identity: []byte(name)})
			bind(t, dealer, at)
			send(t, dealer, "hello")
			expect(t, router, name, "hello")
			if name == "b" { // and it gets nothing that was for a
				if err := router.Send(ended(), []byte("a"), []byte("x")); !errors.Is(err, ErrUnroutable) {
					t.Errorf("a message for a, where b is: %v", err)
				}
			}
			send(t, router, name, "for "+name)
			expect(t, dealer, "for "+name)
			shut(t, dealer)
			until(t, "it is gone", func() bool { return len(livePeers(router)) == 0 })
			send(t, router, name, "later for "+name)
		}
	})
}

// Others may wait for somebody else, and have come before.
func TestSendsThatWaitForAnIdentityGoToWhoTakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		router := open(t, Router, Config{Network: network, Mandatory: true, Handover: true, SendHWM: 1})
		bind(t, router, "tcp://slow:1")
		bind(t, router, "tcp://fast:1")
		large := make([]byte, 1<<20)
		sent := make(map[string]chan error)
		for _, name := range []string{"a", "b"} {
			dealer := open(t, Dealer, Config{Network: network, Identity: []byte(name)})
			connect(t, dealer, "tcp://slow:1")
			send(t, dealer, "hello")
			expect(t, router, name, "hello")
		}
		network.Stall("slow:1")
		for _, name := range []string{"a", "b"} {
			send(t, router, name, string(large))
			done := make(chan error, 1)
			go func() { done <- router.Send(within(t, time.Minute), []byte(name), []byte("x")) }()
			sent[name] = done
			synctest.Wait()
		}
		newcomer := open(t, Dealer, Config{Network: network, Identity: []byte("b")})
		connect(t, newcomer, "tcp://fast:1")
		expect(t, newcomer, "x")
		if err := <-sent["b"]; err != nil {
			t.Error(err)
		}
		network.Resume("slow:1")
		if err := <-sent["a"]; err != nil {
			t.Error(err)
		}
	})
}
