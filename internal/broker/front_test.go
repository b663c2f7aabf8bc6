package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

func TestCallsGoToTheServerUsedLeastRecently(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c := s.caller()
		defer c.Close()
		var servers [3]*Server
		for i := range servers {
			servers[i] = s.server(1)
			defer servers[i].Close()
		}
		answer := func(i int, got chan result) {
			t.Helper()
			s.next(servers[i]).Reply([]byte("re"))
			s.want(got, "re")
		}
		for _, i := range []int{0, 1, 2, 0} {
			answer(i, s.begin(c, t.Context(), "q", false))
		}
		first, second := s.begin(c, t.Context(), "a", false), s.begin(c, t.Context(), "b", false) // at 1 and 2
		answer(0, s.begin(c, t.Context(), "c", false))
		answer(2, second)
		answer(0, s.begin(c, t.Context(), "d", false))
		answer(1, first)
		answer(2, s.begin(c, t.Context(), "e", false))
	})
}

func TestAServerGetsAsManyCallsAtATimeAsItSaid(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, two, one := s.caller(), s.server(2), s.server(1)
		defer c.Close()
		defer two.Close()
		defer one.Close()
		var got []chan result
		for i := range 4 {
			got = append(got, s.begin(c, t.Context(), fmt.Sprint(i), false))
		}
		a, b, d := s.next(two), s.next(one), s.next(two)
		if string(a.Body)+string(b.Body)+string(d.Body) != "012" {
			t.Errorf("got %s %s %s", a.Body, b.Body, d.Body)
		}
		s.none(two)
		s.none(one)
		d.Reply(d.Body)
		s.want(got[2], "2")
		e := s.next(two)
		e.Reply(e.Body)
		s.want(got[3], "3")
		a.Reply(a.Body)
		b.Reply(b.Body)
		s.want(got[0], "0")
		s.want(got[1], "1")
	})
}

func TestACallIsNotGivenOutAfterItsDeadline(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		d := s.raw(mailbox.Config{}) // which doesn't say that it has given up
		defer d.Close(ended)
		s.hears(d)
		s.say(d, helloOf(0, "echo"), entry{header{kind: call, id: 1, ms: 1000}, [2][]byte{[]byte("late")}},
			entry{header{kind: call, id: 2, ms: 3000}, [2][]byte{[]byte("early")}})
		time.Sleep(time.Second)
		srv := s.raw(mailbox.Config{})
		defer srv.Close(ended)
		s.hears(srv)
		s.say(srv, helloOf(2, "echo"))
		if e := s.hears(srv); string(e.frames[0]) != "early" || e.ms > 2000 || e.ms < 1900 {
			t.Errorf("got %q, within %d ms", e.frames[0], e.ms)
		}
		if msg, err := srv.Recv(ended); err == nil {
			t.Errorf("got %q", msg)
		}
	})
}

func TestADeadlineIsTheHandlersToo(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := s.begin(c, ctx, "q", false)
		time.Sleep(30 * time.Second)
		r := s.next(srv)
		if end, ok := r.Context.Deadline(); !ok || time.Until(end) > 30*time.Second || time.Until(end) < 29*time.Second {
			t.Errorf("the handler's deadline is in %v", time.Until(end))
		}
		r.Reply([]byte("re"))
		s.want(got, "re")
	})
}

func TestACallThatIsGivenUpIsTakenBack(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		ctx, cancel := context.WithCancel(t.Context())
		inHand, waiting := s.begin(c, ctx, "a", false), s.begin(c, ctx, "b", false)
		other := s.begin(c, t.Context(), "c", false)
		r := s.next(srv)
		cancel()
		for _, got := range []chan result{inHand, waiting} {
			if err := s.fails(got); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if r.Context.Err() == nil {
			t.Error("the handler's context goes on")
		}
		s.none(srv) // it still has one in hand
		r.Reply([]byte("late"))
		s.waits(other)
		if r = s.next(srv); string(r.Body) != "c" {
			t.Errorf("got %q", r.Body)
		}
		r.Reply([]byte("re: c"))
		s.want(other, "re: c")
	})
}

