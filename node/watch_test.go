package node

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/memnet"
)

type doer = actor.Ref[func(*actor.Context) error]

// does spawns an actor that does what it is told.
func does(t *testing.T, n *Node, name string, opts ...actor.Option) doer {
	t.Helper()
	ref, err := actor.Spawn(n, name, func(c *actor.Context, f func(*actor.Context) error) error { return f(c) }, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// turn has an actor do f and waits for that.
func turn(t *testing.T, n *Node, ref doer, f func(*actor.Context) error) {
	t.Helper()
	if _, err := ref.Ask(t.Context(), n, func(c *actor.Context) error { return c.Reply(f(c)) }); err != nil {
		t.Fatal(err)
	}
}

// ends counts what watchers hear, by reason.
type ends struct {
	mu    sync.Mutex
	heard map[actor.Reason]int
}

func (e *ends) watch(c *actor.Context, pids ...actor.PID) (err error) {
	for _, pid := range pids {
		err = errors.Join(err, c.Watch(pid, func(end actor.Terminated) error {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.heard == nil {
				e.heard = map[actor.Reason]int{}
			}
			if e.heard[end.Reason]++; end.PID != pid {
				return fmt.Errorf("told of %v, watched %v", end.PID, pid)
			}
			return nil
		}))
	}
	return err
}

// want waits a little and compares.
func (e *ends) want(t *testing.T, want map[actor.Reason]int) {
	t.Helper()
	time.Sleep(5 * time.Second)
	e.mu.Lock()
	defer e.mu.Unlock()
	if !maps.Equal(e.heard, want) {
		t.Fatalf("heard %v, want %v", e.heard, want)
	}
}

// C51, C52: over a link as within a node.
func TestWatchesOverALinkEndOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		network.Delay(1, 3*time.Millisecond)
		alpha, beta := pair(t, network)
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		var heard ends
		watcher := does(t, alpha, "watcher")
		var refs []doer
		for i := range 100 {
			refs = append(refs, does(t, beta, fmt.Sprint("target", i), actor.Restart(actor.Temporary)))
		}
		turn(t, alpha, watcher, func(c *actor.Context) error {
			for i, ref := range refs {
				pid := ref.PID()
				if i%2 == 0 {
					pid = actor.Named(fmt.Sprintf("target%d@beta", i))
				}
				if err := heard.watch(c, pid); err != nil {
					return err
				}
			}
			c.Unwatch(refs[99].PID())
			return heard.watch(c, actor.Named("nope@beta"), actor.ExactPID("beta", uuid.New(), 1<<32), actor.Named("x@delta"))
		})
		heard.want(t, map[actor.Reason]int{actor.NoActor: 1, actor.NodeDown: 2})
		for i, ref := range refs {
			var err error
			if i < 25 || i == 99 {
				err = actor.Stop(t.Context(), beta, ref.PID())
			} else if i < 50 {
				err = ref.Tell(beta, func(*actor.Context) error { return errStage })
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		heard.want(t, map[actor.Reason]int{actor.NoActor: 1, actor.NodeDown: 2, actor.Stopped: 25, actor.Failed: 25})
		alpha.system.NodeDown("beta", beta.Incarnation())
		heard.want(t, map[actor.Reason]int{actor.NoActor: 1, actor.NodeDown: 51, actor.Stopped: 25, actor.Failed: 25})
	})
}

// An orderly Close of a node stops its actors first, and that is what those hear who watch them.
func TestWatchersHearOfStopsWhenANodeCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		var heard ends
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		turn(t, alpha, does(t, alpha, ""), func(c *actor.Context) error { return heard.watch(c, actor.Named("greeter@beta")) })
		time.Sleep(time.Second)
		if err := beta.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		heard.want(t, map[actor.Reason]int{actor.Stopped: 1})
	})
}

