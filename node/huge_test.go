package node

import (
	"slices"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
)

// A message of 200 MB (of 40 with the race detector) over a real connection keeps nobody else waiting, and is no reason to
// take a peer for down.
func TestHugeMessageDelaysNoAsksOfOthers(t *testing.T) {
	const most = 256 << 20
	size := 200 << 20
	if racing {
		size = 40 << 20
	}
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
	most9, worst := took[len(took)*9/10], took[len(took)-1]
	t.Logf("it took %v, and meanwhile %d asks %v in the middle, nine of ten %v at most, and the worst %v", time.Since(began), len(took),
		took[len(took)/2], most9, worst)
	if len(took) < 5 || most9 > time.Second || worst > 3*time.Second { // of a machine that has other things to do as well
		t.Errorf("of %d asks meanwhile one in ten took %v, and one %v", len(took), most9, worst)
	}
}
