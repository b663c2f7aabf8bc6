package node

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// C29, and more: nothing is lost, doubled or reordered by cuts, in either direction, whatever the sizes.
func TestCutsLoseNothing(t *testing.T) {
	const count = 2000
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				network.Delay(seed, 20*time.Millisecond)
				alpha, beta := pair(t, network)
				_, atBeta := collector(t, beta, "inbox", count)
				_, atAlpha := collector(t, alpha, "inbox", count)
				random := rand.New(rand.NewPCG(seed, seed))
				pads := make([]string, count) // some go by parts
				for i := range pads {
					if random.IntN(100) == 0 {
						pads[i] = strings.Repeat("x", random.IntN(3*maxFrame))
					}
				}
				tell := func(from *Node, to actor.Ref[string]) {
					for i := range count {
						for to.Tell(from, numbered(i)+pads[i]) != nil {
							time.Sleep(time.Millisecond)
						}
						if i%50 == 0 {
							time.Sleep(time.Millisecond)
						}
					}
				}
				wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
				go tell(alpha, to("inbox@beta"))
				go tell(beta, to("inbox@alpha"))
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				go func() {
					for ctx.Err() == nil {
						network.Cut("127.0.0.1:4000")
						select {
						case <-time.After(time.Duration(random.IntN(3000)) * time.Millisecond):
						case <-ctx.Done():
						}
					}
				}()
				for i := range count {
					wantNext(t, atBeta, numbered(i)+pads[i])
					wantNext(t, atAlpha, numbered(i)+pads[i])
				}
				stop()
				time.Sleep(time.Minute)
				for _, n := range []*Node{alpha, beta} {
					if dead := n.DeadLetters(); len(dead) > 0 {
						t.Errorf("%s has dead letters %v", n.Name(), dead)
					}
					for _, p := range n.Peers() {
						if p.Queued != 0 || p.Bytes != 0 || !p.Up {
							t.Errorf("%s knows %+v, with nothing left to send", n.Name(), p)
						}
					}
				}
				if len(atBeta)+len(atAlpha) > 0 {
					t.Error("something came twice")
				}
			})
		})
	}
}

// What was sent and not acknowledged is unconfirmed once its incarnation is gone, and nothing else is.
func TestUnacknowledgedIsUnconfirmedWhenTheIncarnationIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		_, got := collector(t, beta, "inbox", 10)
		ref := to("inbox@beta")
		if err := ref.Tell(alpha, "acknowledged"); err != nil {
			t.Fatal(err)
		}
		wantNext(t, got, "acknowledged")
		time.Sleep(time.Second)
		network.Stall("127.0.0.1:4000")
		for range 3 {
			if err := ref.Tell(alpha, "in the wire"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		beta.Close(ended())
		network.Cut("127.0.0.1:4000")
		network.Resume("127.0.0.1:4000")
		synctest.Wait() // or what is told next goes the same way
		beta = start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		_, got = collector(t, beta, "inbox", 10)
		if err := ref.Tell(alpha, "to the next"); err != nil {
			t.Fatal(err)
		}
		wantNext(t, got, "to the next")
		if dead := alpha.DeadLetters(); dead[actor.Unconfirmed] != 3 || len(dead) != 1 {
			t.Errorf("dead letters %v, want 3 unconfirmed", dead)
		}
	})
}

// An outage that is longer than Config.Expire makes what was in the wire unconfirmed, and what comes later is not held up.
func TestUnacknowledgedIsUnconfirmedAfterALongOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		_, got := collector(t, beta, "inbox", 10)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		time.Sleep(time.Second)
		network.Stall("127.0.0.1:4000")
		small, big := to("inbox@beta"), strings.Repeat("x", 5<<20)
		for _, m := range []string{"small", big, "behind it"} {
			if err := small.Tell(alpha, m); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(defaultExpire + time.Minute)
		if dead := alpha.DeadLetters(); dead[actor.Unconfirmed] != 2 || dead[actor.Expired] != 1 {
			t.Fatalf("dead letters %v, want 2 unconfirmed and 1 expired", dead)
		}
		network.Resume("127.0.0.1:4000")
		for i := range 5 {
			if err := small.Tell(alpha, numbered(i)); err != nil {
				t.Fatal(err)
			}
			wantNext(t, got, numbered(i))
		}
		if n := len(beta.peers.get("alpha").parts.open); n != 0 {
			t.Errorf("beta keeps parts of %d messages that will not come", n)
		}
		if p := alpha.Peers()[0]; p.Queued != 0 || p.Bytes != 0 {
			time.Sleep(time.Second)
			if p = alpha.Peers()[0]; p.Queued != 0 || p.Bytes != 0 {
				t.Errorf("alpha still has %+v", p)
			}
		}
	})
}

// C50
func TestCloseWaitsUntilAllIsAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		_, got := collector(t, beta, "inbox", 10)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		network.Stall("127.0.0.1:4000")
		if err := to("inbox@beta").Tell(alpha, "last words"); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Second)
			network.Cut("127.0.0.1:4000") // written, not arrived
			network.Resume("127.0.0.1:4000")
		}()
		alpha.Close(t.Context())
		wantNext(t, got, "last words")
		if dead := alpha.DeadLetters(); len(dead) > 0 {
			t.Errorf("dead letters %v", dead)
		}
	})
}
