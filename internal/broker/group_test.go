package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

const other = "tcp://front:2"

// inGroup runs a test in a bubble, with a group for two places of which none is there yet.
func inGroup(t *testing.T, test func(t *testing.T, s *stage, g *Group)) {
	t.Helper()
	empty(t, func(t *testing.T, s *stage) {
		g, err := NewGroup(s.cfg, "echo", at, other)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		test(t, s, g)
	})
}

// place is a front with one server.
func (s *stage) place(at string, slots int) (srv *Server, end func()) {
	f := s.frontAt(at)
	srv = s.serverAt(at, slots)
	time.Sleep(2 * redial) // until the group is there
	return srv, func() {
		srv.Close()
		f.Close(ended)
	}
}

func TestCallsOfAGroupGoToThePlaceWithTheFewestInHand(t *testing.T) {
	inGroup(t, func(t *testing.T, s *stage, g *Group) {
		early := s.begin(g, t.Context(), "early", false)
		s.waits(early)
		a, endA := s.place(at, 10)
		defer endA()
		s.next(a).Reply([]byte("re: early"))
		s.want(early, "re: early")
		b, endB := s.place(other, 10)
		defer endB()
		for i := range 6 {
			s.begin(g, t.Context(), fmt.Sprint(i), false)
		}
		for range 3 {
			s.next(a)
			s.next(b).Reply(nil)
		}
		for i := range 3 { // the first three are still at a
			s.begin(g, t.Context(), fmt.Sprint(i), false)
			s.next(b)
		}
		s.none(a)
	})
}

func TestACallOfAGroupMovesFromAPlaceThatIsLostUnlessItMayBeExecutedOnlyOnce(t *testing.T) {
	inGroup(t, func(t *testing.T, s *stage, g *Group) {
		a, endA := s.place(at, 10)
		got, once := s.begin(g, t.Context(), "q", false), s.begin(g, t.Context(), "pay", true)
		for range 2 {
			s.next(a)
		}
		endA()
		if err := s.fails(once); !errors.Is(err, mailbox.ErrPeerLost) {
			t.Errorf("got %v", err)
		}
		s.waits(got)
		b, endB := s.place(other, 10)
		defer endB()
		s.next(b).Reply([]byte("re: q"))
		s.want(got, "re: q")
		a, endA = s.place(at, 10) // it is back
		defer endA()
		s.begin(g, t.Context(), "1", false)
		s.begin(g, t.Context(), "2", false)
		s.next(a)
		s.next(b)
	})
}

// A machine that is switched off says nothing.
func TestACallOfAGroupMovesFromAPlaceThatIsSilent(t *testing.T) {
	inGroup(t, func(t *testing.T, s *stage, g *Group) {
		a, endA := s.place(at, 10)
		defer endA()
		got := s.begin(g, t.Context(), "q", false)
		s.next(a)
		s.net.Stall("front:1")
		defer s.net.Resume("front:1")
		b, endB := s.place(other, 10)
		defer endB()
		time.Sleep(heartbeat + silence)
		s.next(b).Reply([]byte("re: q"))
		s.want(got, "re: q")
	})
}

func TestAStreamOfAGroupMovesUntilItsFirstPartHasCome(t *testing.T) {
	for _, begun := range []bool{false, true} {
		inGroup(t, func(t *testing.T, s *stage, g *Group) {
			a, endA := s.place(at, 10)
			b, endB := s.place(other, 10)
			defer endB()
			parts, err := make(chan string, 10), make(chan error, 1)
			go func() {
				defer close(err)
				for part, failure := range g.Stream(t.Context(), []byte("q"), false) {
					if failure != nil {
						err <- failure
						return
					}
					parts <- string(part)
				}
			}()
			settle()
			r := s.next(a)
			if begun {
				r.Part([]byte("a1"))
				settle()
			}
			endA()
			settle()
			if begun {
				if failure := <-err; !errors.Is(failure, mailbox.ErrPeerLost) || len(parts) != 1 {
					t.Errorf("%v after %d parts", failure, len(parts))
				}
				return
			}
			r = s.next(b)
			r.Part([]byte("b1"))
			r.End()
			if failure := <-err; failure != nil || len(parts) != 1 || <-parts != "b1" {
				t.Errorf("%v, %d parts left", failure, len(parts))
			}
		})
	}
}

func TestACallOfAGroupEndsWithItsContextTheGroupAndIfAllRefuse(t *testing.T) {
	inGroup(t, func(t *testing.T, s *stage, g *Group) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		late := s.begin(g, ctx, "q", false)
		time.Sleep(time.Second)
		if err := s.fails(late); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		never := s.begin(g, t.Context(), "q", false)
		for _, at := range []string{at, other} {
			s.waits(never)
			f, err := NewFront(s.cfg, nil, "another service")
			if err == nil {
				_, err = f.Bind(t.Context(), at)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close(ended)
			time.Sleep(2 * redial)
		}
		if err := s.fails(never); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
	})
	inGroup(t, func(t *testing.T, s *stage, g *Group) {
		never := s.begin(g, t.Context(), "q", false)
		g.Close()
		synctest.Wait()
		if err := s.fails(never); !errors.Is(err, mailbox.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}
