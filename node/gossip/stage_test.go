package gossip

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/node"
)

const fast = 100 * time.Millisecond // between two probes

// player is a node that gossips, on this machine.
type player struct {
	*node.Node
	at  string // where it gossips
	log *logtest.Log
}

// enter starts a node. It has an actor "greeter" that answers with the node's name.
func enter(t *testing.T, name string, d Discovery) player {
	t.Helper()
	p := player{log: new(logtest.Log)}
	log := p.log.Logger()
	bound := make(chan string, 1)
	d.bound, d.Log = bound, log
	if d.Probe == 0 {
		d.Probe = fast
	}
	if d.Bind == "" {
		d.Bind = "127.0.0.1:0"
	}
	n, err := node.Start(t.Context(), node.Config{Name: name, Listen: []string{"tcp://127.0.0.1:0"}, Discovery: d, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		n.Close(ctx)
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.log.String())
		}
	})
	p.Node = n
	select {
	case p.at = <-bound:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s does not gossip:\n%s", name, p.log.String())
	}
	_, err = actor.Spawn(n, "greeter", func(c *actor.Context, m string) error { return c.Reply(m + " from " + name) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sees waits until the node knows those nodes and no others.
func (p player) sees(t *testing.T, want string) {
	t.Helper()
	eventually(t, p.Name()+" sees "+want, func() bool {
		var names []string
		for _, info := range p.Nodes() {
			names = append(names, info.Name)
		}
		return strings.Join(names, " ") == want
	})
}

// asks asks the greeter of another node.
func (p player) asks(t *testing.T, name string) {
	t.Helper()
	eventually(t, p.Name()+" asks "+name, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s, err := actor.As[string](actor.RefTo[string](actor.Named("greeter@"+name)).Ask(ctx, p, "hi"))
		return err == nil && s == "hi from "+name
	})
}

// info returns what p knows of a node.
func (p player) info(name string) node.Info {
	for _, info := range p.Nodes() {
		if info.Name == name {
			return info
		}
	}
	return node.Info{}
}

// eventually waits for a condition that only real time brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never happened: " + what)
		}
	}
}
