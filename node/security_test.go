package node

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// Who meets in the tests below, and the keys that they have.
var alphas, betas, eves = curve.NewKeyPair(), curve.NewKeyPair(), curve.NewKeyPair()

// knows returns the Security of a node that has pair and knows one other.
func knows(pair curve.KeyPair, node string, keys ...curve.Key) *Security {
	return &Security{Key: pair, Nodes: map[string][]curve.Key{node: keys}}
}

var (
	alphaSecurity = knows(alphas, "beta", betas.Public())
	betaSecurity  = knows(betas, "alpha", alphas.Public())
	listening     = []string{"tcp://127.0.0.1:4000"}
	toBeta        = map[string]string{"beta": "tcp://127.0.0.1:4000"}
)

func TestNodesWithTheRightKeysTalkWhoeverDials(t *testing.T) {
	for name, ends := range map[string][2]Config{
		"alpha": {{Peers: toBeta}, {Listen: listening}},
		"beta":  {{Listen: listening}, {Peers: map[string]string{"alpha": "tcp://127.0.0.1:4000"}}},
		"both":  {{Peers: toBeta, Listen: []string{"tcp://127.0.0.1:4001"}}, {Listen: listening, Peers: map[string]string{"alpha": "tcp://127.0.0.1:4001"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				a, b := ends[0], ends[1]
				a.Name, a.Security, a.Network = "alpha", alphaSecurity, network
				b.Name, b.Security, b.Network = "beta", betaSecurity, network
				alpha, beta := start(t, a), start(t, b)
				synctest.Wait()
				time.Sleep(time.Second)
				greeter(t, alpha)
				greeter(t, beta)
				wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
				wantReply(t, beta, to("greeter@alpha"), "y", "hi y from alpha")
				large := strings.Repeat("z", 1<<20)
				wantReply(t, alpha, to("greeter@beta"), large, "hi "+large+" from beta")
			})
		})
	}
}

// C82: whoever has not the right keys is refused before any message, and so is one that has them for another name.
func TestWhoHasNotTheKeysIsRefused(t *testing.T) {
	for _, c := range []struct {
		what        string
		dials       *Security
		as          string
		listens     *Security
		dialSays    string
		listenerLog string
	}{
		{"wrong key", knows(eves, "beta", betas.Public()), "alpha", betaSecurity,
			"does not let in our key, " + eves.Public().String(), "client with key " + eves.Public().String() + ` turned away: node: that is no key of node \"alpha\"`},
		{"unknown node", knows(eves, "beta", betas.Public()), "eve", betaSecurity,
			"does not let in our key", `no key of node \"eve\" is known here`},
		{"key of another", alphaSecurity, "gamma", &Security{Key: betas, Nodes: map[string][]curve.Key{"alpha": {alphas.Public()}, "gamma": {eves.Public()}}},
			"does not let in our key", "client with key " + alphas.Public().String() + ` turned away: node: that is no key of node \"gamma\", which it says it is`},
		{"wrong key of the listener", knows(alphas, "beta", eves.Public()), "alpha", betaSecurity,
			"perhaps because its key is not ServerKey", "the client does not know our key"},
		{"plain to CURVE", nil, "alpha", betaSecurity, `peer's security mechanism is \"CURVE\", ours \"NULL\"`, `peer's security mechanism is \"NULL\", ours \"CURVE\"`},
		{"CURVE to plain", alphaSecurity, "alpha", nil, `peer's security mechanism is \"NULL\", ours \"CURVE\"`, `peer's security mechanism is \"CURVE\", ours \"NULL\"`},
		{"one that does not know its own mind", &Security{Key: alphas, Others: func(string) []curve.Key { return []curve.Key{betas.Public()} }}, "alpha",
			&Security{Key: betas, Others: func(string) []curve.Key { panic("oh no") }}, "does not let in our key", "panic in Security.Others: oh no"},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network, ours, theirs := memnet.New(), new(logtest.Log), new(logtest.Log)
				beta := start(t, Config{Name: "beta", Listen: listening, Network: network, Security: c.listens, Log: theirs.Logger()})
				_, got := collector(t, beta, "inbox", 1)
				alpha := start(t, Config{Name: c.as, Peers: toBeta, Network: network, Security: c.dials, Log: ours.Logger()})
				if err := to("inbox@beta").Tell(alpha, "psst"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(30 * time.Second)
				if len(got) > 0 {
					t.Error("a message was delivered")
				}
				for who, d := range map[string]*logtest.Log{"the dialler": ours, "the listener": theirs} {
					if d.Lines("link up") > 0 {
						t.Errorf("%s has a link", who)
					}
				}
				if n := ours.Lines("level=WARN") - ours.Lines("peer is down"); n != 1 || ours.Lines(c.dialSays) != 1 {
					t.Errorf("the dialler logged %d warnings, want one with %s:\n%s", n, c.dialSays, ours.String())
				}
				if n := theirs.Lines("level=WARN"); n != 1 || theirs.Lines("connection refused again") == 0 || theirs.Lines(c.listenerLog) < 2 {
					t.Errorf("the listener logged %d warnings, want one with %s:\n%s", n, c.listenerLog, theirs.String())
				}
			})
		})
	}
}