func TestCallersTakeTurns(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		greedy, modest := s.caller(), s.caller()
		defer greedy.Close()
		defer modest.Close()
		for range 5 {
			s.begin(greedy, t.Context(), "g", false)
		}
		s.begin(modest, t.Context(), "m", false)
		srv := s.server(1)
		defer srv.Close()
		order := ""
		for range 6 {
			r := s.next(srv)
			order += string(r.Body)
			r.Reply(nil)
		}
		if order != "gmgggg" {
			t.Errorf("served in the order %s", order)
		}
	})
}

func TestACallerHasABoundAndIsTold(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		d, c := s.raw(mailbox.Config{}), s.caller()
		defer d.Close(ended)
		defer c.Close()
		s.hears(d)
		s.say(d, helloOf(0, "echo"))
		for i := range uint64(maxCalls) {
			var p packer
			e := callOf(i, "")
			p.add(&e)
			if err := d.Send(t.Context(), p.frames...); err != nil {
				t.Fatal(err)
			}
		}
		s.say(d, callOf(maxCalls, ""))
		if e := s.hears(d); e.kind != busy || e.id != maxCalls {
			t.Errorf("got %c %d", e.kind, e.id)
		}
		s.waits(s.begin(c, s.soon(), "of another", false)) // who has room
		s.say(d, entry{header: header{kind: cancel, id: 7}}, callOf(maxCalls+1, ""))
		if msg, err := d.Recv(ended); err == nil {
			t.Errorf("refused although there is room: %q", msg)
		}
	})
}

func TestBusyIsErrFull(t *testing.T) {
	empty(t, func(t *testing.T, s *stage) {
		r, err := mailbox.New(mailbox.Router, mailbox.Config{Network: s.net, Log: s.cfg.Log})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close(ended)
		if _, err := r.Bind(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		c := s.caller()
		defer c.Close()
		got := s.begin(c, t.Context(), "q", false)
		c.heard(&entry{header: header{kind: busy, id: c.last}})
		if err := s.fails(got); !errors.Is(err, ErrFull) {
			t.Errorf("got %v", err)
		}
	})
}

func TestALeavingServerFinishesWhatItHas(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(2)
		defer c.Close()
		defer srv.Close()
		got := s.begin(c, t.Context(), "q", true)
		r := s.next(srv)
		left := make(chan error)
		go func() { left <- srv.Leave(t.Context()) }()
		settle()
		later := s.begin(c, t.Context(), "r", true)
		s.none(srv)
		select {
		case err := <-left:
			t.Fatalf("it has left with a call in hand: %v", err)
		default:
		}
		r.Reply([]byte("re"))
		s.want(got, "re")
		if err := <-left; err != nil {
			t.Error(err)
		}
		srv.Close()
		next := s.server(1)
		defer next.Close()
		s.next(next).Reply([]byte("by another"))
		s.want(later, "by another")
	})
}

func TestAServerWhoseFrontIsGoneLeavesAtOnce(t *testing.T) {
	empty(t, func(t *testing.T, s *stage) {
		f := s.front()
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		got := s.begin(c, t.Context(), "q", true)
		s.next(srv)
		left := make(chan error, 1)
		go func() { left <- srv.Leave(t.Context()) }()
		settle()
		f.Close(ended)
		s.fails(got)
		settle()
		select {
		case err := <-left:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("it waits for a front that is gone")
			srv.Close()
		}
		srv.leave()
	})
}

func TestMissedEventsAreMadeUpFor(t *testing.T) {
	empty(t, func(t *testing.T, s *stage) {
		f, err := newFront(s.cfg, []string{"echo"})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close(ended)
		if _, err := f.Bind(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		missed := func() {
			f.note(mailbox.Event{Kind: mailbox.Listening, Missed: 2})
			settle()
		}
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		missed()
		got := s.begin(c, t.Context(), "q", false)
		s.next(srv)
		srv.Close()
		other := s.server(1)
		defer other.Close()
		s.none(other)
		missed()
		s.next(other).Reply([]byte("re"))
		s.want(got, "re")
	})
}
