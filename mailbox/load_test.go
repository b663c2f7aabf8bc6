//go:build unix

package mailbox

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// load is n, or a quarter of it under the race detector, which allows no more than 8128 goroutines: here a connection has
// up to six of them.
func load(n int) int {
	if raceEnabled {
		return n / 4
	}
	return n
}

// roomFor returns n, or for how many connections within this process there is room. Go has raised the soft limit to
// the hard one when the process began.
func roomFor(t *testing.T, n int) int {
	const others = 200
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if most := int(min(limit.Cur, 1<<20)-others) / 2; most < n {
		t.Logf("%d connections instead of %d: the process may not open more files", most, n)
		return most
	}
	return n
}

func TestLoadManyReqClientsAreAllServed(t *testing.T) {
	const each = 3
	n := roomFor(t, load(2000))
	server := open(t, Rep, Config{})
	at := bind(t, server, "tcp://127.0.0.1:*")
	go echo(server, "")
	ctx := within(t, time.Minute)
	var wg sync.WaitGroup
	for i := range n {
		client := open(t, Req, Config{})
		connect(t, client, at)
		wg.Go(func() {
			for k := range each {
				body := fmt.Sprint(i, " ", k)
				if err := client.Send(ctx, []byte(body)); err != nil {
					t.Error(err)
					return
				}
				if msg, err := client.Recv(ctx); err != nil || len(msg) != 1 || string(msg[0]) != body {
					t.Errorf("client %d received %q, %v", i, msg, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if d := dropped(server); d != 0 {
		t.Errorf("%d messages were dropped", d)
	}
}

func TestLoadManySubscribersGetEachMessage(t *testing.T) {
	const messages = 100
	n := roomFor(t, load(1000))
	publisher := open(t, Pub, Config{})
	at := bind(t, publisher, "tcp://127.0.0.1:*")
	ctx := within(t, time.Minute)
	var wg sync.WaitGroup
	for i := range n {
		s := open(t, Sub, Config{})
		connect(t, s, at)
		subscribeTo(t, s, "")
		wg.Go(func() {
			for k := range messages {
				if msg, err := s.Recv(ctx); err != nil || string(msg[0]) != fmt.Sprint(k) {
					t.Errorf("subscriber %d: message %d: %q, %v", i, k, msg, err)
					return
				}
			}
		})
	}
	waitSubscribers(t, publisher, n)
	for k := range messages {
		send(t, publisher, fmt.Sprint(k))
	}
	wg.Wait()
	if d := dropped(publisher); d != 0 {
		t.Errorf("%d messages were dropped", d)
	}
}

// The issue of the day is what an idle connection costs, and that the others do not feel it.
func TestLoadAClientIsServedBesidesManyIdleConnections(t *testing.T) {
	const hands, each = 50, 24 << 10
	n := roomFor(t, load(5000)) / hands * hands
	server, client := open(t, Rep, Config{}), open(t, Req, Config{})
	at, _ := ParseEndpoint(bind(t, server, "tcp://127.0.0.1:*"))
	go echo(server, "")
	connect(t, client, at.String())
	ask := func() {
		t.Helper()
		send(t, client, "x")
		expect(t, client, "x")
	}
	ask()
	before := heap()
	var idle [hands][]net.Conn
	var wg sync.WaitGroup
	for h := range hands {
		wg.Go(func() {
			for range n / hands {
				c, err := net.Dial("tcp", at.Address)
				if err != nil {
					t.Error(err)
					return
				}
				idle[h] = append(idle[h], c)
				io.WriteString(c, asReq)
			}
		})
	}
	defer func() {
		for _, conns := range idle {
			for _, c := range conns {
				c.Close()
			}
		}
	}()
	connected := func() int {
		ask()
		server.mu.Lock()
		defer server.mu.Unlock()
		return len(server.conns)
	}
	until(t, "all connected", func() bool { return connected() == n+1 })
	wg.Wait()
	start := time.Now()
	for range 200 {
		ask()
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("200 round trips took %v", took)
	}
	if per := int(heap()-before) / n; per > each && !raceEnabled {
		t.Errorf("an idle connection takes %d bytes, at both ends", per)
	}
}

// TROUPE_LONG=1 sends a message of 1 GiB.
func TestLoadAMessageOfOneGiBArrives(t *testing.T) {
	if os.Getenv("TROUPE_LONG") != "1" {
		t.Skip("takes 3 GiB of memory: set TROUPE_LONG=1")
	}
	const size = 1 << 30
	pull, push := open(t, Pull, Config{MaxMessage: size}), open(t, Push, Config{})
	connect(t, push, bind(t, pull, "tcp://127.0.0.1:*"))
	frame := make([]byte, size)
	for i := 0; i < size; i += 4093 {
		frame[i] = byte(i)
	}
	ctx := within(t, time.Minute)
	if err := push.Send(ctx, frame); err != nil {
		t.Fatal(err)
	}
	msg, err := pull.Recv(ctx)
	if err != nil || len(msg) != 1 || string(msg[0]) != string(frame) {
		t.Fatalf("%d frames, %v", len(msg), err)
	}
}
