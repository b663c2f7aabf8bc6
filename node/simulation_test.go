package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// The simulation: nodes that talk all the time on a network that fails in every ordinary way, by seed and in simulated
// time, and what must be true of it in the end.

// parcel is what they tell each other.
type parcel struct {
	From   string // node and run of it
	To     string // node
	Number int    // rises, for a From and a To
	Pad    string
}

// world is the simulation's state. Its nodes are named n0, n1 and so on; each dials some with a lower number.
type world struct {
	t       *testing.T
	network *memnet.Network
	random  *rand.Rand
	peers   [][]int // of each node, those that it knows
	dials   [][]int

	mu       sync.Mutex
	nodes    []*Node
	runs     []int
	all      []*Node // also those that have ended
	accepted int
	handled  int
	last     map[[2]string]int // number handled last, by From and who handled it
	asked    int
	answered map[bool]int
	over     bool // nothing is disturbed any more
	watchers []*watcher
}

func newWorld(t *testing.T, seed uint64, count, degree int) *world {
	w := &world{t: t, network: memnet.New(), random: rand.New(rand.NewPCG(seed, 1)), last: make(map[[2]string]int),
		nodes: make([]*Node, count), runs: make([]int, count), peers: make([][]int, count), dials: make([][]int, count),
		answered: make(map[bool]int), watchers: make([]*watcher, count)}
	w.network.Delay(seed, 20*time.Millisecond)
	for i := 1; i < count; i++ {
		for _, j := range w.random.Perm(i)[:min(i, degree)] {
			w.dials[i] = append(w.dials[i], j)
			w.peers[i] = append(w.peers[i], j)
			w.peers[j] = append(w.peers[j], i)
		}
	}
	for i := range count {
		w.start(i)
	}
	return w
}

func place(i int) string { return fmt.Sprintf("127.0.0.1:%d", 4000+i) }

