package node

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
)

// C25
func TestUnknownNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha := start(t, Config{Name: "alpha", Network: memnet.New()})
		began := time.Now()
		_, err := ask(alpha, to("x@ghost"), "boo", time.Minute)
		wantErr(t, err, actor.ErrNoNode)
		wantErr(t, to("x@ghost").Tell(alpha, "boo"), actor.ErrNoNode)
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// C35: the same errors.Is as for an actor of this node.
func TestErrorsKeepTheirIdentityOverTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		door, err := actor.Spawn(beta, "door", func(c *actor.Context, m string) error {
			switch m {
			case "refuse":
				return c.Reply(errStage)
			case "fail":
				return errors.Join(errors.New("dark inside"), errStage)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = ask(alpha, door, "refuse", time.Minute)
		wantErr(t, err, errStage)
		_, err = ask(alpha, door, "fail", time.Minute)
		wantErr(t, err, actor.ErrFailed)
		if !strings.Contains(err.Error(), "dark inside") {
			t.Errorf("the text of the handler's error is lost: %v", err)
		}
		_, err = ask(alpha, door, "", time.Minute)
		wantErr(t, err, actor.ErrNoReply)
		_, err = ask(alpha, to("nobody@beta"), "x", time.Minute)
		wantErr(t, err, actor.ErrNoActor)
		if err := actor.Stop(t.Context(), beta, door.PID()); err != nil {
			t.Fatal(err)
		}
		_, err = ask(alpha, door, "x", time.Minute)
		wantErr(t, err, actor.ErrNoActor)
	})
}

// C36: what is under way when the mailbox becomes full is let in up to as much again, and counted if it is more.
func TestFullMailboxAtTheOtherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		release := make(chan struct{})
		busy, err := actor.Spawn(beta, "busy", func(c *actor.Context, m string) error {
			<-release
			return nil
		}, actor.HWM(2))
		if err != nil {
			t.Fatal(err)
		}
		defer close(release)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		network.Stall("127.0.0.1:4000")
		for range 10 {
			if err := busy.Tell(alpha, "x"); err != nil {
				t.Fatal(err)
			}
		}
		network.Resume("127.0.0.1:4000")
		synctest.Wait()
		_, err = ask(alpha, busy, "y", time.Minute) // alpha knows
		wantErr(t, err, actor.ErrFull)
		if full := beta.DeadLetters()[actor.Full]; full != 6 {
			t.Errorf("%d dead letters %q, want 6", full, actor.Full)
		}
	})
}

// C77
func TestWhatCannotBeEncodedIsTheSendersError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, Log: d.Logger()})
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		bad := actor.RefTo[chan int](actor.Named("greeter@beta"))
		wantErr(t, bad.Tell(alpha, make(chan int)), codec.ErrEncode)
		_, err := bad.Ask(t.Context(), alpha, make(chan int))
		wantErr(t, err, codec.ErrEncode)
		large := strings.Repeat("x", 65<<20)
		wantErr(t, to("greeter@beta").Tell(alpha, large), codec.ErrLimit)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		if d.Lines("link down") != 0 {
			t.Error("the link went down")
		}
	})
}

func TestPeerThatAcceptsLessIsNotSentMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		large := strings.Repeat("x", minMaxMessage)
		if err := to("greeter@beta").Tell(alpha, large); err != nil {
			t.Fatal(err)
		}
		d := new(logtest.Log)
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, MaxMessage: minMaxMessage, Log: d.Logger()})
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		wantErr(t, to("greeter@beta").Tell(alpha, large), codec.ErrLimit)
		if alpha.DeadLetters()[TooLarge] != 1 || d.Lines("link down") != 0 {
			t.Errorf("dead letters %v, links down %d", alpha.DeadLetters(), d.Lines("link down"))
		}
	})
}

// A reply that cannot be sent is its actor's error, and the asker learns of it; nor can an error be too long to be told.
func TestAnswerThatIsTooLargeIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network, MaxMessage: minMaxMessage})
		large := strings.Repeat("ä", minMaxMessage)
		_, err := actor.Spawn(beta, "talker", func(c *actor.Context, what string) error {
			if what == "reply" {
				return c.Reply(large)
			}
			return errors.New("x" + large)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"reply", "error"} {
			_, err := ask(alpha, to("talker@beta"), what, time.Minute)
			wantErr(t, err, actor.ErrFailed)
			if n := len(err.Error()); n > 2*maxText || !utf8.ValidString(err.Error()) {
				t.Errorf("%s: an error of %d bytes", what, n)
			}
		}
	})
}

