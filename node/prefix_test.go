package node

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// What is remembered is found for the same sender, receiver and type alone, however many come in turn.
func TestPrefixesAreOfOneKindOfTell(t *testing.T) {
	var p prefixes
	word := func(n int) string { return string(rune('a' + n)) }
	random := rand.New(rand.NewPCG(1, 1))
	found := 0
	for range 5000 {
		target, sender, typ := word(random.IntN(3)), word(random.IntN(3)), word(random.IntN(3))
		e := &actor.Envelope{Kind: actor.Tell, Target: actor.Named(target + "@beta"), Sender: actor.Named(sender + "@alpha"), Type: typ}
		header := []byte(target + sender + typ)
		switch have := p.find(e); {
		case have == nil:
			p.missing(e, header)
			clear(header) // it is the caller's
		case string(have) != string(header):
			t.Fatalf("for %s there is %s", header, have)
		default:
			found++
		}
	}
	if found == 0 {
		t.Error("nothing is ever remembered")
	}
}

// What has something of its own in its header is no plain Tell.
func TestPlainTells(t *testing.T) {
	for _, c := range []struct {
		e     actor.Envelope
		plain bool
	}{
		{actor.Envelope{Kind: actor.Tell}, true},
		{actor.Envelope{Kind: actor.Ask}, false},
		{actor.Envelope{Kind: actor.Tell, Correlation: 1}, false},
		{actor.Envelope{Kind: actor.Tell, Meta: map[string]string{"a": "b"}}, false},
	} {
		if plainTell(&c.e) != c.plain {
			t.Errorf("%+v", c.e)
		}
	}
}

// What is told to an exact PID of an incarnation that is gone reaches nobody of the next one, whatever was remembered and
// whether or not there is a link at the moment.
func TestWhatIsRememberedOfAnIncarnationIsNotUsedForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		inbox, got := collector(t, beta, "inbox", 10)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		for range 3 {
			if err := inbox.Tell(alpha, "to the first"); err != nil {
				t.Fatal(err)
			}
			wantNext(t, got, "to the first")
		}
		beta.Close(t.Context())
		beta = start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		_, got = collector(t, beta, "inbox", 10)
		time.Sleep(time.Minute)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		network.Cut("127.0.0.1:4000")
		synctest.Wait()
		if err := inbox.Tell(alpha, "to the first"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if synctest.Wait(); len(got) > 0 {
			t.Errorf("%q came to another incarnation", <-got)
		}
		if dead := alpha.DeadLetters(); dead[actor.Unreachable] != 1 || len(beta.DeadLetters()) > 0 {
			t.Errorf("dead letters %v, and %v at a node that has nothing to do with it", dead, beta.DeadLetters())
		}
	})
}
