package broker

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

func TestTheCallOfADeadServerIsGivenToAnother(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, first, second := s.caller(), s.server(1), s.server(1)
		defer c.Close()
		defer second.Close()
		got := s.begin(c, t.Context(), "q", false)
		later := s.begin(c, t.Context(), "r", false)
		waits := s.begin(c, t.Context(), "s", false)
		s.next(first)
		begun := time.Now()
		first.Close()
		settle()
		if took := time.Since(begun); took > 50*time.Millisecond {
			t.Errorf("the death was noticed after %v", took)
		}
		r := s.next(second)
		r.Reply(r.Body)
		s.want(later, "r")
		r = s.next(second) // before what came after it
		r.Reply(r.Body)
		s.want(got, "q")
		r = s.next(second)
		r.Reply(r.Body)
		s.want(waits, "s")
	})
}

func TestTheCallsOfADeadServerKeepTheirOrder(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, first := s.caller(), s.server(3)
		defer c.Close()
		var got []chan result
		for i := range 3 {
			got = append(got, s.begin(c, t.Context(), fmt.Sprint(i), false))
		}
		first.Close()
		second := s.server(1)
		defer second.Close()
		for i := range 3 {
			r := s.next(second)
			r.Reply(r.Body)
			s.want(got[i], fmt.Sprint(i))
		}
	})
}

func TestWhatADeadServerHadRepliedCounts(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, first, second := s.caller(), s.server(1), s.server(1)
		defer c.Close()
		defer second.Close()
		got := s.begin(c, t.Context(), "q", false)
		r := s.next(first)
		r.Reply([]byte("done"))
		first.s.Close(t.Context()) // what is queued is sent, and nothing waits for the front to have it
		first.Close()
		s.want(got, "done")
		s.none(second)
	})
}

func TestACallThatMayBeMadeOnceFailsWithItsServer(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, first, second := s.caller(), s.server(1), s.server(1)
		defer c.Close()
		defer second.Close()
		got := s.begin(c, t.Context(), "pay", true)
		s.next(first)
		first.Close()
		if err := s.fails(got); !errors.Is(err, mailbox.ErrPeerLost) {
			t.Errorf("got %v", err)
		}
		s.none(second)
	})
}

func TestACallThatKillsServersIsGivenToFive(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c := s.caller()
		defer c.Close()
		got := s.begin(c, t.Context(), "poison", false)
		for range maxGiven {
			s.waits(got)
			srv := s.server(1)
			s.next(srv)
			srv.Close()
		}
		if err := s.fails(got); !errors.Is(err, mailbox.ErrPeerLost) {
			t.Errorf("got %v", err)
		}
	})
}

func TestASilentServerIsFoundByHeartbeats(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		got := s.begin(c, t.Context(), "q", false)
		old := s.next(srv)
		s.net.Stall("front:1") // of everybody, the caller too
		time.Sleep(heartbeat + silence + time.Second)
		s.net.Resume("front:1")
		time.Sleep(5 * time.Second) // all are back
		if old.Context.Err() == nil {
			t.Error("the request goes on although the front has given it up")
		}
		r := s.next(srv)
		if err := old.Reply([]byte("late")); !errors.Is(err, mailbox.ErrPeerLost) {
			t.Errorf("the reply to what was given up: %v", err)
		}
		s.waits(got)
		r.Reply([]byte("re"))
		s.want(got, "re")
	})
}
