//go:build unix

package node

import (
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// What happens to links on real networks and to real processes.

// talk has alpha tell numbered messages to the inbox of beta until the test calls the result, which returns how many were
// accepted.
func talk(t *testing.T, alpha *Node) (stop func() int) {
	t.Helper()
	quit, sent := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-quit:
				sent <- n
				return
			case <-time.After(100 * time.Microsecond):
			}
			for to("inbox@beta").Tell(alpha, numbered(n)) == nil {
				if n++; n%100 == 0 {
					break
				}
			}
		}
	}()
	return func() int {
		close(quit)
		return <-sent
	}
}

// wantAll sees that everything arrived once and in its order, and that nothing is a dead letter.
func wantAll(t *testing.T, alpha *Node, sent int) {
	t.Helper()
	want := fmt.Sprint(numbers{Good: sent})
	got, err := ask(alpha, to("inbox@beta"), "how many", 10*time.Second)
	if err != nil || got != want {
		t.Errorf("of %d messages there came (good, bad) %s, %v", sent, got, err)
	}
	if dead := alpha.DeadLetters(); len(dead) > 0 {
		t.Errorf("dead letters %v", dead)
	}
}

func isUp(n *Node, peer string) func() bool {
	return func() bool {
		for _, p := range n.Peers() {
			if p.Name == peer {
				return p.Up
			}
		}
		return false
	}
}

func not(f func() bool) func() bool { return func() bool { return !f() } }

// A process that was stopped and goes on, as a laptop that slept, is down meanwhile and has lost nothing.
func TestProcessThatIsStoppedAndContinuedLosesNothing(t *testing.T) {
	alpha := start(t, Config{Name: "alpha", Listen: []string{"tcp://127.0.0.1:0"}, Down: quickDown})
	cmd, quit := process(t, alpha.Endpoints()[0].String())
	defer quit.Close()
	eventually(t, "beta is there", isUp(alpha, "beta"))
	stop := talk(t, alpha)
	for range 2 {
		cmd.Process.Signal(syscall.SIGSTOP)
		eventually(t, "beta is down", not(isUp(alpha, "beta")))
		cmd.Process.Signal(syscall.SIGCONT)
		eventually(t, "beta is up again", isUp(alpha, "beta"))
	}
	wantAll(t, alpha, stop())
}

// C20, C28: a network that swallows everything without closing, and then heals, loses nothing, whether the old
// connection is still good then or not.
func TestBlackHoleThatHealsLosesNothing(t *testing.T) {
	alpha := start(t, Config{Name: "alpha", Listen: []string{"tcp://127.0.0.1:0"}, Down: quickDown})
	tunnel := newTunnel(t, alpha.Endpoints()[0].Address)
	_, quit := process(t, "tcp://"+tunnel.listener.Addr().String())
	defer quit.Close()
	eventually(t, "beta is there", isUp(alpha, "beta"))
	stop := talk(t, alpha)
	for range 2 {
		tunnel.shut()
		eventually(t, "beta is down", not(isUp(alpha, "beta")))
		tunnel.open()
		eventually(t, "beta is up again", isUp(alpha, "beta"))
		tunnel.shut() // for less than it takes to notice
		time.Sleep(quickDown / 10)
		tunnel.open()
	}
	wantAll(t, alpha, stop())
}

// A slow network delays, and is no reason to give up.
func TestThrottledLinkIsNotTakenForDown(t *testing.T) {
	alpha := start(t, Config{Name: "alpha", Listen: []string{"tcp://127.0.0.1:0"}, Down: quickDown})
	tunnel := newTunnel(t, alpha.Endpoints()[0].Address)
	tunnel.mu.Lock()
	tunnel.pause = 20 * time.Millisecond // for each 32 KiB
	tunnel.mu.Unlock()
	_, quit := process(t, "tcp://"+tunnel.listener.Addr().String())
	defer quit.Close()
	eventually(t, "beta is there", isUp(alpha, "beta"))
	_, err := actor.Subscribe(alpha, func(e actor.PeerDown) { t.Errorf("%+v", e) })
	if err != nil {
		t.Fatal(err)
	}
	if err := to("drain@beta").Tell(alpha, string(make([]byte, 6<<20))); err != nil { // some four seconds
		t.Fatal(err)
	}
	eventually(t, "the large message has gone", func() bool { return alpha.Peers()[0].Queued == 0 })
}

// tunnel is a proxy to an address that may stop forwarding, without closing anything.
type tunnel struct {
	listener net.Listener
	to       string
	pause    time.Duration // after each piece
	done     sync.WaitGroup

	mu    sync.Mutex
	gate  chan struct{} // closed while open
	conns []net.Conn
}

func newTunnel(t *testing.T, to string) *tunnel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &tunnel{listener: l, to: to, gate: make(chan struct{})}
	close(h.gate)
	h.done.Go(h.run)
	t.Cleanup(func() {
		l.Close()
		h.open()
		h.mu.Lock()
		for _, c := range h.conns {
			c.Close()
		}
		h.mu.Unlock()
		h.done.Wait()
	})
	return h
}

func (h *tunnel) run() {
	for {
		from, err := h.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", h.to)
		if err != nil {
			from.Close()
			continue
		}
		h.mu.Lock()
		h.conns = append(h.conns, from, to)
		h.mu.Unlock()
		h.done.Go(func() { h.forward(from, to) })
		h.done.Go(func() { h.forward(to, from) })
	}
}

func (h *tunnel) forward(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		h.mu.Lock()
		gate, pause := h.gate, h.pause
		h.mu.Unlock()
		<-gate
		if err != nil && err != io.EOF {
			return
		}
		if _, werr := to.Write(buf[:n]); werr != nil || err != nil {
			return
		}
		time.Sleep(pause)
	}
}

func (h *tunnel) shut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gate = make(chan struct{})
}

func (h *tunnel) open() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.gate:
	default:
		close(h.gate)
	}
}
