package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// parts reads a stream, sleeping after each part, and returns how many came and the error at the end.
func parts(c *Caller, ctx context.Context, pause time.Duration) (n int, err error) {
	for body, err := range c.Stream(ctx, []byte("q"), false) {
		switch {
		case err != nil:
			return n, err
		case string(body) != fmt.Sprint(n):
			return n, fmt.Errorf("part %d is %q", n, body)
		}
		n++
		time.Sleep(pause)
	}
	return n, nil
}

func TestASlowReaderSlowsAStreamDown(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		const total = 500
		type end struct {
			n   int
			err error
		}
		ended := make(chan end, 1)
		go func() {
			n, err := parts(c, t.Context(), time.Second)
			ended <- end{n, err}
		}()
		r := s.next(srv)
		if !r.Streams() {
			t.Error("the caller takes no parts")
		}
		begun := time.Now()
		for i := range total {
			if err := r.Part([]byte(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
			if read := int(time.Since(begun) / time.Second); i > read+window {
				t.Fatalf("part %d was sent when %d had been read", i, read)
			}
		}
		r.End()
		if e := <-ended; e.n != total || e.err != nil {
			t.Errorf("%d parts came, %v", e.n, e.err)
		}
	})
}

func TestALoopThatIsLeftEndsItsStream(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		go func() {
			for range c.Stream(t.Context(), nil, false) {
				break
			}
		}()
		r := s.next(srv)
		var err error
		for err == nil {
			err = r.Part(nil)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		r.Fail("", err.Error())
		got := s.begin(c, t.Context(), "next", false)
		s.next(srv).Reply([]byte("re"))
		s.want(got, "re")
	})
}

func TestAStreamIsBegunAgainOnlyIfNothingCame(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, first := s.caller(), s.server(1)
		defer c.Close()
		got := make(chan error, 1)
		n := 0
		go func() {
			var err error
			n, err = parts(c, t.Context(), 0)
			got <- err
		}()
		s.next(first)
		first.Close()
		second := s.server(1)
		r := s.next(second)
		r.Part([]byte("0"))
		r.Part([]byte("1"))
		settle()
		second.Close()
		if err := <-got; !errors.Is(err, mailbox.ErrPeerLost) || n != 2 {
			t.Errorf("%d parts, %v", n, err)
		}
		third := s.server(1)
		defer third.Close()
		s.none(third)
	})
}

func TestAStreamThatBeganFailsWithItsFront(t *testing.T) {
	empty(t, func(t *testing.T, s *stage) {
		f := s.front()
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		got := make(chan error, 1)
		go func() {
			_, err := parts(c, t.Context(), 0)
			got <- err
		}()
		r := s.next(srv)
		r.Part([]byte("0"))
		settle()
		f.Close(ended)
		if err := <-got; !errors.Is(err, mailbox.ErrPeerLost) {
			t.Errorf("got %v", err)
		}
		settle()
		if err := r.Part(nil); err == nil {
			t.Error("the server goes on")
		}
	})
}

func TestAReplyIsAStreamOfOnePart(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv := s.caller(), s.server(1)
		defer c.Close()
		defer srv.Close()
		got := make(chan int, 1)
		go func() {
			n, err := parts(c, t.Context(), 0)
			if err != nil {
				t.Error(err)
			}
			got <- n
		}()
		s.next(srv).Reply([]byte("0"))
		if n := <-got; n != 1 {
			t.Errorf("%d parts", n)
		}
	})
}

func TestAServerThatSendsMoreThanWasAskedForIsRefused(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, d := s.caller(), s.raw(mailbox.Config{})
		defer c.Close()
		defer d.Close(ended)
		s.hears(d)
		s.say(d, helloOf(1, "echo"))
		got := s.begin(c, t.Context(), "q", false)
		e := s.hears(d)
		s.say(d, entry{header{kind: part, id: e.id}, [2][]byte{nil}})
		if e := s.hears(d); e.kind != refused {
			t.Errorf("got %c", e.kind)
		}
		s.waits(got)
		srv := s.server(1)
		defer srv.Close()
		s.next(srv).Reply([]byte("re"))
		s.want(got, "re")
	})
}