// dialSecurely is dialBeta with a mechanism and an identity.
func dialSecurely(t *testing.T, network *memnet.Network, s zmtp.Security, identity string) (*foreigner, error) {
	t.Helper()
	nc, err := network.Dial(t.Context(), "tcp", "127.0.0.1:4000")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := zmtp.Open(t.Context(), nc, &zmtp.Config{Type: zmq4.Dealer, Security: s, Identity: []byte(identity)}, false)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return &foreigner{t, conn}, nil
}

// C82: the HELLO must come from the node whose key it was that let the connection in.
func TestHelloOfAnotherNodeThanTheKeysIsRefused(t *testing.T) {
	for _, security := range []*Security{nil, {Key: betas, Nodes: map[string][]curve.Key{"alpha": {alphas.Public()}, "foreign": {eves.Public()}}}} {
		synctest.Test(t, func(t *testing.T) {
			network, d := memnet.New(), new(logtest.Log)
			start(t, Config{Name: "beta", Listen: listening, Network: network, Security: security, Log: d.Logger()})
			var client zmtp.Security
			if security != nil {
				client = curve.Client{Key: alphas, ServerKey: betas.Public()}
			}
			f, err := dialSecurely(t, network, client, "alpha")
			if err != nil {
				t.Fatal(err)
			}
			f.send(&header{kind: kindHello}, appendHello(nil, &hello{lowest: 1, highest: 1, node: "foreign", incarnation: alphaInc})...)
			f.wantBye(byeNotAllowed)
			if d.Lines(`a node that came as \"alpha\" says HELLO as \"foreign\"`) != 1 {
				t.Errorf("the log does not say who it was:\n%s", d.String())
			}
		})
	}
}

func TestWhoHasAKeyMustSayWhoItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		start(t, Config{Name: "beta", Listen: listening, Network: network, Security: betaSecurity, Log: d.Logger()})
		for _, id := range []string{"", "no name", strings.Repeat("x", 255)} {
			if _, err := dialSecurely(t, network, curve.Client{Key: alphas, ServerKey: betas.Public()}, id); !errors.Is(err, zmtp.ErrRejected) {
				t.Errorf("identity %.10q: %v", id, err)
			}
		}
		synctest.Wait()
		if d.Lines("it does not say which node it is") != 2 {
			t.Errorf("the log does not say why:\n%s", d.String())
		}
	})
}

func TestRestartedNodeComesBackWithItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		cfg := Config{Name: "beta", Listen: listening, Network: network, Security: betaSecurity}
		beta := start(t, cfg)
		alpha := start(t, Config{Name: "alpha", Peers: toBeta, Network: network, Security: alphaSecurity})
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		beta.Close(ended())
		greeter(t, start(t, cfg))
		wantReply(t, alpha, to("greeter@beta"), "y", "hi y from beta")
	})
}

// A node that has two keys for a while is found with either, whichever of the two dials.
func TestKeysCanBeChanged(t *testing.T) {
	for _, dials := range []string{"the node that changes", "the other"} {
		t.Run(dials, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network, d := memnet.New(), new(logtest.Log)
				old, next := eves, betas
				beta := Config{Name: "beta", Network: network, Security: knows(old, "alpha", alphas.Public())}
				alpha := Config{Name: "alpha", Network: network, Security: knows(alphas, "beta", old.Public(), next.Public()), Log: d.Logger()}
				if dials == "the other" {
					alpha.Peers, beta.Listen = toBeta, listening
				} else {
					alpha.Listen, beta.Peers = listening, map[string]string{"alpha": "tcp://127.0.0.1:4000"}
				}
				a, b := start(t, alpha), start(t, beta)
				time.Sleep(10 * time.Second) // both know of each other
				greeter(t, b)
				wantReply(t, b, greeter(t, a), "x", "hi x from alpha")
				wantReply(t, a, to("greeter@beta"), "x", "hi x from beta")
				b.Close(ended())
				beta.Security = knows(next, "alpha", alphas.Public())
				b = start(t, beta)
				greeter(t, b)
				time.Sleep(10 * time.Second)
				wantReply(t, a, to("greeter@beta"), "y", "hi y from beta")
				warned := d.Lines("level=WARN")
				for range 5 { // it is known by now which key it is
					network.Cut("127.0.0.1:4000")
					time.Sleep(10 * time.Second)
					wantReply(t, a, to("greeter@beta"), "z", "hi z from beta")
				}
				if n := d.Lines("level=WARN"); n != warned {
					t.Errorf("%d more warnings:\n%s", n-warned, d.String())
				}
			})
		})
	}
}

