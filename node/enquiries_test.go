package node

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// star starts a hub, and nodes around it that know nobody else.
func star(t *testing.T, network *memnet.Network, names ...string) (hub *Node, around []*Node) {
	t.Helper()
	hub = start(t, Config{Name: "hub", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
	for i, name := range names {
		around = append(around, start(t, Config{Name: name, Listen: []string{fmt.Sprintf("tcp://127.0.0.1:%d", 4001+i)},
			Peers: map[string]string{"hub": "tcp://127.0.0.1:4000"}, Network: network}))
	}
	time.Sleep(time.Second)
	return hub, around
}

// passes has n hand on PIDs: what its actor "door" is told goes to the actor "inbox" of another node.
func passes(t *testing.T, n *Node, to string) {
	t.Helper()
	_, err := actor.Spawn(n, "door", func(c *actor.Context, m meet) error {
		return actor.RefTo[meet](actor.Named("inbox@"+to)).Tell(c, m)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A PID works wherever it arrives, also at a node that has never heard of the actor's.
func TestPIDOfAThirdNodeWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		hub, around := star(t, network, "alpha", "gamma")
		alpha, gamma := around[0], around[1]
		passes(t, hub, "alpha")
		guest, got := collector(t, gamma, "", 100)
		met := make(chan string, 1)
		_, err := actor.Spawn(alpha, "inbox", func(c *actor.Context, m meet) error {
			for i := range 100 {
				if err := m.Who.Tell(c, numbered(i)); err != nil {
					t.Error(err)
				}
			}
			return c.Watch(m.Who.PID(), func(end actor.Terminated) error {
				met <- string(end.Reason)
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := actor.RefTo[meet](actor.Named("door@hub")).Tell(gamma, meet{guest, "gamma"}); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			wantNext(t, got, numbered(i))
		}
		if p := hub.Peers(); len(p) != 2 || p[0].Queued+p[1].Queued > 1 {
			t.Errorf("what the hub has: %+v", p)
		}
		synctest.Wait()
		if err := actor.Stop(t.Context(), gamma, guest.PID()); err != nil {
			t.Fatal(err)
		}
		wantNext(t, met, string(actor.Stopped))
		greeter(t, alpha)
		wantReply(t, gamma, to("greeter@alpha"), "x", "hi x from alpha")
	})
}

// A node that was found in this way is found again after a cut, and forgotten when it is gone for good.
func TestFoundNodeStaysFoundUntilItIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		_, around := star(t, network, "alpha", "gamma")
		alpha, gamma := around[0], around[1]
		greeter(t, gamma)
		wantReply(t, alpha, to("greeter@gamma"), "x", "hi x from gamma")
		network.Cut("127.0.0.1:4002")
		wantReply(t, alpha, to("greeter@gamma"), "y", "hi y from gamma")
		gamma.Close(t.Context())
		time.Sleep(5 * defaultExpire)
		if n := resolved(alpha); alpha.peers.get("gamma") != nil || n != 0 {
			t.Errorf("gamma is still known; %d nodes are dialled", n)
		}
		wantNoNode(t, alpha, "gamma")
	})
}

// resolved returns how many nodes n dials because peers have told where they are.
func resolved(n *Node) int {
	n.enquiries.mu.Lock()
	defer n.enquiries.mu.Unlock()
	return n.enquiries.resolved
}

// wantNoNode asks and tells an actor of a node that nobody knows.
func wantNoNode(t *testing.T, n *Node, name string) {
	t.Helper()
	before := n.DeadLetters()[actor.NoNode]
	began := time.Now()
	_, err := ask(n, to("x@"+name), "x", time.Minute)
	wantErr(t, err, actor.ErrNoNode)
	if took := time.Since(began); took > 100*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	began = time.Now()
	for n.DeadLetters()[actor.NoNode] == before || time.Since(began) == 0 {
		if err := to("y@"+name).Tell(n, "y"); err != nil {
			wantErr(t, err, actor.ErrNoNode)
			break
		}
		time.Sleep(time.Millisecond)
	}
	if n.peers.get(name) != nil {
		t.Errorf("%q is known", name)
	}
}

// C25: what is meant for a node that no peer knows is an error or a dead letter as soon as they have said so.
func TestNodeThatNobodyKnows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		_, around := star(t, network, "alpha", "gamma")
		alpha := around[0]
		if err := to("x@ghost").Tell(alpha, "boo"); err != nil {
			t.Fatal(err)
		}
		watching, reasons := does(t, alpha, "watcher"), new(ends)
		turn(t, alpha, watching, func(c *actor.Context) error { return reasons.watch(c, actor.Named("x@ghost")) })
		_, err := actor.SpawnOn(t.Context(), alpha, "other-ghost", "host", "", 1)
		wantErr(t, err, actor.ErrNoNode)
		synctest.Wait()
		if n := alpha.DeadLetters()[actor.NoNode]; n != 1 || reasons.heard[actor.NodeDown] != 1 {
			t.Errorf("dead letters %v, the watch ended %v", alpha.DeadLetters(), reasons.heard)
		}
		wantErr(t, to("x@ghost").Tell(alpha, "boo"), actor.ErrNoNode) // for a second at once
		time.Sleep(2 * unknownPause)
		wantNoNode(t, alpha, "ghost")
		late := start(t, Config{Name: "ghost", Listen: []string{"tcp://127.0.0.1:4009"}, Peers: map[string]string{"hub": "tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, late)
		time.Sleep(2 * unknownPause)
		wantReply(t, alpha, to("greeter@ghost"), "x", "hi x from ghost")
	})
}

func TestPeerThatDoesNotAnswerIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		_, around := star(t, network, "alpha")
		alpha := around[0]
		network.Stall("127.0.0.1:4000")
		began := time.Now()
		_, err := ask(alpha, to("x@ghost"), "x", time.Minute)
		wantErr(t, err, actor.ErrNoNode)
		if took := time.Since(began); took != resolveTime {
			t.Errorf("it took %v", took)
		}
		network.Resume("127.0.0.1:4000")
	})
}

