package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

func TestCallsOutliveTheirFront(t *testing.T) {
	empty(t, func(t *testing.T, s *stage) {
		f := s.front()
		c, srv := s.caller(), s.server(2)
		defer c.Close()
		defer srv.Close()
		inHand, once := s.begin(c, t.Context(), "q", false), s.begin(c, t.Context(), "pay", true)
		old, paid := s.next(srv), s.next(srv)
		waiting, onceWaiting := s.begin(c, t.Context(), "r", false), s.begin(c, t.Context(), "pay too", true)
		f.Close(ended)
		for _, got := range []chan result{once, onceWaiting} { // at once
			if err := s.fails(got); !errors.Is(err, mailbox.ErrPeerLost) {
				t.Errorf("got %v", err)
			}
		}
		for _, r := range []*Request{old, paid} {
			if r.Context.Err() == nil {
				t.Errorf("%s goes on", r.Body)
			}
		}
		meanwhile := s.begin(c, t.Context(), "pay later", true) // which no front has seen
		time.Sleep(time.Minute)
		f = s.front()
		defer f.Close(ended)
		time.Sleep(redial + time.Second)
		if err := old.Reply([]byte("late")); !errors.Is(err, mailbox.ErrPeerLost) {
			t.Errorf("a late reply: %v", err)
		}
		for range 3 {
			r := s.next(srv)
			r.Reply(append([]byte("re: "), r.Body...))
		}
		s.want(inHand, "re: q")
		s.want(waiting, "re: r")
		s.want(meanwhile, "re: pay later")
		s.none(srv)
	})
}

func TestTheReplyToACallThatWasGivenUpAnswersNoOther(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(2)
		defer c.Close()
		defer srv.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first := s.begin(c, ctx, "a", false)
		r := s.next(srv)
		time.Sleep(time.Second)
		if err := s.fails(first); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		second := s.begin(c, t.Context(), "b", false)
		r.Reply([]byte("re: a"))
		s.waits(second)
		s.next(srv).Reply([]byte("re: b"))
		s.want(second, "re: b")
	})
}

func TestALateReplyOfAServerGivenUpIsDropped(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, d := s.caller(), s.raw(mailbox.Config{})
		defer c.Close()
		defer d.Close(ended)
		s.hears(d)
		s.say(d, helloOf(1, "echo"))
		got := s.begin(c, t.Context(), "q", false)
		first := s.hears(d)
		s.say(d, helloOf(1, "echo")) // it begins again, and gets the call again, by another number
		second := s.hears(d)
		s.say(d, entry{header{kind: reply, id: first.id}, [2][]byte{[]byte("stale")}})
		s.waits(got)
		s.say(d, entry{header{kind: reply, id: second.id}, [2][]byte{[]byte("fresh")}})
		s.want(got, "fresh")
	})
}

