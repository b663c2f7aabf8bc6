package mailbox

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// stalled connects to the tcp endpoint at as a socket that reads nothing but the handshake.
func stalled(t testing.TB, at, hello string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(at, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, hello); err != nil {
		t.Fatal(err)
	}
	return c
}

// C22: a peer that reads nothing costs a bounded amount of memory, never blocks a ROUTER or PUB, and delays nobody else.
func TestPeerThatReadsNothingCostsBoundedMemory(t *testing.T) {
	const most, sends = 2 << 20, 500
	body := make([]byte, 64<<10)
	asDealer := greeting + ready(property("Socket-Type", "DEALER")+property("Identity", "stalled"))
	asSub := greeting + ready(property("Socket-Type", "SUB")) + "\x00\x01\x01"
	for name, c := range map[string]struct {
		typ   SocketType
		hello string
		send  func(s *Socket, ctx context.Context) error
	}{
		"ROUTER": {Router, asDealer, func(s *Socket, ctx context.Context) error { return s.Send(ctx, []byte("stalled"), body) }},
		"PUB":    {Pub, asSub, func(s *Socket, ctx context.Context) error { return s.Send(ctx, body) }},
		"DEALER": {Dealer, asDealer, func(s *Socket, _ context.Context) error { return s.Send(ended(), body) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, c.typ, Config{memory: most})
			at := bind(t, s, "tcp://127.0.0.1:*")
			stalled(t, at, c.hello)
			until(t, "it is there", func() bool { return len(s.Stats().Peers) == 1 && s.Stats().Peers[0].Connected })
			if c.typ == Pub {
				if err := s.WaitSubscribers(within(t, 10*time.Second), 1); err != nil {
					t.Fatal(err)
				}
			}
			before := inUse()
			refused, ctx := 0, within(t, time.Minute)
			for range sends {
				if err := c.send(s, ctx); err != nil {
					if c.typ != Dealer {
						t.Fatal(err)
					}
					refused++
				}
			}
			if grown := inUse() - before; grown > 2*most {
				t.Errorf("the heap grew by %d bytes", grown)
			}
			var st Stats
			until(t, "what the system took is counted", func() bool {
				st = s.Stats()
				return st.Queued <= most/len(body)+1
			})
			full := st.Dropped[Full] + uint64(refused)
			if st.Sent+uint64(st.Queued)+full != sends || full < sends/4 {
				t.Errorf("%+v, %d refused", st, refused)
			}
		})
	}
}

// inUse is how many bytes are in use on the heap.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