// A crowd of unknown names is not passed on, and no more of it is kept than is said.
func TestNodesThatAreSoughtAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		_, around := star(t, network, "alpha")
		alpha := around[0]
		sought := func() int {
			alpha.enquiries.mu.Lock()
			defer alpha.enquiries.mu.Unlock()
			return len(alpha.enquiries.sought)
		}
		accepted := 0
		for i := range 10 * maxSought {
			if to(fmt.Sprintf("x@ghost-%d", i)).Tell(alpha, "x") == nil {
				accepted++
			}
		}
		if n := sought(); n != maxSought || accepted == 0 || accepted > maxSought { // some are answered before they can be told
			t.Errorf("%d nodes are sought, and %d messages accepted", n, accepted)
		}
		time.Sleep(time.Minute)
		if n := alpha.DeadLetters()[actor.NoNode]; int(n) != accepted || len(alpha.Peers()) != 1 || sought() != 0 {
			t.Errorf("dead letters %v, peers %+v, %d are sought", alpha.DeadLetters(), alpha.Peers(), sought())
		}
	})
}

// knower is a peer of beta that speaks by hand and says that it can be asked.
func knower(f *foreigner, name string) *foreigner {
	f.t.Helper()
	f.send(&header{kind: kindHello}, appendHello(nil, &hello{lowest: 1, highest: 1, node: name, incarnation: alphaInc, features: []string{featureResolve}})...)
	f.next(kindHello)
	f.send(&header{kind: kindPing})
	f.next(kindAck)
	return f
}

func (f *foreigner) wantResolve(node string) uint64 {
	f.t.Helper()
	h, body := f.next(kindResolve)
	if name, err := readResolve(body); name != node || err != nil || h.correlation == 0 {
		f.t.Fatalf("RESOLVE %+v of %q, %v", h, name, err)
	}
	return h.correlation
}

func (f *foreigner) knows(seq, number uint64, p whereabouts) {
	f.t.Helper()
	frame := appendWhereabouts(nil, number, &p)
	frame[seqAt+8] = byte(seq)
	f.raw(frame)
}

func TestForeignPeerIsAskedAndAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		gamma := start(t, Config{Name: "gamma", Listen: []string{"tcp://127.0.0.1:4001"}, Network: network})
		greeter(t, gamma)
		f := knower(dialBeta(t, network), "foreign")
		go func() {
			number := f.wantResolve("gamma")
			f.knows(1, number+1, whereabouts{node: "gamma", endpoints: []string{"tcp://127.0.0.1:4009"}}) // of another question
			f.knows(2, number, whereabouts{node: "gamma", incarnation: gamma.Incarnation(), endpoints: []string{"junk", "tcp://*:1",
				"tcp://10.0.0.1:4001", "tcp://127.0.0.1:4001"}})
			f.send(&header{kind: kindResolve, seq: 3, correlation: 7}, appendStr(nil, "beta")...)
			f.send(&header{kind: kindResolve, seq: 4, correlation: 8}, appendStr(nil, "nobody")...)
		}()
		wantReply(t, beta, to("greeter@gamma"), "x", "hi x from gamma")
		for _, want := range []whereabouts{{"beta", beta.Incarnation(), []string{"tcp://127.0.0.1:4000"}}, {"nobody", [16]byte{}, nil}} {
			h, body := f.next(kindNodeInfo)
			if p, err := readWhereabouts(body); err != nil || p.node != want.node || p.incarnation != want.incarnation || !slices.Equal(p.endpoints, want.endpoints) {
				t.Errorf("answered %+v, %v to %d, want %+v", p, err, h.correlation, want)
			}
		}
	})
}

