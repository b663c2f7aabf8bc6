package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

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
