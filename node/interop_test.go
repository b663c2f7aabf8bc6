package node

import (
	_ "embed"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/pyzmq"
)

// peerScript is a node in Python.
//
//go:embed testdata/peer.py
var peerScript string

// The document is enough to write a node from.
func TestNodeInAnotherLanguage(t *testing.T) {
	pyzmq.Command(t, "") // skips if there is none
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}})
	greeter(t, beta)
	_, got := collector(t, beta, "inbox", 1)
	peer := pyzmq.Command(t, peerScript, beta.Endpoints()[0].String())
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	wantNext(t, got, "hi py from beta")
	wantReply(t, beta, to("echo@py"), "who is there", "who is there?")
	beta.Close(t.Context())
	if err := peer.Wait(); err != nil {
		t.Errorf("the peer: %v", err)
	}
}

// C27: a peer whose ZeroMQ library looks for signs of life stays linked when nothing is said.
func TestForeignHeartbeatsKeepTheLink(t *testing.T) {
	pyzmq.Command(t, "") // skips if there is none
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}})
	greeter(t, beta)
	_, got := collector(t, beta, "inbox", 1)
	const connect = "socket.connect("
	options := "socket.heartbeat_ivl, socket.heartbeat_timeout = 100, 1000\n"
	peer := pyzmq.Command(t, strings.Replace(peerScript, connect, options+connect, 1), beta.Endpoints()[0].String())
	if err := peer.Start(); err != nil {
		t.Fatal(err)
	}
	wantNext(t, got, "hi py from beta")
	link := beta.peers.get("py").present()
	time.Sleep(2500 * time.Millisecond)
	if beta.peers.get("py").present() != link || len(got) > 0 {
		t.Error("the link did not last, or something came")
	}
	wantReply(t, beta, to("echo@py"), "who is there", "who is there?")
	beta.Close(t.Context())
	if err := peer.Wait(); err != nil {
		t.Errorf("the peer: %v", err)
	}
}
