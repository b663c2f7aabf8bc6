package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestPushOnlySendsAndPullOnlyReceives(t *testing.T) {
	push, pull := open(t, Push, Config{}), open(t, Pull, Config{})
	if msg, err := push.Recv(ended()); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a PUSH received %q, %v", msg, err)
	}
	if err := pull.Send(ended(), []byte("x")); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a PULL sent: %v", err)
	}
}

// C01: each message goes to one worker.
func TestEachMessageGoesToOneWorker(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		for _, workers := range []int{1, 2, 5} {
			push := open(t, Push, Config{})
			e := bind(t, push, other(at, workers))
			var mu sync.Mutex
			seen, of := make(map[string]int), make([]int, workers)
			const n = 5000
			done := make(chan struct{})
			for i := range workers {
				pull := open(t, Pull, Config{})
				connect(t, pull, e)
				go func() {
					for {
						msg, err := pull.Recv(context.Background())
						if err != nil {
							return
						}
						mu.Lock()
						seen[string(msg[0])]++
						if of[i]++; len(seen) == n {
							close(done)
							seen["done"]++
						}
						mu.Unlock()
					}
				}()
			}
			until(t, "all are connected", func() bool { return len(livePeers(push)) == workers })
			for i := range n {
				send(t, push, strconv.Itoa(i))
			}
			shut(t, push)
			<-done
			mu.Lock()
			for i, times := range seen {
				if times != 1 {
					t.Errorf("message %s came %d times", i, times)
				}
			}
			for i, got := range of {
				if got == 0 {
					t.Errorf("worker %d of %d got nothing", i, workers)
				}
			}
			mu.Unlock()
		}
	})
}

func TestPushSendsInTurn(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push := open(t, Push, Config{})
		var pulls []*Socket
		for i := range 3 {
			pull := open(t, Pull, Config{})
			connect(t, push, bind(t, pull, other(at, i)))
			pulls = append(pulls, pull)
		}
		for i := range 9 {
			send(t, push, strconv.Itoa(i))
		}
		for i := range 9 {
			expect(t, pulls[i%3], strconv.Itoa(i))
		}
	})
}

// A worker that does not read, or is not there, gets what it has room for; the others get all else.
func TestPushPassesOverWhoHasNoRoom(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push := open(t, Push, Config{SendHWM: 5})
		slow, quick := open(t, Pull, Config{RecvHWM: 5}), open(t, Pull, Config{RecvHWM: 5})
		connect(t, push, bind(t, slow, other(at, 0)))
		connect(t, push, bind(t, quick, other(at, 1)))
		connect(t, push, at) // nobody
		got := make(chan int)
		go func() {
			n := 0
			for {
				msg, err := quick.Recv(within(t, 10*time.Second))
				if err != nil || len(msg[0]) == 0 {
					break
				}
				n++
			}
			got <- n
		}()
		body := make([]byte, 64<<10)
		const n = 500
		for range n {
			if err := push.Send(within(t, 10*time.Second), body); err != nil {
				t.Fatal(err)
			}
		}
		for range 20 { // the quick one gets at least one of so many
			push.Send(within(t, 20*time.Millisecond), nil)
		}
		if n := <-got; n < 300 {
			t.Errorf("the quick worker got %d messages", n)
		}
	})
}

// C04: a worker that dies holds nobody up. C06: nor does its end show in what the others receive.
func TestADyingPeerIsNoEndOfTheOthers(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		pull := open(t, Pull, Config{})
		bind(t, pull, at)
		stays := open(t, Push, Config{})
		connect(t, stays, at)
		for i := range 10 {
			goes := open(t, Push, Config{})
			connect(t, goes, at)
			send(t, goes, "goes")
			expect(t, pull, "goes")
			goes.Close(ended())
			send(t, stays, strconv.Itoa(i))
			expect(t, pull, strconv.Itoa(i))
		}
		until(t, "only one is left", func() bool { return len(livePeers(pull)) == 1 })

		push := open(t, Push, Config{})
		e := bind(t, push, other(at, 1))
		worker := open(t, Pull, Config{})
		connect(t, worker, e)
		send(t, push, "x")
		expect(t, worker, "x")
		dies := open(t, Pull, Config{})
		connect(t, dies, e)
		until(t, "both are there", func() bool { return len(livePeers(push)) == 2 })
		dies.Close(ended())
		until(t, "one is gone", func() bool {
			push.mu.Lock()
			defer push.mu.Unlock()
			return len(push.peers) == 1
		})
		for i := range 100 {
			send(t, push, strconv.Itoa(i))
			expect(t, worker, strconv.Itoa(i))
		}
	})
}

// C69: those that have most to say get equal shares, and one that says little waits for none of them.
func TestPullIsFair(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		pull := open(t, Pull, Config{})
		bind(t, pull, at)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var sending sync.WaitGroup
		for i := range 4 {
			push := open(t, Push, Config{})
			connect(t, push, at)
			sending.Go(func() {
				for push.Send(ctx, []byte(strconv.Itoa(i))) == nil {
				}
			})
		}
		idle := open(t, Push, Config{})
		connect(t, idle, at)
		until(t, "all send", func() bool {
			pull.in.mu.Lock()
			defer pull.in.mu.Unlock()
			full := 0
			for _, in := range pull.in.ready {
				if in.src.(interface{ Len() int }).Len() >= 900 {
					full++
				}
			}
			return full == 4
		})
		send(t, idle, "idle")
		until(t, "it came", func() bool { return len(livePeers(pull)) == 5 && queued(pull) == 5 })
		from := make(map[string]int)
		for range 2000 {
			from[recv(t, pull)[0]]++
		}
		var sum, squares float64
		for i := range 4 {
			x := float64(from[strconv.Itoa(i)])
			sum, squares = sum+x, squares+x*x
		}
		if jain := sum * sum / (4 * squares); jain < 0.9 || from["idle"] != 1 {
			t.Errorf("shares of 2000 messages: %v", from)
		}
		cancel()
		sending.Wait()
	})
}

// queued is how many connections have something to receive from.
func queued(s *Socket) int {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	return len(s.in.ready)
}

// What a peer sends that only receives is dropped and counted, and takes no memory.
func TestPushDropsWhatComes(t *testing.T) {
	push := open(t, Push, Config{RecvHWM: 10})
	e := bind(t, push, "tcp://127.0.0.1:*")
	parsed, err := ParseEndpoint(e)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", parsed.Address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := zmtp.Open(within(t, 10*time.Second), nc, &zmtp.Config{Type: Pull}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const n = 5000
	for i := range n {
		if _, err := c.Write([][][]byte{{fmt.Append(nil, i)}}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all are counted", func() bool { return push.Stats().Dropped[Unexpected] == n })
	if queued(push) != 0 {
		t.Error("something waits to be received")
	}
	send(t, push, "work")
	if msg, err := c.Read(); err != nil || string(msg[0]) != "work" {
		t.Errorf("received %q, %v", msg, err)
	}
}
