package node

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// hosts registers a kind of actors that answer with a greeting, given as the argument, and their name.
func hosts(t *testing.T, n *Node) {
	t.Helper()
	err := actor.RegisterKind(n, "host", func(in actor.Scope, name string, m meet) (actor.PID, error) {
		ref, err := actor.Spawn(in, name, func(c *actor.Context, who string) error {
			if who == "" {
				return errStage
			}
			return c.Reply(m.Text + " " + who + " from " + n.Name())
		}, actor.Restart(actor.Temporary))
		return ref.PID(), err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnActorIsSpawnedOnAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		hosts(t, beta)
		if kinds := beta.system.Kinds(); !slices.Equal(kinds, []string{"host"}) {
			t.Fatal(kinds)
		}
		for _, name := range []string{"", "doorman"} {
			pid, err := actor.SpawnOn(t.Context(), alpha, "beta", "host", name, meet{Text: "welcome"})
			if err != nil {
				t.Fatal(err)
			}
			wantReply(t, alpha, actor.RefTo[string](pid), "x", "welcome x from beta")
		}
		wantReply(t, alpha, to("doorman@beta"), "y", "welcome y from beta")
		_, err := actor.SpawnOn(t.Context(), alpha, "beta", "host", "doorman", meet{})
		wantErr(t, err, actor.ErrNameTaken)
		_, err = actor.SpawnOn(t.Context(), alpha, "beta", "guest", "", meet{})
		wantErr(t, err, actor.ErrNoKind)
		_, err = actor.SpawnOn(t.Context(), alpha, "beta", "host", "", 1)
		wantErr(t, err, actor.ErrType)
		_, err = actor.SpawnOn(t.Context(), alpha, "gamma", "host", "", 1)
		wantErr(t, err, actor.ErrNoNode)
		wantErr(t, actor.Stop(t.Context(), alpha, actor.Named("doorman@beta")), nil)
		_, err = ask(alpha, to("doorman@beta"), "z", time.Second)
		wantErr(t, err, actor.ErrNoActor)
	})
}

// C41, C42: of many that are to have one name one starts, and a name is free again of one that could not.
func TestOneOfManySpawnedFromElsewhereGetsTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		starts, fail := 0, true
		err := actor.RegisterKind(beta, "star", func(in actor.Scope, name string, _ meet) (actor.PID, error) {
			if fail {
				return actor.PID{}, errStage
			}
			ref, err := actor.Spawn(in, name, func(*actor.Context, string) error { return nil })
			if err == nil {
				starts++
			}
			return ref.PID(), err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = actor.SpawnOn(t.Context(), alpha, "beta", "star", "ada", meet{})
		wantErr(t, err, errStage)
		fail = false
		taken := make(chan error, 100)
		for range cap(taken) {
			go func() {
				_, err := actor.SpawnOn(t.Context(), alpha, "beta", "star", "ada", meet{})
				taken <- err
			}()
		}
		got := 0
		for range cap(taken) {
			if err := <-taken; err == nil {
				got++
			} else {
				wantErr(t, err, actor.ErrNameTaken)
			}
		}
		synctest.Wait()
		if got != 1 || starts != 1 {
			t.Errorf("%d were given the name, %d started", got, starts)
		}
	})
}

// A proxy's supervisor starts another actor when the one it stands for fails, or its node is lost.
func TestAProxyIsRestartedOverALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		hosts(t, beta)
		p := actor.Proxy{Node: func() string { return "beta" }, Kind: "host", Name: "doorman", Arg: meet{Text: "welcome"}}
		door, err := actor.SpawnNew(alpha, "door", func() actor.Receiver[string] { return actor.NewProxy[string](p) })
		if err != nil {
			t.Fatal(err)
		}
		wantReply(t, alpha, door, "x", "welcome x from beta")
		wantReply(t, beta, to("door@alpha"), "x", "welcome x from beta")
		for i, lose := range []func(){
			func() {
				if err := door.Tell(alpha, ""); err != nil {
					t.Fatal(err)
				}
			},
			func() { alpha.system.NodeDown("beta", beta.Incarnation()) },
			func() { beta.system.NodeDown("alpha", uuid.Nil) },
		} {
			lose()
			time.Sleep(10 * time.Second)
			wantReply(t, alpha, door, "y", "welcome y from beta")
			n := 0
			for range actor.Tree(beta) {
				n++
			}
			if n != 1 {
				t.Fatalf("%d: beta has %d actors", i, n)
			}
		}
		if err := actor.Stop(t.Context(), alpha, door.PID()); err != nil {
			t.Fatal(err)
		}
		_, err = ask(alpha, to("doorman@beta"), "z", time.Second)
		wantErr(t, err, actor.ErrNoActor)
	})
}

// A spawn that cannot be sent fails in its time, and nothing is started later.
func TestASpawnOnANodeThatIsAwayFailsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := actor.SpawnOn(ctx, alpha, "beta", "host", "", meet{})
		wantErr(t, err, actor.ErrUnreachable)
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		hosts(t, beta)
		time.Sleep(time.Minute)
		for info := range actor.Tree(beta) {
			t.Fatal("an actor was started: ", info.PID)
		}
	})
}
