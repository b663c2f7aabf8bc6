package mailbox

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

var names atomic.Int64 // of inproc endpoints

// transport makes endpoints that are free.
type transport struct {
	name     string
	endpoint func(t testing.TB) string
}

var transports = []transport{
	{"inproc", func(t testing.TB) string { return fmt.Sprintf("inproc://%s/%d", t.Name(), names.Add(1)) }},
	{"ipc", func(t testing.TB) string { return "ipc://" + filepath.Join(t.TempDir(), "s") }},
	{"tcp", func(t testing.TB) string {
		s := open(t, Rep, Config{}) // a free port, given back
		e := bind(t, s, "tcp://127.0.0.1:*")
		shut(t, s)
		return e
	}},
}

// overEach runs test over each transport.
func overEach(t *testing.T, test func(t *testing.T, endpoint string)) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			test(t, tr.endpoint(t))
		})
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// open returns a socket that is closed with the test.
func open(t testing.TB, typ SocketType, cfg Config) *Socket {
	t.Helper()
	cfg.Log = quiet
	if cfg.ReconnectMin == 0 {
		cfg.ReconnectMin, cfg.ReconnectMax = 5*time.Millisecond, 50*time.Millisecond
	}
	s, err := New(typ, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Close(ctx)
	})
	return s
}

// within is the context of calls that should not take long.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func bind(t testing.TB, s *Socket, endpoint string) string {
	t.Helper()
	e, err := s.Bind(within(t, 10*time.Second), endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return e.String()
}

func connect(t testing.TB, s *Socket, endpoint string) {
	t.Helper()
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
}

func shut(t testing.TB, s *Socket) {
	t.Helper()
	if err := s.Close(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
}

func send(t testing.TB, s *Socket, frames ...string) {
	t.Helper()
	var msg [][]byte
	for _, f := range frames {
		msg = append(msg, []byte(f))
	}
	if err := s.Send(within(t, 10*time.Second), msg...); err != nil {
		t.Fatal(err)
	}
}

func recv(t testing.TB, s *Socket) []string {
	t.Helper()
	msg, err := s.Recv(within(t, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return text(msg)
}

func text(msg [][]byte) []string {
	var frames []string
	for _, f := range msg {
		frames = append(frames, string(f))
	}
	return frames
}

func expect(t testing.TB, s *Socket, frames ...string) {
	t.Helper()
	if got := recv(t, s); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", frames) {
		t.Fatalf("received %q, want %q", got, frames)
	}
}

// echo replies to each request with what it holds, after the name of the REP, until the socket is closed.
func echo(s *Socket, name string) {
	for {
		msg, err := s.Recv(context.Background())
		if err != nil {
			return
		}
		if name != "" {
			msg = append([][]byte{[]byte(name)}, msg...)
		}
		s.Send(context.Background(), msg...)
	}
}

// until waits for ok.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
		time.Sleep(time.Millisecond)
	}
}

// dropped is how many messages s has dropped, for whatever reason.
func dropped(s *Socket) (n uint64) {
	for _, of := range s.Stats().Dropped {
		n += of
	}
	return n
}
