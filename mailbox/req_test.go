package mailbox

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"testing"
	"time"
)

// C30: a reply that comes late completes nothing; the next request gets its own. With Correlated the connection stays,
// without it it ends.
func TestALateReplyIsNotTheNextRequests(t *testing.T) {
	for name, correlated := range map[string]bool{"correlated": true, "by connection": false} {
		t.Run(name, func(t *testing.T) {
			overEach(t, func(t *testing.T, at string) {
				server, client := open(t, Router, Config{}), open(t, Req, Config{Relaxed: true, Correlated: correlated})
				bind(t, server, at)
				connect(t, client, at)
				for i := range 5 {
					send(t, client, "A", strconv.Itoa(i))
					a := recv(t, server)
					if _, err := client.Recv(within(t, time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
						t.Fatal(err)
					}
					send(t, client, "B", strconv.Itoa(i))
					b := recv(t, server)
					if same := a[0] == b[0]; same != correlated {
						t.Errorf("over the same connection: %v", same)
					}
					send(t, server, append(a, "late")...)
					send(t, server, append(b, "in time")...)
					expect(t, client, "B", strconv.Itoa(i), "in time")
				}
				if correlated {
					if n := client.Stats().Dropped[Unexpected]; n != 5 {
						t.Errorf("%d messages were dropped, want the late replies", n)
					}
				}
			})
		})
	}
}

func TestCorrelatedRequestsHaveNumbersThatReturn(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		server, client := open(t, Router, Config{}), open(t, Req, Config{Correlated: true, Identity: []byte("me")})
		bind(t, server, at)
		connect(t, client, at)
		var last uint32
		for i := range 3 {
			send(t, client, "x")
			got := recv(t, server)
			if len(got) != 4 || len(got[1]) != 4 || got[2] != "" || got[3] != "x" {
				t.Fatalf("the server received %q", got)
			}
			id := binary.BigEndian.Uint32([]byte(got[1]))
			if i > 0 && id != last+1 {
				t.Errorf("number %d after %d", id, last)
			}
			last = id
			send(t, server, "me", "", "none")
			send(t, server, "me", "1234", "", "wrong")
			send(t, server, "me", got[1], "no delimiter")
			send(t, server, "me", got[1])
			send(t, server, "me", got[1], "")
			send(t, server, "me", got[1], "", "right", "")
			expect(t, client, "right", "")
		}
		if n := client.Stats().Dropped[Unexpected]; n != 15 {
			t.Errorf("%d messages were dropped, want 15", n)
		}
	})
}

func TestRepsServeRelaxedAndCorrelatedRequests(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		for _, cfg := range []Config{{Correlated: true}, {Relaxed: true}, {Relaxed: true, Correlated: true}} {
			server, client := open(t, Rep, Config{}), open(t, Req, cfg)
			connect(t, client, bind(t, server, other(at, 0)))
			go echo(server, "")
			for i := range 10 {
				send(t, client, strconv.Itoa(i), "")
				expect(t, client, strconv.Itoa(i), "")
			}
			shut(t, client)
			shut(t, server)
		}
	})
}

// A server that took a request and never replies, or that is not there, does not lock its client.
func TestALostServerDoesNotLockARelaxedClient(t *testing.T) {
	for name, cfg := range map[string]Config{"correlated": {Relaxed: true, Correlated: true}, "by connection": {Relaxed: true}} {
		t.Run(name, func(t *testing.T) {
			overEach(t, func(t *testing.T, at string) {
				cfg.SendHWM = 3
				lost, client := open(t, Rep, Config{}), open(t, Req, cfg)
				bind(t, lost, at)
				connect(t, client, at)
				send(t, client, "into the void")
				recv(t, lost)
				for range 10 { // more than the queue has room for
					send(t, client, "?")
				}
				lost.Close(ended())
				for range 10 { // to nobody
					send(t, client, "?")
				}
				server := open(t, Rep, Config{})
				bind(t, server, at)
				go echo(server, "")
				send(t, client, "!")
				for {
					msg, err := client.Recv(within(t, 10*time.Second))
					if errors.Is(err, ErrPeerLost) { // it may have been written to the lost server
						send(t, client, "!")
						continue
					}
					if err != nil || string(msg[0]) != "!" {
						t.Fatalf("received %q, %v", msg, err)
					}
					return
				}
			})
		})
	}
}

func TestARequestGivenUpBeforeItWasSentNeverIs(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		client := open(t, Req, Config{Relaxed: true})
		connect(t, client, at)
		for i := range 10 {
			send(t, client, strconv.Itoa(i))
		}
		server := open(t, Rep, Config{})
		bind(t, server, at)
		expect(t, server, "9")
		send(t, server, "reply")
		expect(t, client, "reply")
		if n := client.Stats().Dropped[Skipped]; n != 9 {
			t.Errorf("%d requests count as skipped, want 9", n)
		}
	})
}

func TestARelaxedClientGoesToTheNextServer(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		dead, alive := open(t, Rep, Config{}), open(t, Rep, Config{})
		client := open(t, Req, Config{Relaxed: true})
		connect(t, client, bind(t, dead, other(at, 0)))
		connect(t, client, bind(t, alive, other(at, 1)))
		go echo(alive, "")
		send(t, client, "x")
		expect(t, dead, "x")
		send(t, client, "y")
		expect(t, client, "y")
	})
}

func TestRelaxedAndCorrelatedWithPyzmq(t *testing.T) {
	for _, tr := range transports[1:] {
		t.Run(tr.name, func(t *testing.T) {
			at := tr.endpoint(t)
			client := open(t, Req, Config{Relaxed: true, Correlated: true})
			server := pyzmqPeer(t, Rep, "bind", at)
			connect(t, client, at)
			send(t, client, "one")
			server.expect("one")
			send(t, client, "two", "") // and the reply to the first comes late
			server.send("1")
			server.expect("two", "")
			server.send("2", "")
			expect(t, client, "2", "")

			at = tr.endpoint(t)
			rep := open(t, Rep, Config{})
			bind(t, rep, at)
			asks := pyzmqPeer(t, Req, "connect", at, "REQ_RELAXED=1", "REQ_CORRELATE=1")
			asks.send("one")
			expect(t, rep, "one")
			asks.send("two")
			send(t, rep, "1")
			expect(t, rep, "two")
			send(t, rep, "2")
			asks.expect("2")
		})
	}
}
