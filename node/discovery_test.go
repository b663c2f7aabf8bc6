package node

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
)

// notices is a Discovery that passes on what the test posts.
type notices struct {
	mu     sync.Mutex
	found  func([]Info)
	calls  []time.Time
	fail   error         // of the next call
	refuse error         // of Check
	ready  chan struct{} // if set, closed when Discover runs
}

func (d *notices) Check(Info) error { return d.refuse }

func (d *notices) Discover(ctx context.Context, _ func() Info, found func([]Info)) error {
	d.mu.Lock()
	d.found, d.calls = found, append(d.calls, time.Now())
	fail := d.fail
	d.mu.Unlock()
	if d.ready != nil {
		close(d.ready)
	}
	if fail != nil {
		return fail
	}
	<-ctx.Done()
	time.Sleep(time.Second) // to take leave
	d.mu.Lock()
	d.found = nil
	d.mu.Unlock()
	return nil
}

// post waits until Discover runs.
func (d *notices) post(list ...Info) {
	synctest.Wait()
	d.found(list)
}

func at(name string, endpoints ...string) Info { return Info{Name: name, Endpoints: endpoints} }

// names returns those of n.Nodes.
func names(n *Node) string {
	var list []string
	for _, info := range n.Nodes() {
		list = append(list, info.Name)
	}
	return strings.Join(list, " ")
}

func wantNames(t *testing.T, n *Node, want string) {
	t.Helper()
	if got := names(n); got != want {
		t.Errorf("nodes %q, want %q", got, want)
	}
}

// offer lets other nodes spawn actors of some kinds.
func offer(t *testing.T, n *Node, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		err := actor.RegisterKind(n, kind, func(actor.Scope, string, string) (actor.PID, error) { return actor.PID{}, errStage })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// found starts alpha with a Discovery, and beta.
func found(t *testing.T) (alpha, beta *Node, d *notices, network *memnet.Network, log *logtest.Log) {
	t.Helper()
	network, d, log = memnet.New(), new(notices), new(logtest.Log)
	beta = start(t, Config{Insecure: true, Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
	offer(t, beta, "worker")
	alpha = start(t, Config{Insecure: true, Name: "alpha", Discovery: d, Network: network, Log: log.Logger()})
	offer(t, alpha, "client")
	greeter(t, beta)
	return alpha, beta, d, network, log
}

// C26: a node that is not listed any more is not dialled again. Its link lives on until it is lost.
func TestNodeThatIsNotListedAnyMoreIsNotDialled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, _, d, network, log := found(t)
		d.post(at("beta", "tcp://127.0.0.1:4000"))
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		before := runtime.NumGoroutine()
		for range 50 { // it may come and go meanwhile
			d.post()
			time.Sleep(time.Minute)
			d.post(at("beta", "tcp://127.0.0.1:4000"))
			time.Sleep(time.Minute)
		}
		if after := runtime.NumGoroutine(); after > before+10 {
			t.Errorf("%d goroutines became %d", before, after)
		}
		d.post()
		time.Sleep(time.Hour)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		wantNames(t, alpha, "alpha beta")
		network.Cut("127.0.0.1:4000")
		synctest.Wait()
		if err := to("greeter@beta").Tell(alpha, "never sent"); err != nil {
			t.Error(err)
		}
		time.Sleep(4 * defaultExpire)
		wantErr(t, to("greeter@beta").Tell(alpha, "x"), actor.ErrNoNode)
		if n := alpha.DeadLetters()[actor.Expired]; n != 1 {
			t.Errorf("%d messages expired, want 1", n)
		}
		wantNames(t, alpha, "alpha")
		if n := log.Lines("link up"); n != 1 {
			t.Errorf("the link came up %d times", n)
		}
		d.post(at("beta", "tcp://127.0.0.1:4000"))
		wantReply(t, alpha, to("greeter@beta"), "y", "hi y from beta")
	})
}

func TestFoundNodeThatIsConfiguredIsThatPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d, log := memnet.New(), new(notices), new(logtest.Log)
		beta := start(t, Config{Insecure: true, Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		alpha := start(t, Config{Insecure: true, Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Discovery: d, Network: network, Log: log.Logger()})
		d.post(Info{Name: "beta", Kinds: []string{"worker"}})
		d.post(Info{Name: "beta", Endpoints: []string{"tcp://127.0.0.1:4009"}, Kinds: []string{"worker"}})
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		time.Sleep(time.Minute)
		if log.Lines("4009") > 0 {
			t.Error("the other endpoint was dialled")
		}
		if list := alpha.Nodes(); len(list) != 2 || !slices.Equal(list[1].Kinds, []string{"worker"}) {
			t.Errorf("nodes %+v", list)
		}
		d.post()
		time.Sleep(5 * time.Minute)
		network.Cut("127.0.0.1:4000")
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
	})
}

func TestNodesSayWhatEachCanRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta, d, _, _ := found(t)
		d.post(Info{Name: "beta", Endpoints: []string{"tcp://127.0.0.1:4000"}, Kinds: []string{"worker", "cook"}},
			Info{Name: "gamma", Kinds: []string{"porter"}}) // which nobody can dial
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		want := "[{alpha [] [client]} {beta [tcp://127.0.0.1:4000] [worker cook]} {gamma [] [porter]}]"
		if got := fmt.Sprint(alpha.Nodes()); got != want {
			t.Errorf("nodes at alpha %s, want %s", got, want)
		}
		if err := to("x@gamma").Tell(alpha, "for when it dials"); err != nil {
			t.Error(err)
		}
		want = "[{alpha [] [client]} {beta [tcp://127.0.0.1:4000] [worker]}]" // by their HELLOs
		if got := fmt.Sprint(beta.Nodes()); got != want {
			t.Errorf("nodes at beta %s, want %s", got, want)
		}
	})
}

// A HELLO has room for so many kinds, and is not spoilt by more.
func TestManyKindsDoNotSpoilHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := make([]string, 1000)
		for i := range many {
			many[i] = fmt.Sprintf("%03d%s", i, strings.Repeat("x", i%250))
		}
		network := memnet.New()
		beta := start(t, Config{Insecure: true, Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		offer(t, beta, many...)
		alpha := start(t, Config{Insecure: true, Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		if kinds := alpha.Nodes()[1].Kinds; len(kinds) != maxList {
			t.Errorf("%d kinds were told", len(kinds))
		}
	})
}

func TestDiscoveryThatEndsIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, _, d, _, log := found(t)
		d.post(at("beta", "tcp://127.0.0.1:4000"))
		d2 := &notices{fail: errors.New("no budget")}
		other := start(t, Config{Insecure: true, Name: "other", Discovery: d2, Network: memnet.New(), Log: log.Logger()})
		time.Sleep(100 * time.Second)
		d2.mu.Lock()
		defer d2.mu.Unlock()
		var waits []time.Duration
		for i := 1; i < len(d2.calls); i++ {
			waits = append(waits, d2.calls[i].Sub(d2.calls[i-1]))
		}
		if got := fmt.Sprint(waits); got != "[1s 2s 4s 8s 16s 30s 30s]" {
			t.Errorf("paused %s", got)
		}
		if n := log.Lines("no budget"); n != 1 {
			t.Errorf("%d log lines, want 1", n)
		}
		wantNames(t, other, "other")
		wantNames(t, alpha, "alpha beta")
	})
}

func TestCloseEndsDiscoveryAndWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, _, d, _, _ := found(t)
		d.post(at("beta", "tcp://127.0.0.1:4000"))
		report := d.found
		alpha.Close(t.Context())
		if d.found != nil {
			t.Error("Discover has not returned")
		}
		report([]Info{at("beta", "tcp://127.0.0.1:4000"), at("gamma", "tcp://127.0.0.1:4001")}) // heeded no more
	})
}

func TestStartFailsWhenTheDiscoveryCannotBeHonoured(t *testing.T) {
	for name, d := range map[string]Discovery{
		"own check":       &notices{refuse: ErrConfig},
		"static wildcard": Static{"tcp://*:4000"},
		"static endpoint": Static{"127.0.0.1:4000"},
		"dns name":        DNS{Port: 4000},
		"dns port":        DNS{Name: "nodes.example"},
		"dns pause":       DNS{Name: "nodes.example", Port: 4000, Every: -1},
	} {
		_, err := Start(t.Context(), Config{Discovery: d, Network: memnet.New()})
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsWrongInAListIsLeftOutWithOneWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, _, d, _, log := found(t)
		for range 3 {
			d.post(at("be ta", "tcp://127.0.0.1:4000"), at("", "127.0.0.1:4000"), at("", "tcp://*:4000"), at(""),
				at("beta", "tcp://127.0.0.1:0", "udp://127.0.0.1:4000"), at("beta", "tcp://127.0.0.1:4000"))
		}
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		wantNames(t, alpha, "alpha beta")
		if n := log.Lines("left out"); n != 5 {
			t.Errorf("%d warnings, want 5\n%s", n, log.String())
		}
		d.post(make([]Info, maxFound+1)...)
		if n := log.Lines("left out"); n != 6 {
			t.Errorf("%d warnings, want 6", n)
		}
	})
}