func TestNodesMayShareOnePair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		shared := &Security{Key: eves, Others: func(string) []curve.Key { return []curve.Key{eves.Public()} }}
		beta := start(t, Config{Name: "beta", Listen: listening, Network: network, Security: shared})
		greeter(t, beta)
		for _, name := range []string{"alpha", "gamma"} {
			n := start(t, Config{Name: name, Peers: toBeta, Network: network, Security: shared})
			wantReply(t, n, to("greeter@beta"), name, "hi "+name+" from beta")
		}
	})
}

// What goes over inproc is never encrypted: nodes with keys and without meet there.
func TestLinksInsideTheProcessNeedNoKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"inproc://beta"}, Network: network, Security: betaSecurity})
		greeter(t, beta)
		for _, cfg := range []Config{{Name: "gamma"}, {Name: "alpha", Security: alphaSecurity}} {
			cfg.Network, cfg.Peers = network, map[string]string{"beta": "inproc://beta"}
			wantReply(t, start(t, cfg), to("greeter@beta"), "x", "hi x from beta")
		}
	})
}

func TestSecurityRefusals(t *testing.T) {
	far, near := []string{"tcp://*:4000"}, []string{"tcp://127.0.0.1:4000"}
	for name, c := range map[string]struct {
		cfg  Config
		says string
	}{
		"plain listener":   {Config{Listen: far}, "set Config.Security, or Config.Insecure"},
		"plain peer":       {Config{Peers: map[string]string{"beta": "tcp://10.0.0.1:4000"}}, "set Config.Security, or Config.Insecure"},
		"plain peer, name": {Config{Peers: map[string]string{"beta": "tcp://beta.example:4000"}}, "set Config.Security, or Config.Insecure"},
		"no key":           {Config{Listen: near, Security: &Security{Nodes: betaSecurity.Nodes}}, "Security.Key is not set"},
		"nobody known":     {Config{Listen: near, Security: &Security{Key: betas}}, "neither Nodes nor Others"},
		"peer without key": {Config{Peers: map[string]string{"gamma": "tcp://127.0.0.1:4000"}, Security: alphaSecurity}, `no key of node "gamma" is known here: it belongs in Config.Security.Nodes`},
		"empty key":        {Config{Listen: near, Security: knows(betas, "alpha", curve.Key{})}, `a key of node "alpha" in Config.Security is empty`},
		"empty list":       {Config{Listen: near, Security: knows(betas, "alpha")}, `no key of node "alpha"`},
		"bad name":         {Config{Listen: near, Security: knows(betas, "al pha", alphas.Public())}, `"al pha"`},
		"both":             {Config{Listen: near, Security: betaSecurity, Insecure: true}, "so is Insecure"},
	} {
		n, err := Start(t.Context(), c.cfg)
		if err == nil {
			n.Close(ended())
		}
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %s", name, err, c.says)
		}
	}
}

// An empty key, whose secret one everybody can have, lets nobody in, though a function returns it by mistake.
func TestEmptyKeyIsNoKey(t *testing.T) {
	s := &Security{Key: betas, Others: func(string) []curve.Key { return []curve.Key{{}} }}
	if err := s.allow(t.Context(), curve.Claim{Identity: []byte("eve")}); err == nil {
		t.Error("let in")
	}
	if err := (&dialling{security: s, node: "eve", turn: -1}).Check(); err == nil {
		t.Error("dialled")
	}
}

// C82: nothing can be told to a node that its program has not spawned.
func TestNodeHasNoActorsOfItsOwn(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		f.greet()
		for n, target := range []address{{}, {form: byID}, {form: byID, id: 1}, {form: byID, id: 1 << 32}, {form: byName, name: "/"},
			{form: byName, name: "system"}, {form: byName, name: "node"}, {form: whole, node: "beta", incarnation: beta.Incarnation()}} {
			f.send(&header{kind: kindAsk, seq: uint64(1 + n), target: target, sender: address{form: byID, id: 9}, correlation: 1, typ: "string"},
				appendStr(nil, "x")...)
			if h, _ := f.next(kindFail); h.typ != "actor.no-actor" && h.typ != "actor.name" {
				t.Errorf("%+v: %+v", target, h)
			}
		}
		var names []string
		for info := range actor.Tree(beta) {
			names = append(names, info.Name)
		}
		if len(names) != 1 || names[0] != "greeter" {
			t.Errorf("actors %q", names)
		}
	})
}
