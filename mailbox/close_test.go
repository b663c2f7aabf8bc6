package mailbox

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

func TestCloseDeliversWhatWasSent(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
		connect(t, dealer, at)
		for i := range 500 {
			send(t, dealer, strconv.Itoa(i))
		}
		bind(t, router, at) // the dealer's connection comes up only while it is closing
		shut(t, dealer)
		for i := range 500 {
			if got := recv(t, router); got[1] != strconv.Itoa(i) {
				t.Fatalf("received %q, want message %d", got, i)
			}
		}
	})
}

func TestCloseOfTheBindingSideDeliversToo(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{})
		connect(t, dealer, at)
		bind(t, router, at)
		send(t, dealer, "hello")
		id := recv(t, router)[0]
		for i := range 500 {
			send(t, router, id, strconv.Itoa(i))
		}
		shut(t, router)
		for i := range 500 {
			expect(t, dealer, strconv.Itoa(i))
		}
	})
}

func TestCloseGivesUpWhenItsContextEnds(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dealer := open(t, Dealer, Config{})
		connect(t, dealer, at)
		for range 1000 {
			send(t, dealer, "x")
		}
		start := time.Now()
		err := dealer.Close(within(t, 50*time.Millisecond))
		if !errors.Is(err, ErrUnsent) || err.Error() != ErrUnsent.Error()+": 1000" {
			t.Errorf("close said %v", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("close took %v", took)
		}
	})
}

func TestEndpointsAreFreeAfterClose(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		for range 20 {
			server, client := open(t, Rep, Config{}), open(t, Req, Config{})
			bind(t, server, at)
			connect(t, client, at)
			send(t, client, "x")
			expect(t, server, "x")
			shut(t, server)
			shut(t, client)
		}
	})
}

func TestClosedSocket(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		s := open(t, Dealer, Config{})
		waiting := make(chan error, 2)
		go func() { _, err := s.Recv(context.Background()); waiting <- err }()
		go func() { waiting <- s.Send(context.Background(), []byte("x")) }()
		until(t, "both wait", func() bool { return s.room.n.Load()+s.in.waiting.n.Load() == 2 })
		shut(t, s)
		shut(t, s)
		_, bindErr := s.Bind(within(t, time.Second), at)
		_, recvErr := s.Recv(within(t, time.Second))
		for _, err := range []error{<-waiting, <-waiting, bindErr, recvErr, s.Connect(at), s.Send(within(t, time.Second), nil)} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

func TestClosedSocketsLeaveNothingBehind(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		cycle := func() {
			dealer, router := open(t, Dealer, Config{}), open(t, Router, Config{RecvHWM: 10})
			bind(t, router, at)
			connect(t, dealer, at)
			for range 500 {
				send(t, dealer, string(make([]byte, 1000)))
			}
			recv(t, router) // and the rest stays unread
			router.Close(ended())
			dealer.Close(ended())
		}
		cycle()
		goroutines, files := runtime.NumGoroutine(), openFiles(t)
		for range 50 {
			cycle()
		}
		until(t, "all is as before", func() bool { // the closed ends of connections take a moment
			return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files
		})
	})
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("cannot count open files: ", err)
	}
	return len(files)
}
