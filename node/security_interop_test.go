package node

import (
	"fmt"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/internal/pyzmq"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// The document is enough to write a node with keys from: what the Python one needs besides are four options of its socket.
func TestNodeInAnotherLanguageWithKeys(t *testing.T) {
	pyzmq.Command(t, "") // skips if there is none
	theirs := curve.NewKeyPair()
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}, Security: knows(betas, "py", theirs.Public())})
	greeter(t, beta)
	_, got := collector(t, beta, "inbox", 1)
	const connect = "socket.connect("
	options := fmt.Sprintf("socket.identity = b'py'\nsocket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = b%q, b%q, b%q\n",
		theirs.Public(), theirs.Secret(), betas.Public())
	peer := pyzmq.Command(t, strings.Replace(peerScript, connect, options+connect, 1), beta.Endpoints()[0].String())
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
