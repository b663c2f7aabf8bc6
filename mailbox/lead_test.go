package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// reading waits until a Recv of s reads a connection itself.
func reading(t *testing.T, s *Socket) {
	t.Helper()
	until(t, "a Recv reads", func() bool { return s.in.leading.Load() != nil })
}

// pipeline returns a PULL that is bound at endpoint and a PUSH that is connected to it.
func pipeline(t *testing.T, endpoint string, in, out Config) (pull, push *Socket) {
	pull, push = open(t, Pull, in), open(t, Push, out)
	connect(t, push, bind(t, pull, endpoint))
	return pull, push
}

// overWires runs test with a PULL that waits in Recv, and reads the connection of a PUSH itself.
func overWires(t *testing.T, test func(t *testing.T, pull, push *Socket, got chan received)) {
	for _, tr := range transports[1:] {
		t.Run(tr.name, func(t *testing.T) {
			pull, push := pipeline(t, tr.endpoint(t), Config{}, Config{})
			send(t, push, "first")
			expect(t, pull, "first")
			got := make(chan received, 1)
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			go func() {
				msg, err := pull.Recv(ctx)
				got <- received{fmt.Sprintf("%s", msg), err, cancel}
			}()
			reading(t, pull)
			test(t, pull, push, got)
		})
	}
}

// received is what a Recv returned.
type received struct {
	msg    string
	err    error
	cancel context.CancelFunc
}

func TestARecvThatReadsItsConnectionEndsWithItsContext(t *testing.T) {
	for _, tr := range transports[1:] {
		t.Run(tr.name, func(t *testing.T) {
			pull, push := pipeline(t, tr.endpoint(t), Config{}, Config{})
			send(t, push, "first")
			expect(t, pull, "first")
			for i := range 20 {
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan error, 1)
				go func() {
					_, err := pull.Recv(ctx)
					done <- err
				}()
				reading(t, pull)
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				send(t, push, fmt.Sprint(i)) // nothing is lost by that
				expect(t, pull, fmt.Sprint(i))
			}
		})
	}
}

func TestARecvThatReadsItsConnectionEndsWithItsSocket(t *testing.T) {
	overWires(t, func(t *testing.T, pull, _ *Socket, got chan received) {
		shut(t, pull)
		if r := <-got; r.err != ErrClosed {
			t.Error(r.msg, r.err)
		}
	})
}

// Or it would wait for the one connection that it reads.
func TestARecvThatReadsItsConnectionHearsOthers(t *testing.T) {
	for _, other := range transports {
		t.Run("and "+other.name, func(t *testing.T) {
			overWires(t, func(t *testing.T, pull, _ *Socket, got chan received) {
				second := open(t, Push, Config{})
				connect(t, second, bind(t, pull, other.endpoint(t)))
				send(t, second, "from the second")
				if r := <-got; r.msg != "[from the second]" || r.err != nil {
					t.Error(r.msg, r.err)
				}
			})
		})
	}
}

func TestRecvsAtOnceShareAConnection(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			pull, push := pipeline(t, tr.endpoint(t), Config{RecvHWM: 10}, Config{SendHWM: 10})
			const receivers, each = 8, 500
			var wg sync.WaitGroup
			var mu sync.Mutex
			got := make(map[string]int)
			for range receivers {
				wg.Go(func() {
					for range each {
						msg, err := pull.Recv(within(t, 10*time.Second))
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						got[string(msg[0])]++
						mu.Unlock()
					}
				})
			}
			for i := range receivers * each {
				send(t, push, fmt.Sprint(i))
			}
			wg.Wait()
			if len(got) != receivers*each {
				t.Errorf("%d different messages of %d", len(got), receivers*each)
			}
		})
	}
}

// A connection is read while somebody receives, while nobody does, and when that changes.
func TestPingsAreAnsweredWhoeverReads(t *testing.T) {
	router := open(t, Router, Config{})
	at := bind(t, router, "tcp://127.0.0.1:*")
	c, err := net.Dial("tcp", strings.TrimPrefix(at, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(c, greeting+ready(property("Socket-Type", "DEALER")))
	hello := make([]byte, len(greeting)+len(ready(property("Socket-Type", "ROUTER")+property("Identity", ""))))
	if n, err := c.Read(hello); err != nil {
		t.Fatal(n, err)
	}
	until(t, "it is connected", func() bool { return router.in.sole.one.Load() != nil })
	answered := func() {
		t.Helper()
		fmt.Fprint(c, "\x04\x0a\x04PING\x00\x00abc")
		var answer string
		for p := make([]byte, 100); !strings.Contains(answer, "\x04PONGabc"); {
			n, err := c.Read(p)
			if err != nil {
				t.Fatalf("%q, and then %v", answer, err)
			}
			answer += string(p[:n])
		}
	}
	for range 20 {
		answered() // nobody receives
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			router.Recv(ctx)
			close(done)
		}()
		reading(t, router)
		answered()
		cancel()
		<-done
	}
}

func TestTheEndOfAConnectionIsNoticedWhoeverReads(t *testing.T) {
	overWires(t, func(t *testing.T, pull, push *Socket, got chan received) {
		gone := func() bool { return len(live(pull)) == 0 }
		push.Close(ended())
		until(t, "it is noticed while somebody receives", gone)
		again := open(t, Push, Config{})
		connect(t, again, pull.places[0].Endpoint.String())
		send(t, again, "x")
		if r := <-got; r.msg != "[x]" {
			t.Error(r.msg, r.err)
		}
		again.Close(ended())
		until(t, "it is noticed while nobody receives", gone)
	})
}

// A Recv that looked whether its socket is closed just before that was.
func TestARecvReadsNothingOnceItsSocketCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		dealer, router := open(t, Dealer, Config{Network: network}), open(t, Router, Config{Network: network})
		connect(t, dealer, bind(t, router, "tcp://there:1"))
		send(t, dealer, "first")
		recv(t, router)
		network.Stall("there:1")
		send(t, dealer, string(make([]byte, 1<<20)))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := dealer.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) { // it read, so nobody does for a while
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() { closed <- dealer.Close(context.Background()) }() // lingers
		synctest.Wait()
		turn := dealer.in.waiting.enter()
		if dealer.read(context.Background(), turn) {
			t.Error("it read")
		} else {
			dealer.in.waiting.leave(turn)
		}
		if err := <-closed; !errors.Is(err, ErrUnsent) {
			t.Error(err)
		}
	})
}
