package node

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
)

func TestAskByNameAndByPID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		ref := greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		wantReply(t, alpha, ref, "y", "hi y from beta")
	})
}

func TestStartOrderDoesNotMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		if err := to("inbox@beta").Tell(alpha, "early"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		_, got := collector(t, beta, "inbox", 1)
		wantNext(t, got, "early")
	})
}

// C18: a node that nobody can dial is answered, and told things, over the link that it opened.
func TestNodeKnownOnlyByItsLinkIsReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		greeter(t, alpha)
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		wantReply(t, beta, to("greeter@alpha"), "y", "hi y from alpha")
	})
}

func TestPIDInAMessageWorksForReplying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		_, err := actor.Spawn(beta, "host", func(c *actor.Context, m meet) error {
			return m.Who.Tell(c, "welcome "+m.Text)
		})
		if err != nil {
			t.Fatal(err)
		}
		guest, got := collector(t, alpha, "", 1)
		if err := actor.RefTo[meet](actor.Named("host@beta")).Tell(alpha, meet{guest, "guest"}); err != nil {
			t.Fatal(err)
		}
		wantNext(t, got, "welcome guest")
	})
}

func TestMessagesOfAPairKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		network.Delay(1, 3*time.Millisecond)
		alpha, beta := pair(t, network)
		const count = 5000
		ref, got := collector(t, beta, "inbox", count)
		wantReply(t, beta, greeter(t, beta), "x", "hi x from beta")
		for i := range count {
			if err := ref.Tell(alpha, numbered(i)); err != nil {
				t.Fatal(err)
			}
			if i%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		for i := range count {
			wantNext(t, got, numbered(i))
		}
	})
}

func TestBothDialEachOtherAndShareOneLink(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			network := memnet.New()
			network.Delay(seed+1, 50*time.Millisecond)
			nodes := make([]*Node, 2)
			names := []string{"alpha", "beta"}
			d := new(logtest.Log)
			for i, name := range names {
				nodes[i] = start(t, Config{Name: name, Listen: []string{fmt.Sprintf("tcp://127.0.0.1:%d", 4000+i)}, Log: d.Logger(),
					Peers: map[string]string{names[1-i]: fmt.Sprintf("tcp://127.0.0.1:%d", 4001-i)}, Network: network})
			}
			for _, n := range nodes {
				greeter(t, n)
			}
			wantReply(t, nodes[0], to("greeter@beta"), "x", "hi x from beta")
			wantReply(t, nodes[1], to("greeter@alpha"), "y", "hi y from alpha")
			time.Sleep(10 * time.Minute)
			if up, down := d.Lines("link up"), d.Lines("link down"); up != 2 || down != 0 {
				t.Fatalf("seed %d: links went up %d times and down %d times, want 2 (one at each node) and 0\n%s", seed, up, down, d.String())
			}
			network.Cut("127.0.0.1:4000")
			network.Cut("127.0.0.1:4001")
			wantReply(t, nodes[0], to("greeter@beta"), "x", "hi x from beta")
			wantReply(t, nodes[1], to("greeter@alpha"), "y", "hi y from alpha")
		})
	}
}

// C26: the link heals by itself, in both directions, and does not fill the log meanwhile.
func TestLinkHealsAfterCutsAndAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network, Log: d.Logger()})
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		for _, n := range []*Node{alpha, beta} {
			greeter(t, n)
		}
		for range 3 {
			wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
			network.Cut("127.0.0.1:4000")
			wantReply(t, beta, to("greeter@alpha"), "y", "hi y from alpha")
			network.Cut("127.0.0.1:4000")
		}
		beta.Close(t.Context())
		before := d.Lines("level=")
		time.Sleep(time.Minute)
		if n := d.Lines("level=") - before; n > 10 {
			t.Errorf("%d log lines in a minute's outage", n)
		}
		beta = start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		time.Sleep(6 * time.Second)
		wantReply(t, beta, to("greeter@alpha"), "y", "hi y from alpha")
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
	})
}

func TestAskOverAStalledLinkEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		ref := greeter(t, beta)
		wantReply(t, alpha, ref, "x", "hi x from beta")
		network.Stall("127.0.0.1:4000")
		began := time.Now()
		_, err := ask(alpha, ref, "y", 3*time.Second)
		if took := time.Since(began); err == nil || took > 3*time.Second {
			t.Fatalf("ended after %v with %v", took, err)
		}
		network.Resume("127.0.0.1:4000")
		wantReply(t, alpha, ref, "z", "hi z from beta")
	})
}

func TestRestartEndsWhatWaitsForTheOldIncarnation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		release := make(chan struct{})
		slow, err := actor.Spawn(beta, "slow", func(c *actor.Context, m string) error {
			<-release
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 2)
		for _, ref := range []actor.Ref[string]{slow, to("slow@beta")} {
			go func() {
				_, err := ask(alpha, ref, "x", time.Minute)
				failed <- err
			}()
		}
		synctest.Wait()
		network.Stall("127.0.0.1:4000") // so that beta cannot say that it ends
		close(release)
		beta.Close(ended())
		network.Cut("127.0.0.1:4000")
		network.Resume("127.0.0.1:4000")
		beta = start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		began := time.Now()
		for range 2 {
			wantErr(t, <-failed, actor.ErrUnreachable)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the asks ended after %v", took)
		}
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		wantErr(t, slow.Tell(alpha, "to an actor that is gone"), actor.ErrUnreachable)
	})
}

func TestCloseTellsPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		quit := make(chan struct{})
		slow, err := actor.Spawn(beta, "slow", func(c *actor.Context, m string) error {
			<-quit
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error, 1)
		go func() {
			_, err := ask(alpha, slow, "x", time.Minute)
			failed <- err
		}()
		synctest.Wait()
		go func() {
			time.Sleep(time.Second)
			close(quit)
		}()
		began := time.Now()
		beta.Close(t.Context())
		if err := <-failed; err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("the ask ended after %v with %v", time.Since(began), err)
		}
		wantErr(t, slow.Tell(alpha, "y"), actor.ErrUnreachable)
	})
}

func TestNameOfALiveNodeIsNotGivenToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		at := new(logtest.Log)
		hub := start(t, Config{Name: "hub", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, Log: at.Logger()})
		dial := Config{Name: "twin", Peers: map[string]string{"hub": "tcp://127.0.0.1:4000"}, Network: network}
		first := start(t, dial)
		greeter(t, first)
		greeter(t, hub)
		wantReply(t, first, to("greeter@hub"), "x", "hi x from hub")
		dial.Log = d.Logger()
		second := start(t, dial)
		time.Sleep(time.Minute)
		_, err := ask(second, to("greeter@hub"), "x", time.Second)
		wantErr(t, err, actor.ErrUnreachable)
		if n := d.Lines("level=ERROR"); n != 1 || d.Lines("name taken") == 0 {
			t.Errorf("%d errors logged at the second node, want one about the name", n)
		}
		if n := at.Lines("level=WARN"); n != 1 {
			t.Errorf("%d warnings at the hub, want one: each time the other comes again is no news", n)
		}
		wantReply(t, hub, to("greeter@twin"), "x", "hi x from twin")
		first.Close(t.Context())
		time.Sleep(10 * time.Second)
		wantReply(t, second, to("greeter@hub"), "x", "hi x from hub")
	})
}

// A node whose host has vanished keeps its name only for as long as nobody else claims it.
func TestSilentLinkGivesUpItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		hub := start(t, Config{Name: "hub", Listen: []string{"tcp://127.0.0.1:4000", "tcp://127.0.0.1:4001"}, Network: network})
		dial := Config{Name: "twin", Peers: map[string]string{"hub": "tcp://127.0.0.1:4000"}, Network: network}
		first := start(t, dial)
		greeter(t, hub)
		wantReply(t, first, to("greeter@hub"), "x", "hi x from hub")
		network.Stall("127.0.0.1:4000")
		dial.Peers = map[string]string{"hub": "tcp://127.0.0.1:4001"}
		second := start(t, dial)
		wantReply(t, second, to("greeter@hub"), "x", "hi x from hub")
		network.Resume("127.0.0.1:4000")
	})
}

// What a node remembers of another's numbers holds also after that one has forgotten it, or met another in its place.
func TestNumbersNeverGoBack(t *testing.T) {
	told := func(t *testing.T, from *Node, got <-chan string) {
		t.Helper()
		for i := range 5 {
			if err := to("inbox@alpha").Tell(from, numbered(i)); err != nil {
				t.Fatal(err)
			}
			wantNext(t, got, numbered(i))
		}
	}
	away := func(network *memnet.Network, address string, while func()) {
		network.Stall(address)
		network.Cut(address)
		while()
		network.Resume(address)
		time.Sleep(20 * time.Second) // redialled
	}
	t.Run("forgotten", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			network := memnet.New()
			alpha, beta := pair(t, network)
			_, got := collector(t, alpha, "inbox", 10)
			time.Sleep(time.Second)
			told(t, beta, got)
			away(network, "127.0.0.1:4000", func() {
				time.Sleep(3 * defaultExpire)
				if beta.peers.get("alpha") != nil {
					t.Error("beta still knows alpha")
				}
			})
			told(t, beta, got)
		})
	})
	t.Run("replaced", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			network := memnet.New()
			beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000", "tcp://127.0.0.1:4001"}, Network: network})
			alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
			_, got := collector(t, alpha, "inbox", 10)
			time.Sleep(time.Second)
			told(t, beta, got)
			away(network, "127.0.0.1:4000", func() {
				other := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4001"}, Network: network})
				_, elsewhere := collector(t, other, "inbox", 10)
				time.Sleep(time.Second)
				told(t, beta, elsewhere)
				other.Close(t.Context())
			})
			told(t, beta, got)
		})
	})
}

func TestAnotherNodeAtTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		at := new(logtest.Log)
		start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, Log: at.Logger()})
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"gamma": "tcp://127.0.0.1:4000"}, Network: network, Log: d.Logger()})
		_, err := ask(alpha, to("greeter@gamma"), "x", time.Second)
		wantErr(t, err, actor.ErrUnreachable)
		if d.Lines(`is node \"beta\", not \"gamma\"`) == 0 {
			t.Error("the log does not say who was found")
		}
		time.Sleep(5 * time.Minute)
		if here, there := d.Lines("link refused"), at.Lines("level=WARN")+at.Lines("link "); d.Lines("link refused again") != here-1 || there != 0 {
			t.Errorf("%d refusals are logged here and %d lines there", here, there)
		}
	})
}

func TestContextOfStartDoesNotEndTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		ctx, cancel := context.WithCancel(t.Context())
		beta, err := Start(ctx, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		if err != nil {
			t.Fatal(err)
		}
		defer beta.Close(t.Context())
		cancel()
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
	})
}