// start starts a node, or starts it again.
func (w *world) start(i int) {
	w.t.Helper()
	cfg := Config{Name: fmt.Sprintf("n%d", i), Network: w.network, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Listen: []string{"tcp://" + place(i)}, Peers: make(map[string]string)}
	for _, j := range w.dials[i] {
		cfg.Peers[fmt.Sprintf("n%d", j)] = "tcp://" + place(j)
	}
	n, err := Start(w.t.Context(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.runs[i]++
	me := fmt.Sprintf("%s.%d", cfg.Name, w.runs[i])
	w.nodes[i] = n
	w.all = append(w.all, n)
	w.mu.Unlock()
	_, err = actor.Spawn(n, "inbox", func(c *actor.Context, p parcel) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		key := [2]string{p.From, me}
		if p.To != cfg.Name || p.Number <= w.last[key] {
			w.t.Errorf("%s got number %d of %s for %s after %d", me, p.Number, p.From, p.To, w.last[key])
		}
		w.last[key] = p.Number
		w.handled++
		return nil
	})
	if err == nil {
		_, err = actor.Spawn(n, "echo", func(c *actor.Context, m string) error { return c.Reply(m) })
	}
	if err == nil {
		err = w.sender(n, i, me)
	}
	if err == nil {
		k := &watcher{w, i, make(map[string]int)}
		w.mu.Lock()
		w.watchers[i] = k
		w.mu.Unlock()
		_, err = actor.SpawnNew(n, "watcher", func() *watcher { return k })
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// sender spawns an actor that sends to one peer after another until its node ends.
func (w *world) sender(n *Node, i int, me string) error {
	random := rand.New(rand.NewPCG(uint64(i), uint64(len(me))))
	every := 20 * time.Millisecond * time.Duration(max(1, len(w.nodes)/10)) // so many nodes, so many messages
	numbers := make(map[int]int)
	ref, err := actor.Spawn(n, "sender", func(c *actor.Context, m string) error {
		j := w.peers[i][random.IntN(len(w.peers[i]))]
		numbers[j]++
		p := parcel{me, fmt.Sprintf("n%d", j), numbers[j], ""}
		if random.IntN(200) == 0 {
			p.Pad = strings.Repeat("x", random.IntN(3*maxFrame))
		}
		if actor.RefTo[parcel](actor.Named("inbox@"+p.To)).Tell(c, p) == nil {
			w.mu.Lock()
			w.accepted++
			w.mu.Unlock()
		}
		if random.IntN(10) == 0 {
			w.ask(c, p.To, fmt.Sprintf("%s to %s %d", me, p.To, p.Number))
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = actor.SpawnNew(n, "clock", func() *clock { return &clock{ref, every} })
	return err
}

// watcher watches the inboxes of all the peers of its node, again and again: a notice is lost if in the end one does not
// hear that the inbox has stopped.
type watcher struct {
	w     *world
	i     int
	heard map[string]int // Stopped, by peer
}

func (k *watcher) Start(c *actor.Context) error {
	for _, j := range k.w.peers[k.i] {
		if err := k.watch(c, fmt.Sprintf("n%d", j)); err != nil {
			return err
		}
	}
	return nil
}

func (k *watcher) watch(c *actor.Context, peer string) error {
	open := true
	return c.Watch(actor.Named("inbox@"+peer), func(end actor.Terminated) error {
		k.w.mu.Lock()
		if !open {
			k.w.t.Errorf("n%d heard twice of the end of the inbox of %s", k.i, peer)
		}
		open = false
		over := k.w.over
		if over && end.Reason == actor.Stopped {
			k.heard[peer]++
		}
		k.w.mu.Unlock()
		if !over {
			c.After(time.Second, func() error { return k.watch(c, peer) })
		}
		return nil
	})
}

func (k *watcher) Receive(*actor.Context, string) error { return nil }

type clock struct {
	tick  actor.Ref[string]
	every time.Duration
}

func (k *clock) Start(c *actor.Context) error {
	c.Every(k.every, func() error { return k.tick.Tell(c, "") })
	return nil
}

func (k *clock) Receive(*actor.Context, string) error { return nil }

// ask asks as an actor does, without waiting and for as long as it takes.
func (w *world) ask(c *actor.Context, to, text string) {
	w.mu.Lock()
	w.asked++
	w.mu.Unlock()
	question := actor.RefTo[string](actor.Named("echo@"+to)).Begin(context.Background(), c, text)
	actor.Then(question, func(answer string, err error) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.answered[err == nil]++
		if err == nil && answer != text {
			w.t.Errorf("asked %q, answered %q", text, answer)
		}
		return nil
	})
}

// disturb does one thing to the network or to a node. It returns what.
func (w *world) disturb(kill bool, outage time.Duration) {
	i := w.random.IntN(len(w.nodes))
	switch what := w.random.IntN(10); {
	case what < 5:
		w.network.Cut(place(i))
	case what < 8 || !kill: // shorter and longer than it takes to be down
		w.network.Stall(place(i))
		time.AfterFunc(time.Duration(w.random.Int64N(int64(outage))), func() { w.network.Resume(place(i)) })
	default:
		n := w.nodes[i]
		if what == 8 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			n.Close(ctx)
		} else {
			n.Close(ended())
		}
		w.start(i)
	}
}

// quiet stops the senders, heals everything and waits until nothing is under way.
func (w *world) quiet() {
	for i, n := range w.nodes {
		w.network.Resume(place(i))
		if err := actor.Stop(w.t.Context(), n, actor.Named("clock@"+n.Name())); err != nil {
			w.t.Fatal(err)
		}
	}
	time.Sleep(3 * time.Minute)
	synctest.Wait()
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	for _, n := range w.nodes {
		if err := actor.Stop(w.t.Context(), n, actor.Named("inbox@"+n.Name())); err != nil {
			w.t.Fatal(err)
		}
	}
	time.Sleep(time.Minute)
	synctest.Wait()
}

// check sees whether the promises were kept.
func (w *world) check(lossless bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	dead, unconfirmed := 0, 0
	for _, n := range w.all {
		for reason, count := range n.DeadLetters() {
			switch reason {
			case actor.LateReply:
			case actor.Unconfirmed:
				unconfirmed += int(count)
				dead += int(count)
			default:
				dead += int(count)
			}
		}
	}
	w.t.Logf("%d accepted, %d handled, %d dead letters, %d of them unconfirmed; %d asked, %v", w.accepted, w.handled, dead,
		unconfirmed, w.asked, w.answered)
	if lossless && (dead != 0 || w.handled != w.accepted) {
		w.t.Error("something was lost although every node lived and no outage was long")
	}
	if w.handled < w.accepted-dead || w.handled > w.accepted {
		w.t.Error("something was lost and not counted")
	}
	if lossless && w.answered[true] != w.asked {
		w.t.Error("an ask has not ended")
	}
	for i, k := range w.watchers {
		for _, j := range w.peers[i] {
			if n := k.heard[fmt.Sprintf("n%d", j)]; n != 1 {
				w.t.Errorf("n%d heard %d times that the inbox of n%d has stopped", i, n, j)
			}
		}
	}
	for _, n := range w.nodes {
		for _, p := range n.Peers() {
			if !p.Up || p.Queued != 0 || p.Bytes != 0 {
				w.t.Errorf("%s knows %+v when all is quiet", n.Name(), p)
			}
		}
	}
}

func TestSimulation(t *testing.T) {
	for _, c := range []struct {
		nodes, degree, disturbances int
		kill                        bool
		outage                      time.Duration // at most
		seeds                       uint64
	}{
		{3, 2, 60, false, 2 * defaultDown, 8},
		{3, 2, 60, true, 2 * defaultDown, 8},
		{3, 2, 60, true, 3 * defaultExpire, 8},
		{10, 4, 60, true, 2 * defaultDown, 3},
		{50, 3, 30, true, 2 * defaultDown, 1},
		{200, 2, 20, true, 2 * defaultDown, 1},
	} {
		for seed := range c.seeds {
			t.Run(fmt.Sprintf("%d nodes, kill %v, outages of %v, seed %d", c.nodes, c.kill, c.outage, seed), func(t *testing.T) {
				if c.nodes > 10 && (racing || testing.Short()) {
					t.Skip("takes long")
				}
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, seed, c.nodes, c.degree)
					for range c.disturbances {
						time.Sleep(time.Duration(w.random.IntN(500)) * time.Millisecond)
						w.disturb(c.kill, c.outage)
					}
					w.quiet()
					w.check(!c.kill && c.outage < defaultExpire)
					var errs []error
					for _, n := range w.nodes {
						errs = append(errs, n.Close(t.Context()))
					}
					if err := errors.Join(errs...); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