// TERMINATED comes behind what the target has sent, however that is written.
func TestTerminatedComesBehindTheLastMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		network.Delay(7, 3*time.Millisecond)
		alpha, beta := pair(t, network)
		const count = 2000
		got, done := 0, make(chan int, 1)
		watcher, err := actor.Spawn(alpha, "watcher", func(c *actor.Context, m string) error {
			if m == "watch" {
				return c.Watch(actor.Named("target@beta"), func(actor.Terminated) error { done <- got; return nil })
			}
			got++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		target := does(t, beta, "target")
		if err := watcher.Tell(alpha, "watch"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		turn(t, beta, target, func(c *actor.Context) error {
			for i := range count {
				if err := watcher.Tell(c, numbered(i)); err != nil {
					return err
				}
			}
			c.Stop()
			return nil
		})
		if n := <-done; n != count {
			t.Fatalf("terminated after %d of %d messages", n, count)
		}
	})
}

func TestALinkOverALinkIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		for _, failing := range []*Node{alpha, beta} {
			a, b := does(t, alpha, "a", actor.Restart(actor.Temporary)), does(t, beta, "b", actor.Restart(actor.Temporary))
			turn(t, alpha, a, func(c *actor.Context) error { return c.Link(b.PID()) })
			time.Sleep(time.Second)
			ref := map[*Node]doer{alpha: a, beta: b}[failing]
			if err := ref.Tell(failing, func(*actor.Context) error { return errStage }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			wantErr(t, a.Tell(alpha, nil), actor.ErrNoActor)
			wantErr(t, b.Tell(beta, nil), actor.ErrNoActor)
		}
	})
}

// What a peer says of the runtime's own kinds, it says for itself alone, and is answered itself.
func TestAPeerWatchesForItselfAlone(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: beta.cfg.Network})
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		f.greet()
		for i, sender := range []address{{}, {form: byID, id: 9}, {form: byName, name: "x"}, {form: whole, node: "foreign", incarnation: betaInc, id: 9},
			{form: whole, node: "alpha", incarnation: alpha.Incarnation(), id: 1}} {
			f.send(&header{kind: kindWatch, seq: uint64(1 + i), target: address{form: byName, name: "greeter"}, sender: sender, correlation: uint64(1 + i)})
		}
		f.send(&header{kind: kindWatch, seq: 6, target: address{form: byName, name: "no name"}, sender: address{form: byID, id: 9}, correlation: 6})
		if h, _ := f.next(kindTerminated); h.correlation != 6 || h.typ != "no such actor" || h.target != (address{form: byID, id: 9}) {
			t.Errorf("answered with %+v", h)
		}
		if err := actor.Stop(t.Context(), beta, actor.Named("greeter@beta")); err != nil {
			t.Fatal(err)
		}
		sum := uint64(0)
		for range 5 {
			h, _ := f.next(kindTerminated)
			if sum += h.correlation; h.typ != "stopped" || h.seq == 0 {
				t.Errorf("told %+v", h)
			}
		}
		if sum != 1+2+3+4+5 {
			t.Error("a watch was told twice, or not at all")
		}
	})
}

// An implementation in another language starts an actor here, asks it, and stops it.
func TestForeignPeerSpawnsAsksAndStops(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		hosts(t, beta)
		f.greet()
		me := address{form: byID, id: 9}
		arg := append(appendStr(appendMap(nil, 1), "Text"), appendStr(nil, "welcome")...)
		f.send(&header{kind: kindSpawn, seq: 1, target: address{form: byName, name: "doorman"}, sender: me, correlation: 1,
			typ: codec.TypeName(reflect.TypeFor[meet]()), meta: map[string]string{"kind": "host"}}, arg...)
		h, body := f.next(kindSpawned)
		var pid actor.PID
		if err := codec.Msgpack.Decode(body, &pid); err != nil || pid.Node() != "beta" || h.correlation != 1 || h.target != me || h.typ != "actor.PID" {
			t.Fatalf("%+v %v %v", h, pid, err)
		}
		f.send(&header{kind: kindSpawn, seq: 2, sender: me, correlation: 2})
		if h, _ := f.next(kindFail); h.correlation != 2 || h.typ != "actor.no-kind" {
			t.Errorf("answered with %+v", h)
		}
		f.send(&header{kind: kindWatch, seq: 3, target: address{form: byID, id: pid.ID()}, sender: me, correlation: 3})
		f.send(&header{kind: kindStop, seq: 4, sender: me, correlation: 1})
		if h, _ := f.next(kindTerminated); h.correlation != 3 || h.typ != "stopped" {
			t.Errorf("told %+v", h)
		}
	})
}