// No answer changes what is known of a node, and none leads to where a Discovery could not.
func TestFalseAnswersLeadNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		keys := map[string]curve.KeyPair{"beta": curve.NewKeyPair(), "gamma": curve.NewKeyPair(), "false": curve.NewKeyPair()}
		trust := func(me string, others ...string) *Security {
			s := &Security{Key: keys[me], Nodes: map[string][]curve.Key{}}
			for _, other := range others {
				s.Nodes[other] = []curve.Key{keys[other].Public()}
			}
			return s
		}
		for i, name := range []string{"gamma", "false"} {
			cfg := Config{Name: "gamma", Listen: []string{fmt.Sprintf("tcp://127.0.0.1:%d", 4001+i)}, Network: network, Security: trust(name, "beta")}
			greeter(t, start(t, cfg))
		}
		beta := start(t, Config{Name: "beta", Listen: []string{"inproc://beta", "tcp://127.0.0.1:4000"}, Network: network, Security: trust("beta", "gamma"), Log: d.Logger()})
		f := knower(dialAt(t, network, "inproc", "beta"), "foreign")
		wrong := whereabouts{node: "gamma", endpoints: []string{"tcp://127.0.0.1:4002"}}
		f.knows(1, 1, wrong) // not asked
		told := make(chan error, 1)
		go func() {
			_, err := ask(beta, to("greeter@gamma"), "x", 3*time.Second)
			told <- err
		}()
		f.knows(2, f.wantResolve("gamma"), wrong)
		wantErr(t, <-told, actor.ErrUnreachable) // who is there has not the key
		if d.Lines("link up") != 1 {             // with the foreigner
			t.Error("there was a link with the wrong one")
		}
		_ = to("greeter@stranger").Tell(beta, "x")
		f.knows(3, f.wantResolve("stranger"), whereabouts{node: "stranger", endpoints: []string{"tcp://127.0.0.1:4002"}})
		synctest.Wait()
		if n := beta.DeadLetters()[actor.NoNode]; n != 1 {
			t.Errorf("a node without a key here was dialled: %v", beta.DeadLetters())
		}
	})
}

func TestTrueAnswerBeatsFalseOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		hub := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, start(t, Config{Name: "wrong", Listen: []string{"tcp://127.0.0.1:4002"}, Network: network}))
		gamma := start(t, Config{Name: "gamma", Listen: []string{"tcp://127.0.0.1:4001"}, Network: network})
		ref := greeter(t, gamma)
		liar, honest := knower(dialBeta(t, network), "liar"), knower(dialBeta(t, network), "honest")
		done := make(chan struct{})
		go func() {
			defer close(done)
			liar.knows(1, liar.wantResolve("gamma"), whereabouts{node: "gamma", endpoints: []string{"tcp://127.0.0.1:4002", "tcp://127.0.0.1:4003"}})
			honest.knows(1, honest.wantResolve("gamma"), whereabouts{node: "gamma", incarnation: gamma.Incarnation(), endpoints: gamma.hello.endpoints})
		}()
		wantReply(t, hub, ref, "x", "hi x from gamma")
		<-done
	})
}

// The Discovery, when it lists the node, has the say.
func TestDiscoveryTakesOverWhatPeersToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		d := new(notices)
		start(t, Config{Name: "hub", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		gamma := start(t, Config{Name: "gamma", Listen: []string{"tcp://127.0.0.1:4001"}, Peers: map[string]string{"hub": "tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, gamma)
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"hub": "tcp://127.0.0.1:4000"}, Network: network, Discovery: d})
		time.Sleep(time.Second)
		wantReply(t, alpha, to("greeter@gamma"), "x", "hi x from gamma")
		d.post(at("gamma", "tcp://127.0.0.1:4001"))
		network.Cut("127.0.0.1:4001")
		wantReply(t, alpha, to("greeter@gamma"), "y", "hi y from gamma")
		time.Sleep(time.Minute)
		if resolved(alpha) != 0 {
			t.Error("it is dialled twice")
		}
	})
}
