package node

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

func TestZForgottenPeerNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		_, got := collector(t, alpha, "inbox", 10)
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		for i := range 3 {
			to("inbox@alpha").Tell(beta, numbered(i))
			wantNext(t, got, numbered(i))
		}
		network.Stall("127.0.0.1:4000")
		network.Cut("127.0.0.1:4000")
		time.Sleep(2 * defaultExpire)
		if beta.peers.get("alpha") != nil {
			t.Fatal("not forgotten")
		}
		network.Resume("127.0.0.1:4000")
		time.Sleep(20 * time.Second)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
	})
}

func TestZReplyTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		alpha := start(t, Config{Name: "alpha", MaxMessage: minMaxMessage, Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		actor.Spawn(beta, "big", func(c *actor.Context, m string) error { return c.Reply(strings.Repeat("x", 100_000)) })
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := actor.As[string](to("big@beta").Ask(ctx, alpha, "x"))
		t.Log(err)
		if ctx.Err() != nil {
			t.Fatal("no answer", beta.DeadLetters())
		}
	})
}
