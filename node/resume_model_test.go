package node

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// The rules of PROTOCOL.md, "Acknowledge and resume", for two nodes whose connections break after any byte, by seed.

// twosome is two nodes that tell each other numbers.
type twosome struct {
	t       *testing.T
	network *brittle
	random  *rand.Rand
	names   [2]string
	configs [2]Config

	mu       sync.Mutex
	nodes    [2]*Node
	runs     [2]int
	all      []*Node
	accepted map[string]int // by sender's run
	handled  map[string]int
	seen     map[parcel]bool
	last     map[[2]string]int
}

func (w *twosome) start(i int) {
	w.t.Helper()
	n := start(w.t, w.configs[i])
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[i] = n
	w.runs[i]++
	w.all = append(w.all, n)
	me := fmt.Sprintf("%s.%d", n.Name(), w.runs[i])
	_, err := actor.Spawn(n, "inbox", func(c *actor.Context, p parcel) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		p.Pad = ""
		if w.seen[p] {
			w.t.Errorf("%s got number %d of %s, which was handled before", me, p.Number, p.From)
		}
		w.seen[p] = true
		key := [2]string{p.From, me}
		if p.Number <= w.last[key] {
			w.t.Errorf("%s got number %d of %s after %d", me, p.Number, p.From, w.last[key])
		}
		w.last[key] = p.Number
		w.handled[p.From]++
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// talk sends from node i until stop is closed.
func (w *twosome) talk(i int, seed uint64, stop <-chan struct{}) {
	random := rand.New(rand.NewPCG(seed, uint64(i)))
	numbers := map[string]int{}
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(random.IntN(300)) * time.Millisecond):
		}
		w.mu.Lock()
		n, me := w.nodes[i], fmt.Sprintf("%s.%d", w.names[i], w.runs[i])
		w.mu.Unlock()
		for range 1 + random.IntN(4) {
			numbers[me]++
			p := parcel{From: me, To: w.names[1-i], Number: numbers[me]}
			if random.IntN(50) == 0 {
				p.Pad = strings.Repeat("x", random.IntN(3*maxFrame))
			}
			if actor.RefTo[parcel](actor.Named("inbox@"+p.To)).Tell(n, p) == nil {
				w.mu.Lock()
				w.accepted[me]++
				w.mu.Unlock()
			}
		}
	}
}

// restart ends a node, with or without a word, and starts it again.
func (w *twosome) restart(i int) {
	n := w.nodes[i]
	if w.random.IntN(2) == 0 {
		for j := range 2 {
			w.network.Stall(place(j))
		}
		n.Close(ended())
		for j := range 2 {
			w.network.Cut(place(j))
			w.network.Resume(place(j))
		}
	} else {
		n.Close(ended())
	}
	w.start(i)
}

// Nothing is handled twice or out of its order, and nothing is lost without a dead letter, whatever happens; and nothing is
// lost at all between two that live and remember each other.
func TestConnectionsThatBreakAfterAnyByte(t *testing.T) {
	seeds := uint64(25)
	if racing || testing.Short() {
		seeds = 5
	}
	for _, c := range []struct {
		name            string
		restart, forget bool
	}{{"cuts", false, false}, {"restarts", true, false}, {"forgetting", false, true}, {"restarts and forgetting", true, true}} {
		for seed := range seeds {
			t.Run(fmt.Sprintf("%s, seed %d", c.name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newTwosome(t, seed, c.forget)
					w.disturb(seed, c.restart, c.forget)
					w.check(!c.restart && !c.forget)
				})
			})
		}
	}
}

// newTwosome starts two nodes of which one dials the other, or both do.
func newTwosome(t *testing.T, seed uint64, forget bool) *twosome {
	w := &twosome{t: t, random: rand.New(rand.NewPCG(seed, 5)), names: [2]string{"alpha", "beta"},
		accepted: map[string]int{}, handled: map[string]int{}, seen: map[parcel]bool{}, last: map[[2]string]int{}}
	w.network = &brittle{Network: memnet.New(), random: rand.New(rand.NewPCG(seed, 6))}
	if w.random.IntN(2) == 0 {
		w.network.Delay(seed, 30*time.Millisecond)
	}
	who := 1 + w.random.IntN(3) // dials: a bit for each
	for i := range 2 {
		cfg := Config{Name: w.names[i], Network: w.network, Listen: []string{"tcp://" + place(i)}, Expire: time.Hour, Down: time.Second}
		if forget {
			cfg.Down, cfg.Expire = 200*time.Millisecond, []time.Duration{100 * time.Millisecond, time.Second, time.Hour}[w.random.IntN(3)]
		}
		other := "tcp://" + place(1-i)
		switch {
		case who>>i&1 == 0:
		case w.random.IntN(3) == 0: // without a name
			cfg.Discovery = Static{other}
		default:
			cfg.Peers = map[string]string{w.names[1-i]: other}
		}
		w.configs[i] = cfg
	}
	for i := range 2 {
		w.start(i)
	}
	return w
}

// disturb has them talk while their connections break, and returns when all is quiet.
func (w *twosome) disturb(seed uint64, restart, forget bool) {
	stop := make(chan struct{})
	var talking sync.WaitGroup
	for i := range 2 {
		talking.Go(func() { w.talk(i, seed, stop) })
	}
	for range 60 {
		time.Sleep(time.Duration(w.random.IntN(500)) * time.Millisecond)
		switch what := w.random.IntN(10); {
		case what < 3:
			w.network.Cut(place(w.random.IntN(2)))
		case what < 8 && forget:
			w.network.outage(time.Duration(w.random.IntN(2000))*time.Millisecond, place(0), place(1))
		case what == 9 && restart:
			w.restart(w.random.IntN(2))
		}
	}
	w.network.calm()
	close(stop)
	talking.Wait()
	for i := range 2 {
		w.network.Cut(place(i))
	}
	time.Sleep(5 * time.Minute)
	synctest.Wait()
}

func (w *twosome) check(lossless bool) {
	accepted, handled, dead, unconfirmed := 0, 0, 0, 0
	for _, n := range w.accepted {
		accepted += n
	}
	for from, n := range w.handled {
		handled += n
		if n > w.accepted[from] {
			w.t.Errorf("%d of %s handled, %d accepted", n, from, w.accepted[from])
		}
	}
	for _, n := range w.all {
		for reason, count := range n.DeadLetters() {
			dead += int(count)
			if reason == actor.Unconfirmed {
				unconfirmed += int(count)
			}
		}
	}
	w.t.Logf("%d accepted, %d handled, %d dead, %d of them unconfirmed", accepted, handled, dead, unconfirmed)
	if handled+dead < accepted {
		w.t.Errorf("something was lost and not counted: %d accepted, %d handled, %d dead", accepted, handled, dead)
	}
	if handled+dead-unconfirmed > accepted {
		w.t.Errorf("something was counted twice: %d accepted, %d handled, %d dead, %d unconfirmed", accepted, handled, dead, unconfirmed)
	}
	if lossless && (dead > 0 || handled != accepted) {
		w.t.Errorf("something was lost between two that live: %d accepted, %d handled, %d dead", accepted, handled, dead)
	}
	for _, n := range w.nodes {
		for _, p := range n.Peers() {
			if p.Queued != 0 {
				w.t.Errorf("%s knows %+v when all is quiet", n.Name(), p)
			}
		}
	}
}
