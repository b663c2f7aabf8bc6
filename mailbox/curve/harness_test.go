package curve_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// logged is a log that can be waited for.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// wait waits for a line with text.
func (l *logged) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(l.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log does not say %s:\n%s", text, l)
		}
	}
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// open returns a socket that is closed with the test.
func open(t testing.TB, typ mailbox.SocketType, s mailbox.Security, log *logged) *mailbox.Socket {
	t.Helper()
	socket, err := mailbox.New(typ, mailbox.Config{Security: s, Log: log.logger(),
		ReconnectMin: 5 * time.Millisecond, ReconnectMax: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		socket.Close(ctx)
	})
	return socket
}

func bind(t testing.TB, s *mailbox.Socket) string {
	t.Helper()
	e, err := s.Bind(within(t), "tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	return e.String()
}

func connect(t testing.TB, s *mailbox.Socket, endpoint string) {
	t.Helper()
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
}

// send sends frames of so many bytes.
func send(t testing.TB, s *mailbox.Socket, sizes ...int) {
	t.Helper()
	var msg [][]byte
	for _, n := range sizes {
		msg = append(msg, bytes.Repeat([]byte("x"), n))
	}
	if err := s.Send(within(t), msg...); err != nil {
		t.Fatal(err)
	}
}

func recv(t testing.TB, s *mailbox.Socket) []int {
	t.Helper()
	msg, err := s.Recv(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return lengths(msg)
}

// lengths are those of frames of x, which there must be nothing else in.
func lengths(msg [][]byte) (n []int) {
	for _, f := range msg {
		if len(bytes.Trim(f, "x")) > 0 {
			return []int{-1}
		}
		n = append(n, len(f))
	}
	return n
}

// echo replies to each request with what it holds. requests returns what came.
func echo(t testing.TB, s *mailbox.Socket) (requests func() [][]int) {
	var mu sync.Mutex
	var all [][]int
	go func() {
		for {
			msg, err := s.Recv(context.Background())
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, lengths(msg))
			mu.Unlock()
			s.Send(context.Background(), msg...)
		}
	}()
	return func() [][]int {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}
