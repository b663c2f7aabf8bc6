package node

import (
	"slices"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// A message of 200 MB over a real connection keeps nobody else waiting, and is no reason to
// take a peer for down.
func TestHugeMessageDelaysNoAsksOfOthers(t *testing.T) {
	const most, size = 256 << 20, 200 << 20
	beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}, MaxMessage: most, Down: quickDown})
	alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": beta.Endpoints()[0].String()}, MaxMessage: most, Down: quickDown})
	ref := greeter(t, beta)
	arrived := make(chan int, 1)
	sink, err := actor.Spawn(beta, "sink", func(c *actor.Context, m []byte) error { arrived <- len(m); return nil })
	if err != nil {
		t.Fatal(err)
	}
	wantReply(t, alpha, ref, "x", "hi x from beta")
	for _, n := range []*Node{alpha, beta} {
		sub, err := actor.Subscribe(n, func(e actor.PeerDown) { t.Errorf("%s: %+v", n.Name(), e) })
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Cancel()
	}
	if err := sink.Tell(alpha, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	var took []time.Duration
	for len(took) == 0 || len(arrived) == 0 {
		asked := time.Now()
		wantReply(t, alpha, ref, "y", "hi y from beta")
		took = append(took, time.Since(asked))
	}
	if n := <-arrived; n != size {
		t.Errorf("%d bytes arrived", n)
	}
	slices.Sort(took)
	p99, worst := took[len(took)*99/100], took[len(took)-1]
	t.Logf("it took %v, and meanwhile %d asks %v in the middle, %v at the 99th percentile and %v at most", time.Since(began), len(took),
		took[len(took)/2], p99, worst)
	if len(took) < 20 || p99 > 250*time.Millisecond {
		t.Errorf("of %d asks meanwhile one in a hundred took %v", len(took), p99)
	}
}
