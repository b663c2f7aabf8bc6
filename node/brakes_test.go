package node

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// C36, C37: a full mailbox slows down who sends to it from another node, as it would from its own, and nobody else.
func TestFullMailboxSlowsItsSendersDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		greeter(t, beta)
		release := make(chan struct{})
		handled := 0
		busy, err := actor.Spawn(beta, "busy", func(c *actor.Context, m string) error {
			<-release
			handled++
			return nil
		}, actor.HWM(100))
		if err != nil {
			t.Fatal(err)
		}
		accepted := 0
		_, err = actor.Spawn(alpha, "sender", func(c *actor.Context, m string) error {
			switch err := busy.Tell(c, m); {
			case err == nil:
				accepted++
			case !errors.Is(err, actor.ErrFull):
				t.Error(err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			if err := to("sender@alpha").Tell(alpha, "x"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Microsecond)
		}
		synctest.Wait()
		if accepted < 100 || accepted > 200 {
			t.Errorf("%d accepted for a mailbox of 100", accepted)
		}
		began := time.Now()
		_, err = ask(alpha, busy, "y", time.Minute)
		wantErr(t, err, actor.ErrFull)
		if took := time.Since(began); took != time.Second { // from outside of an actor one waits, as at home
			t.Errorf("the ask took %v", took)
		}
		began = time.Now()
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("an ask of another actor took %v", took)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- busy.Tell(alpha, "waits for room") }()
		synctest.Wait()
		close(release)
		if err := <-waiting; err != nil {
			t.Errorf("the Tell that waited: %v", err)
		}
		if _, err := ask(alpha, busy, "z", time.Minute); !errors.Is(err, actor.ErrNoReply) {
			t.Errorf("after it was emptied: %v", err)
		}
		if handled != accepted+2 {
			t.Errorf("%d handled, %d accepted", handled, accepted+2)
		}
		for _, n := range []*Node{alpha, beta} {
			if dead := n.DeadLetters(); len(dead) > 0 {
				t.Errorf("%s has dead letters %v", n.Name(), dead)
			}
		}
	})
}

// A PAUSE holds across a cut, and a RESUME that was lost with a connection is made up for.
func TestPauseSurvivesACut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		release := make(chan struct{})
		busy, err := actor.Spawn(beta, "busy", func(c *actor.Context, m string) error {
			<-release
			return nil
		}, actor.HWM(10))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if err := busy.Tell(alpha, "x"); err != nil {
				break
			}
			synctest.Wait()
		}
		wantErr(t, busy.Tell(alpha, "x"), actor.ErrFull)
		network.Cut("127.0.0.1:4000")
		time.Sleep(time.Second)
		wantErr(t, busy.Tell(alpha, "x"), actor.ErrFull)
		network.Stall("127.0.0.1:4000")
		close(release)
		synctest.Wait()
		network.Cut("127.0.0.1:4000")
		network.Resume("127.0.0.1:4000")
		time.Sleep(20 * time.Second)
		if err := busy.Tell(alpha, "x"); err != nil {
			t.Errorf("after the RESUME was lost: %v", err)
		}
	})
}