func TestACallWaitsForAFrontUntilItsContextEnds(t *testing.T) {
	empty(t, func(t *testing.T, s *stage) {
		c := s.caller()
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if _, err := c.Call(ctx, nil, false); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Minute {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		c.Close()
		if _, err := c.Call(t.Context(), nil, false); !errors.Is(err, mailbox.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestAHandlersFailureReachesTheCaller(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		got := s.begin(c, t.Context(), "q", false)
		s.next(srv).Fail("shop.sold_out", "nothing left")
		var failure *Failure
		if err := s.fails(got); !errors.As(err, &failure) || *failure != (Failure{"shop.sold_out", "nothing left"}) {
			t.Errorf("got %v", err)
		}
	})
}

func TestAFrontRefusesWhoIsWrongHereAndTheTextReachesThem(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, err := NewCaller(s.cfg, "prices", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		got := s.begin(c, t.Context(), "q", false)
		if err := s.fails(got); !errors.Is(err, ErrRefused) || err.Error() != `the front refuses this caller: there is no service "prices" here` {
			t.Errorf("got %v", err)
		}
		if _, err := c.Call(t.Context(), nil, false); !errors.Is(err, ErrRefused) {
			t.Errorf("a later call: %v", err)
		}
		srv, err := NewServer(s.cfg, "stock", at, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		settle()
		if !s.log.has(`refused by the front" service=stock reason="there is no service \"stock\" here`) {
			t.Error("the server's log doesn't say so")
		}
		for _, say := range []struct {
			cfg  mailbox.Config
			e    entry
			text string
		}{
			{mailbox.Config{}, entry{header{kind: hello}, [2][]byte{[]byte("troupe-service/2"), []byte("echo")}},
				`it speaks "troupe-service/2", this front troupe-service/1`},
			{mailbox.Config{Identity: []byte("me")}, helloOf(0, "echo"),
				`the connection has an identity of its own, "me"; leave the socket's identity unset`},
		} {
			d := s.raw(say.cfg)
			s.hears(d)
			s.say(d, say.e)
			if e := s.hears(d); e.kind != refused || string(e.frames[0]) != say.text {
				t.Errorf("got %c %q", e.kind, e.frames[0])
			}
			d.Close(ended)
		}
	})
}

func TestAFrontOfAnotherProtocolIsRefused(t *testing.T) {
	empty(t, func(t *testing.T, s *stage) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		got := s.begin(c, t.Context(), "q", false)
		other := entry{header{kind: who}, [2][]byte{[]byte("troupe-service/9")}}
		c.heard(&other)
		srv.heard(&other)
		if err := s.fails(got); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
		if !s.log.has(`the front is of another protocol" service=echo its=troupe-service/9 ours=troupe-service/1`) {
			t.Error("the log doesn't say so")
		}
	})
}

func TestACallerThatDoesNotReadIsToBeginAgain(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		d := s.raw(mailbox.Config{RecvHWM: 1})
		defer d.Close(ended)
		s.hears(d)
		s.say(d, helloOf(0, "echo"))
		srv := s.server(1)
		defer srv.Close()
		large := make([]byte, 8<<20)
		const most = 12 // replies of these sizes are more than a front keeps
		for i := uint64(0); !s.log.has("a caller doesn't read what it has"); i++ {
			if i == most {
				t.Fatal("the log doesn't say so")
			}
			s.say(d, callOf(i, "q"))
			s.next(srv).Reply(large)
			settle()
		}
		replies := 0
		for {
			e := s.hears(d)
			if e.kind == who {
				break
			}
			if e.kind != reply || len(e.frames[0]) != len(large) || e.id != uint64(replies) {
				t.Fatalf("got %c %d", e.kind, e.id)
			}
			replies++
			time.Sleep(time.Second)
		}
		if replies < 8 || replies >= most {
			t.Errorf("%d replies came", replies)
		}
		s.say(d, helloOf(0, "echo"), callOf(99, "again"))
		s.next(srv).Reply([]byte("re"))
		if e := s.hears(d); e.kind != reply || e.id != 99 {
			t.Errorf("got %c %d", e.kind, e.id)
		}
	})
}

func TestAServerThatDoesNotReadGetsNoMoreUntilItDoes(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		d, c, c2 := s.raw(mailbox.Config{RecvHWM: 1}), s.caller(), s.caller()
		defer d.Close(ended)
		defer c.Close()
		defer c2.Close()
		s.hears(d)
		s.say(d, helloOf(20, "echo"))
		large := string(make([]byte, 8<<20))
		var got []chan result
		const calls = 12
		for i := range calls {
			got = append(got, s.begin([]*Caller{c, c2}[i%2], t.Context(), large, false))
		}
		srv := s.server(1)
		defer srv.Close()
		go func() {
			for r, err := srv.Next(t.Context()); err == nil; r, err = srv.Next(t.Context()) {
				r.Reply([]byte("re"))
			}
		}()
		s.want(s.begin(c, t.Context(), "fresh", false), "re")
		time.Sleep(time.Second) // until it has served all that wait
		left := 0
		for _, g := range got {
			if len(g) == 0 {
				left++
			}
		}
		if left < 8 || left == calls {
			t.Errorf("the one that doesn't read has %d of %d calls", left, calls)
		}
		for range left { // and reads all in the end
			e := s.hears(d)
			if e.kind != call {
				t.Fatalf("got %c", e.kind)
			}
			s.say(d, entry{header{kind: reply, id: e.id}, [2][]byte{[]byte("re")}})
		}
		for _, g := range got {
			s.want(g, "re")
		}
		s.say(d, helloOf(0, "echo")) // no server any more
	})
}

func TestWhatWaitsForRoomIsSentWhenThereIsSome(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(20)
		defer c.Close()
		defer srv.Close()
		s.net.Stall("front:1")
		large := string(make([]byte, 8<<20))
		var got []chan result
		const calls = 14
		for range calls { // more than the socket takes
			got = append(got, s.begin(c, t.Context(), large, false))
		}
		small := s.begin(c, t.Context(), "small", false)
		s.waits(small)
		s.net.Resume("front:1")
		go func() {
			for r, err := srv.Next(t.Context()); err == nil; r, err = srv.Next(t.Context()) {
				r.Reply(r.Body[:1])
			}
		}()
		s.want(small, "s")
		for _, g := range got { // of which the front may have found some to be too much
			settle()
			select {
			case r := <-g:
				if r.err != nil && !errors.Is(r.err, ErrFull) {
					t.Error(r.err)
				}
			default:
				t.Error("a call waits")
			}
		}
	})
}
