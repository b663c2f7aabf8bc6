package actor_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
)

// peer is a node that can't be trusted, as beta sees it.
type peer struct {
	t    *testing.T
	beta *actor.System
	self actor.PID
	sent list[actor.Envelope] // to it
}

func (p *peer) Send(e *actor.Envelope) error { p.sent.add(*e); return nil }

func hostile(t *testing.T) *peer {
	p := &peer{t: t, self: actor.ExactPID("mallory", uuid.New(), 1)}
	p.beta = start(t, actor.Config{Node: "beta", Remote: p})
	return p
}

func (p *peer) deliver(kind actor.Kind, target actor.PID, number uint64, typ string) {
	_ = p.beta.Deliver(&actor.Envelope{Kind: kind, Target: target, Sender: p.self, Correlation: number, Type: typ, Body: []byte{0xc0}})
}

func TestWhatAnotherNodeHasHereIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		target := does(t, p.beta, "target")
		for i := range uint64(actor.MaxHolds + 10) {
			p.deliver(actor.KindWatch, target.PID(), i+1, "")
		}
		p.deliver(actor.KindWatch, target.PID(), 1, "") // again
		wantFar(t, p.beta, 0, actor.MaxHolds)
		for _, e := range p.sent.all() {
			if e.Kind != actor.KindTerminated || e.Type != string(actor.Full) {
				t.Fatalf("%+v", e)
			}
		}
		if n := len(p.sent.all()); n != 10 {
			t.Fatalf("%d were refused", n)
		}
		p.deliver(actor.KindUnwatch, target.PID(), 1, "")
		p.deliver(actor.KindWatch, target.PID(), 1, "")
		p.beta.NodeDown("mallory", uuid.Nil)
		wantFar(t, p.beta, 0, 0)
	})
}

// Stops and failures from elsewhere are never refused by a mailbox, so they are counted until they are taken from it.
func TestNobodyElsewhereFillsAMailboxWithStopsAndFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		ref, gate, _ := gated(t, p.beta, "busy", actor.Restart(actor.Temporary))
		tell(t, p.beta, ref, 1)
		synctest.Wait()
		for i := range uint64(2 * actor.MaxHolds) {
			if i%2 == 0 {
				p.deliver(actor.KindLink, ref.PID(), i+1, "")
				p.deliver(actor.KindUnlink, ref.PID(), i+1, string(actor.Failed))
			} else {
				p.deliver(actor.KindWatch, ref.PID(), i+1, "")
				p.deliver(actor.KindStop, ref.PID(), i+1, "")
				p.deliver(actor.KindStop, ref.PID(), i+1, "")
				p.deliver(actor.KindUnwatch, ref.PID(), i+1, "")
			}
			if i == 1000 {
				p.beta.NodeDown("mallory", uuid.Nil)
			}
		}
		info, err := actor.Inspect(p.beta, ref.PID())
		if err != nil || info.Depth > actor.MaxHolds+2 {
			t.Fatal(info.Depth, err)
		}
		wantFar(t, p.beta, 0, actor.MaxHolds)
		close(gate)
		wantFar(t, p.beta, 0, 0)
	})
}

// Who has called off a watch, though it has asked for a stop, or has spawned an actor, is not told of its end.
func TestWhoDoesNotWatchIsToldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		adders(t, p.beta)
		ref, gate, _ := gated(t, p.beta, "x")
		tell(t, p.beta, ref, 1)
		synctest.Wait()
		p.deliver(actor.KindWatch, ref.PID(), 1, "")
		p.deliver(actor.KindStop, ref.PID(), 1, "")
		p.deliver(actor.KindUnwatch, ref.PID(), 1, "")
		close(gate)
		_ = p.beta.Deliver(&actor.Envelope{Kind: actor.KindSpawn, Sender: p.self, Correlation: 2, Type: "int", Body: []byte{1},
			Meta: map[string]string{actor.MetaKind: "adder"}})
		synctest.Wait()
		p.deliver(actor.KindStop, actor.PID{}, 2, "now")
		wantFar(t, p.beta, 0, 0)
		if got := p.sent.all(); living(p.beta) > 0 || len(got) != 1 || got[0].Kind != actor.KindSpawned {
			t.Fatalf("%+v", got)
		}
	})
}

func TestEnvelopesOfTheRuntimeThatMeanNothingAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hostile(t)
		target := does(t, p.beta, "target")
		for kind := actor.KindWatch; kind < actor.KindStop+5; kind++ {
			for _, pid := range []actor.PID{{}, target.PID(), actor.Named("x@gamma"), actor.Named("bad name")} {
				for _, from := range []actor.PID{{}, actor.Named("x@mallory"), actor.ExactPID("beta", uuid.New(), 1), p.self} {
					for _, number := range []uint64{0, 1} {
						_ = p.beta.Deliver(&actor.Envelope{Kind: kind, Target: pid, Sender: from, Correlation: number, Type: "failed", Body: []byte{0xc1}})
					}
				}
			}
		}
		synctest.Wait()
		p.beta.NodeDown("mallory", uuid.Nil)
		wantFar(t, p.beta, 0, 0)
	})
}