// C78
func TestUnknownTypeAtTheReceiver(t *testing.T) {
	type later struct{ X int }
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		greeter(t, beta)
		ref := actor.RefTo[later](actor.Named("greeter@beta"))
		if err := ref.Tell(alpha, later{1}); err != nil {
			t.Fatal(err)
		}
		_, err := ref.Ask(t.Context(), alpha, later{2})
		wantErr(t, err, actor.ErrType)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		if n := beta.DeadLetters()[actor.UnknownType]; n != 2 {
			t.Errorf("%d dead letters %q, want 2: %v", n, actor.UnknownType, beta.DeadLetters())
		}
	})
}

// C05: what was accepted for a node that is not there is queued, expired, or lost with the node's end, and counted.
func TestMessagesForANodeThatIsNotThereAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"},
			Network: network, Outbox: 100, Expire: 10 * time.Second, Wait: time.Second})
		ref, accepted := to("inbox@beta"), 0
		_, err := actor.Spawn(alpha, "sender", func(c *actor.Context, m string) error {
			for range 150 {
				if err := ref.Tell(c, m); err == nil {
					accepted++
				} else if !errors.Is(err, actor.ErrFull) {
					t.Error(err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := to("sender@alpha").Tell(alpha, "x"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if accepted != 100 {
			t.Fatalf("%d accepted, want 100", accepted)
		}
		began := time.Now()
		wantErr(t, ref.Tell(alpha, "one too many"), actor.ErrFull)
		if took := time.Since(began); took != time.Second {
			t.Errorf("from outside of an actor ErrFull came after %v, want 1s", took)
		}
		time.Sleep(10 * time.Second)
		if n := alpha.DeadLetters()[actor.Expired]; n != 100 {
			t.Errorf("%d expired, want 100: %v", n, alpha.DeadLetters())
		}
		for range 7 {
			if err := ref.Tell(alpha, "queued"); err != nil {
				t.Fatal(err)
			}
		}
		alpha.Close(ended())
		if n := alpha.DeadLetters()[actor.Unreachable]; n != 7 {
			t.Errorf("%d unreachable after Close, want 7: %v", n, alpha.DeadLetters())
		}
	})
}

func TestAskToANodeThatIsNotThereSaysUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: memnet.New(),
			Expire: 30 * time.Second})
		began := time.Now()
		_, err := ask(alpha, to("x@beta"), "x", 5*time.Second)
		wantErr(t, err, actor.ErrUnreachable)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		began = time.Now()
		_, err = to("x@beta").Ask(t.Context(), alpha, "without a deadline")
		wantErr(t, err, actor.ErrUnreachable)
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("without a deadline it took %v, want 30s", took)
		}
	})
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		network.Delay(1, 100*time.Millisecond)
		alpha, beta := pair(t, network)
		const count = 3000
		_, got := collector(t, beta, "inbox", count)
		for i := range count {
			if err := to("inbox@beta").Tell(alpha, numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := alpha.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range count {
			wantNext(t, got, numbered(i))
		}
	})
}

func TestCloseLingersNoLongerThanItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: memnet.New(),
			Linger: 2 * time.Second})
		if err := to("x@beta").Tell(alpha, "x"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		alpha.Close(t.Context())
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("Close took %v, want 2s", took)
		}
		if n := alpha.DeadLetters()[actor.Unreachable]; n != 1 {
			t.Errorf("dead letters %v, want one unreachable", alpha.DeadLetters())
		}
		if err := to("x@beta").Tell(alpha, "x"); !errors.Is(err, actor.ErrClosed) {
			t.Errorf("Tell after Close: %v", err)
		}
	})
}

func TestCloseWithAStalledPeerIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		network.Stall("127.0.0.1:4000")
		accepted := 0
		for range 2000 {
			if err := to("greeter@beta").Tell(alpha, strings.Repeat("x", 1000)); err == nil {
				accepted++
			}
		}
		began := time.Now()
		alpha.Close(t.Context())
		if took := time.Since(began); took > defaultLinger+time.Second {
			t.Errorf("Close took %v", took)
		}
		dead := alpha.DeadLetters()
		if n := dead[actor.Unreachable] + dead[actor.Unconfirmed]; n == 0 || int(n) > accepted {
			t.Errorf("dead letters %v of %d accepted", dead, accepted)
		}
		network.Resume("127.0.0.1:4000")
	})
}

// A peer that is not configured is forgotten some time after its link has ended.
func TestUnlistedPeerIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		wantReply(t, beta, greeter(t, beta), "x", "hi x from beta")
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		alpha.Close(t.Context())
		if err := to("x@alpha").Tell(beta, "until it is back"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * defaultExpire)
		wantErr(t, to("x@alpha").Tell(beta, "x"), actor.ErrNoNode)
		if n := beta.DeadLetters()[actor.Expired]; n != 1 {
			t.Errorf("dead letters %v, want one expired", beta.DeadLetters())
		}
	})
}
