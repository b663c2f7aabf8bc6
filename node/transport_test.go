package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/zmtp"
	"github.com/troupe-go/troupe/mailbox"
)

// What every transport must do, over this machine's real ones.
func TestTransports(t *testing.T) {
	for transport, listen := range map[string]string{
		"tcp":    "tcp://127.0.0.1:0",
		"ipc":    "ipc://" + filepath.Join(t.TempDir(), "beta.sock"),
		"inproc": "inproc://node-test-beta",
	} {
		for name, test := range map[string]func(*testing.T, *Node, *Node, string){
			"AskBothWays":   askBothWays,
			"OrderInAFlood": orderInAFlood,
			"LargeMessages": largeMessages,
			"PeerRestarts":  peerRestarts,
		} {
			t.Run(transport+"/"+name, func(t *testing.T) {
				beta := start(t, Config{Name: "beta", Listen: []string{listen}})
				endpoint := beta.Endpoints()[0].String()
				alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": endpoint}})
				test(t, alpha, beta, endpoint)
			})
		}
	}
}

func askBothWays(t *testing.T, alpha, beta *Node, _ string) {
	greeter(t, beta)
	back := greeter(t, alpha)
	wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				name := fmt.Sprint(i)
				if s, err := ask(beta, back, name, 10*time.Second); err != nil || s != "hi "+name+" from alpha" {
					t.Errorf("got %q, %v", s, err)
				}
			}
		})
	}
	wg.Wait()
}

func orderInAFlood(t *testing.T, alpha, beta *Node, _ string) {
	const count, window = 20000, 2000
	_, got := collector(t, beta, "inbox", window)
	for i := range count {
		if i >= window { // not more under way than the mailbox holds
			wantNext(t, got, numbered(i-window))
		}
		if err := to("inbox@beta").Tell(alpha, numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := count - window; i < count; i++ {
		wantNext(t, got, numbered(i))
	}
}

func largeMessages(t *testing.T, alpha, beta *Node, _ string) {
	_, got := collector(t, beta, "inbox", 10)
	for i := range 10 {
		if err := to("inbox@beta").Tell(alpha, strings.Repeat(string(rune('a'+i)), 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10 {
		wantNext(t, got, strings.Repeat(string(rune('a'+i)), 1<<20))
	}
}

func peerRestarts(t *testing.T, alpha, beta *Node, endpoint string) {
	old := greeter(t, beta)
	back := greeter(t, alpha)
	wantReply(t, alpha, old, "x", "hi x from beta")
	beta.Close(ended())
	beta = start(t, Config{Name: "beta", Listen: []string{endpoint}})
	greeter(t, beta)
	wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
	wantReply(t, beta, back, "y", "hi y from alpha")
	wantErr(t, old.Tell(alpha, "z"), actor.ErrUnreachable)
}

// C12: what was told before the other node is there arrives in its order, whatever lies between.
func TestTellsBeforeTheOtherNodeIsThereArriveInOrder(t *testing.T) {
	for transport, endpoint := range map[string]string{
		"tcp":    freePort(t),
		"ipc":    "ipc://" + filepath.Join(t.TempDir(), "later.sock"),
		"inproc": "inproc://node-test-later",
	} {
		t.Run(transport, func(t *testing.T) {
			alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": endpoint}})
			const count = 100
			for i := range count {
				if err := to("inbox@beta").Tell(alpha, numbered(i)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second) // of some attempts to dial
			if p := alpha.Peers()[0]; p.Queued != count {
				t.Fatalf("%d messages are queued, want %d", p.Queued, count)
			}
			beta, got := latecomer(t, endpoint, count)
			for i := range count {
				wantNext(t, got, numbered(i))
			}
			wantReply(t, beta, greeter(t, alpha), "x", "hi x from alpha")
		})
	}
}

// latecomer starts beta, with an inbox that is there before anything comes.
func latecomer(t *testing.T, endpoint string, room int) (*Node, <-chan string) {
	t.Helper()
	gate := make(chan struct{})
	beta := start(t, Config{Name: "beta", Listen: []string{endpoint}, Network: gatedNetwork{zmtp.Machine{}, gate}})
	_, got := collector(t, beta, "inbox", room)
	close(gate)
	return beta, got
}

// gatedNetwork accepts nobody before gate is closed.
type gatedNetwork struct {
	mailbox.Network
	gate chan struct{}
}

func (n gatedNetwork) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l, err := n.Network.Listen(ctx, network, address)
	return gatedListener{l, n.gate}, err
}

type gatedListener struct {
	net.Listener
	gate chan struct{}
}

func (l gatedListener) Accept() (net.Conn, error) {
	<-l.gate
	return l.Listener.Accept()
}

// freePort returns an endpoint at which nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

// C13: a node keeps its path from another, and one that was left behind by a crash is in nobody's way.
func TestPathsOfNodes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "beta.sock")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	beta := start(t, Config{Name: "beta", Listen: []string{"ipc://" + path}})
	greeter(t, beta)
	if n, err := Start(t.Context(), Config{Name: "second", Listen: []string{"ipc://" + path}}); err == nil {
		n.Close(ended())
		t.Error("a second node at the path")
	}
	alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "ipc://" + path}})
	wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := Start(t.Context(), Config{Listen: []string{"ipc://" + file}}); err == nil {
		n.Close(ended())
		t.Error("a node in the place of a file")
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
		t.Errorf("the file has %q, %v", b, err)
	}
}

// C16
func TestNodesOverIPv6(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6:", err)
	} else {
		l.Close()
	}
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://[::1]:0"}})
	greeter(t, beta)
	alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": beta.Endpoints()[0].String()}})
	wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
}

// C85: many goroutines may send through one node, and the messages of each keep their order.
func TestManyGoroutinesSendThroughOneNode(t *testing.T) {
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}})
	alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": beta.Endpoints()[0].String()}})
	const senders, each = 64, 500
	var seen [senders]numbers
	sink, err := actor.Spawn(beta, "sink", func(c *actor.Context, m parcel) error {
		if m.To == "" {
			return c.Reply(fmt.Sprint(seen))
		}
		seen[m.Number].add(m.To)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for j := range each {
				if err := sink.Tell(alpha, parcel{Number: i, To: numbered(j)}); err != nil {
					t.Error(err)
				}
				if j%100 == i {
					alpha.Peers()
					alpha.DeadLetters()
				}
			}
		})
	}
	sending.Wait()
	var want [senders]numbers
	for i := range want {
		want[i].Good = each
	}
	if got, err := actor.As[string](sink.Ask(t.Context(), alpha, parcel{})); err != nil || got != fmt.Sprint(want) {
		t.Errorf("there came %s, %v", got, err)
	}
}

func TestFileAndPortAreGoneAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sock")
	n := start(t, Config{Listen: []string{"ipc://" + path, "tcp://127.0.0.1:0"}})
	n.Close(t.Context())
	if _, err := net.Dial("unix", path); err == nil {
		t.Error("the file still works")
	}
	if _, err := net.Dial("tcp", n.Endpoints()[1].Address); err == nil {
		t.Error("the port is still open")
	}
}
