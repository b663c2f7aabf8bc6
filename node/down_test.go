package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// peerEvents counts what a node tells of its peers.
func peerEvents(t *testing.T, n *Node) (ups, downs *int) {
	t.Helper()
	ups, downs = new(int), new(int)
	_, err := actor.Subscribe(n, func(e actor.Event) {
		switch e.(type) {
		case actor.PeerUp:
			*ups++
		case actor.PeerDown:
			*downs++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ups, downs
}

// C20: a peer that says nothing any more, without closing, is down within the time stated, and up when it is back.
func TestSilentPeerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		ups, downs := peerEvents(t, alpha)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		time.Sleep(time.Hour)
		if synctest.Wait(); *ups > 1 || *downs > 0 {
			t.Fatalf("up %d times, down %d times in a quiet hour", *ups, *downs)
		}
		was := *ups
		network.Stall("127.0.0.1:4000")
		time.Sleep(defaultDown)
		if synctest.Wait(); *downs != 1 || alpha.Peers()[0].Up || beta.Peers()[0].Up {
			t.Fatalf("down %d times after %v; %+v, %+v", *downs, defaultDown, alpha.Peers(), beta.Peers())
		}
		time.Sleep(time.Hour)
		network.Resume("127.0.0.1:4000")
		time.Sleep(20 * time.Second)
		if synctest.Wait(); *ups != was+1 || *downs != 1 || !alpha.Peers()[0].Up {
			t.Fatalf("up %d times, down %d times; %+v", *ups, *downs, alpha.Peers())
		}
		wantReply(t, alpha, to("greeter@beta"), "y", "hi y from beta")
	})
}

// A cut that heals soon is nobody's business.
func TestShortCutIsNoEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		ups, downs := peerEvents(t, alpha)
		for range 10 {
			network.Cut("127.0.0.1:4000")
			time.Sleep(time.Second)
		}
		if synctest.Wait(); *ups != 0 || *downs != 0 {
			t.Errorf("up %d times, down %d times", *ups, *downs)
		}
	})
}

func TestPeerThatNeverCameIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: memnet.New()})
		_, downs := peerEvents(t, alpha)
		time.Sleep(defaultDown)
		if synctest.Wait(); *downs != 1 {
			t.Errorf("down %d times after %v", *downs, defaultDown)
		}
		time.Sleep(time.Hour)
		if synctest.Wait(); *downs != 1 {
			t.Errorf("down %d times after an hour", *downs)
		}
	})
}

func TestRestartIsDownAndUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		ups, downs := peerEvents(t, alpha)
		beta.Close(t.Context())
		if synctest.Wait(); *downs != 1 {
			t.Errorf("down %d times after a Close", *downs)
		}
		start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		time.Sleep(20 * time.Second)
		if synctest.Wait(); *ups != 1 || *downs != 1 {
			t.Errorf("up %d times, down %d times after the restart", *ups, *downs)
		}
	})
}
