package node

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
)

// What the tests have their nodes do.

var errStage = errors.New("stage: the door is locked")

// meet has a PID travel in a message.
type meet struct {
	Who  actor.Ref[string]
	Text string
}

// start starts a node that ends with the test. Its log is shown if the test fails.
func start(t *testing.T, cfg Config) *Node {
	t.Helper()
	d := new(logtest.Log)
	if cfg.Log == nil {
		cfg.Log = d.Logger()
	}
	n, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n.Close(ended())
		if t.Failed() {
			t.Logf("log of %s:\n%s", n.Name(), d.String())
		}
	})
	return n
}

// pair starts alpha, which dials, and beta, which listens at an address of network.
func pair(t *testing.T, network *memnet.Network) (alpha, beta *Node) {
	t.Helper()
	beta = start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
	alpha = start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
	return alpha, beta
}

// greeter spawns an actor that answers "hi NAME from NODE".
func greeter(t *testing.T, n *Node) actor.Ref[string] {
	t.Helper()
	ref, err := actor.Spawn(n, "greeter", func(c *actor.Context, name string) error {
		return c.Reply("hi " + name + " from " + n.Name())
	})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// collector spawns an actor that passes on what it is told.
func collector(t *testing.T, n *Node, name string, room int) (actor.Ref[string], <-chan string) {
	t.Helper()
	got := make(chan string, room)
	ref, err := actor.Spawn(n, name, func(c *actor.Context, m string) error {
		got <- m
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ref, got
}

func to(pid string) actor.Ref[string] { return actor.RefTo[string](actor.Named(pid)) }

// ask asks within a time.
func ask(n actor.Scope, ref actor.Ref[string], m string, within time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return actor.As[string](ref.Ask(ctx, n, m))
}

func wantReply(t *testing.T, n actor.Scope, ref actor.Ref[string], m, want string) {
	t.Helper()
	if got, err := ask(n, ref, m, 10*time.Second); err != nil || got != want {
		t.Fatalf("%s answered %q, %v; want %q", ref, got, err, want)
	}
}

func wantNext(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case m := <-got:
		if m != want {
			t.Fatalf("got %q, want %q", m, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing came, want %q", want)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
}

// eventually waits for a condition that only real time brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never happened: " + what)
		}
	}
}

func numbered(i int) string { return fmt.Sprintf("m%06d", i) }
