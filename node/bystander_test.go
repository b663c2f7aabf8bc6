package node

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// What becomes of the others when one peer goes away.

// C04: a process that is killed and comes back, again and again, keeps nobody from telling another node.
func TestDeathOfAPeerDoesNotDelayTellsToOthers(t *testing.T) {
	alpha := start(t, Config{Name: "alpha", Listen: []string{"tcp://127.0.0.1:0"}})
	gamma := start(t, Config{Name: "gamma", Peers: map[string]string{"alpha": alpha.Endpoints()[0].String()}})
	var handled atomic.Int64
	if _, err := actor.Spawn(gamma, "sink", func(*actor.Context, string) error { handled.Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "gamma is there", isUp(alpha, "gamma"))
	quit := make(chan struct{})
	var took []time.Duration
	var talking sync.WaitGroup
	talking.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-quit:
				return
			case <-time.After(200 * time.Microsecond):
			}
			began := time.Now()
			if err := to("sink@gamma").Tell(alpha, numbered(i)); err != nil {
				t.Error(err)
			}
			took = append(took, time.Since(began))
			to("inbox@beta").Tell(alpha, numbered(i))
		}
	})
	for range 3 {
		cmd, _ := process(t, alpha.Endpoints()[0].String())
		eventually(t, "beta is there", isUp(alpha, "beta"))
		cmd.Process.Kill()
		cmd.Wait()
		time.Sleep(300 * time.Millisecond) // of an outage
	}
	close(quit)
	talking.Wait()
	slices.Sort(took)
	if p99 := took[len(took)*99/100]; p99 > 50*time.Millisecond {
		t.Errorf("of %d tells one in a hundred took %v", len(took), p99)
	}
	eventually(t, "gamma got all", func() bool { return handled.Load() == int64(len(took)) })
}

// C06: the end of a peer is one event, and nothing to who hears others.
func TestDepartureOfAPeerIsAnEventAndNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		_, got := collector(t, beta, "inbox", 200)
		var down []string
		if _, err := actor.Subscribe(beta, func(e actor.PeerDown) { down = append(down, e.Node) }); err != nil {
			t.Fatal(err)
		}
		nodes := make(map[string]*Node)
		for _, name := range []string{"alpha", "gamma"} {
			nodes[name] = start(t, Config{Name: name, Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
			if err := to("inbox@beta").Tell(nodes[name], name); err != nil {
				t.Fatal(err)
			}
			wantNext(t, got, name)
		}
		nodes["gamma"].Close(t.Context())
		for i := range 100 {
			if err := to("inbox@beta").Tell(nodes["alpha"], numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 100 {
			wantNext(t, got, numbered(i))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(got) != 0 || !slices.Equal(down, []string{"gamma"}) {
			t.Errorf("%d more messages, and %q are down, want gamma once", len(got), down)
		}
	})
}

// C57: who hears of peers may do with the node whatever it likes.
func TestListenersMayUseTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		network.Stall("127.0.0.1:4000") // until alpha listens
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		said := make(chan string, 1)
		_, err := actor.Subscribe(alpha, func(e actor.PeerUp) {
			child := does(t, alpha, "child")
			s, err := ask(alpha, to("greeter@"+e.Node), "x", time.Second)
			if err != nil {
				t.Error(err)
			}
			if err := actor.Stop(t.Context(), alpha, child.PID()); err != nil {
				t.Error(err)
			}
			said <- s
		})
		if err != nil {
			t.Fatal(err)
		}
		network.Resume("127.0.0.1:4000")
		wantNext(t, said, "hi x from beta")
		network.Stall("127.0.0.1:4000")
		time.Sleep(2 * defaultDown)
		network.Resume("127.0.0.1:4000")
		wantNext(t, said, "hi x from beta")
	})
}
