package node

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
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
