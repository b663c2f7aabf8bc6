// Package sockettest is what the tests of mailbox's security mechanisms have in common: sockets over which messages of the
// letter x go.
package sockettest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/mailbox"
)

// Within returns the context of calls that should not take long.
func Within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Open returns a socket that is closed with the test.
func Open(t testing.TB, typ mailbox.SocketType, s mailbox.Security, log *logtest.Log) *mailbox.Socket {
	t.Helper()
	socket, err := mailbox.New(typ, mailbox.Config{Security: s, Log: log.Logger(),
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

// Bind binds s to a tcp port and returns the endpoint.
func Bind(t testing.TB, s *mailbox.Socket) string {
	t.Helper()
	e, err := s.Bind(Within(t), "tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	return e.String()
}

// Connect connects s.
func Connect(t testing.TB, s *mailbox.Socket, endpoint string) {
	t.Helper()
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
}

// Send sends frames of so many bytes.
func Send(t testing.TB, s *mailbox.Socket, sizes ...int) {
	t.Helper()
	var msg [][]byte
	for _, n := range sizes {
		msg = append(msg, bytes.Repeat([]byte("x"), n))
	}
	if err := s.Send(Within(t), msg...); err != nil {
		t.Fatal(err)
	}
}

// Recv returns the sizes of the frames of the next message.
func Recv(t testing.TB, s *mailbox.Socket) []int {
	t.Helper()
	msg, err := s.Recv(Within(t))
	if err != nil {
		t.Fatal(err)
	}
	return Lengths(msg)
}

// Lengths are those of frames of x, which there must be nothing else in.
func Lengths(msg [][]byte) (n []int) {
	for _, f := range msg {
		if len(bytes.Trim(f, "x")) > 0 {
			return []int{-1}
		}
		n = append(n, len(f))
	}
	return n
}

// Echo replies to each request with what it holds. requests returns what came.
func Echo(t testing.TB, s *mailbox.Socket) (requests func() [][]int) {
	var mu sync.Mutex
	var all [][]int
	go func() {
		for {
			msg, err := s.Recv(context.Background())
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, Lengths(msg))
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
