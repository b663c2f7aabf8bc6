package broker

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox"
)

// stage is a front in a network of its own, in a bubble.
type stage struct {
	t   *testing.T
	net *memnet.Network
	log logged
	cfg mailbox.Config
}

const at = "tcp://front:1"

// logged is what was logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// play runs a test in a bubble, with a front of the service "echo".
func play(t *testing.T, test func(t *testing.T, s *stage, f *Front)) {
	t.Helper()
	empty(t, func(t *testing.T, s *stage) {
		f := s.front()
		defer f.Close(ended)
		test(t, s, f)
	})
}

// empty is play without a front.
func empty(t *testing.T, test func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newStage(t))
	})
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, net: memnet.New()}
	s.cfg = mailbox.Config{Network: s.net, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	return s
}

func (s *stage) front() *Front { return s.frontAt(at) }

func (s *stage) frontAt(at string) *Front {
	s.t.Helper()
	f, err := NewFront(s.cfg, nil, "echo")
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := f.Bind(s.t.Context(), at); err != nil {
		s.t.Fatal(err)
	}
	return f
}

// caller returns a caller that the front knows.
func (s *stage) caller() *Caller {
	s.t.Helper()
	c, err := NewCaller(s.cfg, "echo", at)
	if err != nil {
		s.t.Fatal(err)
	}
	settle()
	return c
}

// server returns a server that the front knows.
func (s *stage) server(slots int) *Server { return s.serverAt(at, slots) }

func (s *stage) serverAt(at string, slots int) *Server {
	s.t.Helper()
	srv, err := NewServer(s.cfg, "echo", at, slots)
	if err != nil {
		s.t.Fatal(err)
	}
	settle()
	return srv
}

// settle lets everybody do what there is to do now. (A socket may leave a connection unread for 2 ms.)
func settle() {
	time.Sleep(5 * time.Millisecond)
	synctest.Wait()
}

// next returns the next request, which must be there.
func (s *stage) next(srv *Server) *Request {
	s.t.Helper()
	settle()
	r, err := srv.Next(s.soon())
	if err != nil {
		s.t.Fatalf("no request: %v", err)
	}
	return r
}

// none checks that a server has no request.
func (s *stage) none(srv *Server) {
	s.t.Helper()
	settle()
	if r, err := srv.Next(ended); err == nil {
		s.t.Fatalf("got the request %q", r.Body)
	}
}

func (s *stage) soon() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), 100*time.Millisecond)
	s.t.Cleanup(cancel)
	return ctx
}

// result is how a call ended.
type result struct {
	body string
	err  error
}

// begin makes a call, and returns where its result comes.
func (s *stage) begin(c interface {
	Call(ctx context.Context, body []byte, once bool) ([]byte, error)
}, ctx context.Context, body string, once bool) chan result {
	got := make(chan result, 1)
	go func() {
		b, err := c.Call(ctx, []byte(body), once)
		got <- result{string(b), err}
	}()
	settle()
	return got
}

// want checks that a call has ended, with body.
func (s *stage) want(got chan result, body string) {
	s.t.Helper()
	settle()
	select {
	case r := <-got:
		if r.err != nil || r.body != body {
			s.t.Errorf("got %q, %v, want %q", r.body, r.err, body)
		}
	default:
		s.t.Errorf("no answer, want %q", body)
	}
}

// fails returns the error of a call that has ended.
func (s *stage) fails(got chan result) error {
	s.t.Helper()
	settle()
	select {
	case r := <-got:
		if r.err == nil {
			s.t.Errorf("got %q, want an error", r.body)
		}
		return r.err
	default:
		s.t.Error("no answer, want an error")
		return nil
	}
}

func (s *stage) waits(got chan result) {
	s.t.Helper()
	settle()
	select {
	case r := <-got:
		s.t.Errorf("got %q, %v, want it to wait", r.body, r.err)
	default:
	}
}

// raw returns a DEALER that speaks for itself.
func (s *stage) raw(cfg mailbox.Config) *mailbox.Socket {
	s.t.Helper()
	cfg.Network, cfg.Log = s.net, s.cfg.Log
	d, err := mailbox.New(mailbox.Dealer, cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := d.Connect(at); err != nil {
		s.t.Fatal(err)
	}
	return d
}

// say sends entries in one message.
func (s *stage) say(d *mailbox.Socket, all ...entry) {
	s.t.Helper()
	var p packer
	for i := range all {
		p.add(&all[i])
	}
	if err := d.Send(s.t.Context(), p.frames...); err != nil {
		s.t.Fatal(err)
	}
	settle()
}

// hears returns the next entry that comes.
func (s *stage) hears(d *mailbox.Socket) entry {
	s.t.Helper()
	msg, err := d.Recv(s.soon())
	if err != nil {
		s.t.Fatalf("nothing came: %v", err)
	}
	e, rest, ok := next(msg)
	if !ok || len(rest) > 0 {
		s.t.Fatalf("got %q", msg)
	}
	return e
}

func helloOf(slots uint32, name string) entry {
	return entry{header{kind: hello, n: slots}, [2][]byte{[]byte(Protocol), []byte(name)}}
}

func callOf(id uint64, body string) entry {
	return entry{header{kind: call, id: id}, [2][]byte{[]byte(body)}}
}
