package node

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// What nodes do that meet again after one of them, or both, have forgotten something.

// After an outage one node has given up messages, and the other one has forgotten it altogether: both begin anew, and what
// either sends then arrives.
func TestANodeThatHasForgottenTheOtherIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		_, atAlpha := collector(t, alpha, "inbox", 100)
		_, atBeta := collector(t, beta, "inbox", 100)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		for i := range 50 {
			if err := to("inbox@alpha").Tell(beta, numbered(i)); err != nil {
				t.Fatal(err)
			}
			wantNext(t, atAlpha, numbered(i))
		}
		time.Sleep(time.Second)
		network.Stall("127.0.0.1:4000")
		if err := to("inbox@beta").Tell(alpha, "lost"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * defaultExpire)
		if beta.peers.get("alpha") != nil || alpha.DeadLetters()[actor.Unconfirmed] != 1 {
			t.Fatal("nothing is forgotten: the test has lost its point")
		}
		network.Resume("127.0.0.1:4000")
		time.Sleep(time.Minute)
		if err := to("inbox@alpha").Tell(beta, "hello again"); err != nil {
			t.Fatal(err)
		}
		wantNext(t, atAlpha, "hello again")
		if err := to("inbox@beta").Tell(alpha, "hello to you"); err != nil {
			t.Fatal(err)
		}
		wantNext(t, atBeta, "hello to you")
	})
}

// Expire may be so short that a node which is not in Peers is forgotten before it is down: its end is heard of all the same.
func TestANodeIsDownBeforeItIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, Expire: time.Second})
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		target := does(t, alpha, "target")
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		ups, downs := peerEvents(t, beta)
		var heard ends
		turn(t, beta, does(t, beta, "watcher"), func(c *actor.Context) error { return heard.watch(c, target.PID()) })
		time.Sleep(time.Second)
		network.Stall("127.0.0.1:4000")
		time.Sleep(time.Minute)
		heard.want(t, map[actor.Reason]int{actor.NodeDown: 1})
		if synctest.Wait(); *downs != 1 || beta.peers.get("alpha") != nil {
			t.Errorf("%d ups and %d downs, the peer is %v", *ups, *downs, beta.peers.get("alpha"))
		}
		network.Resume("127.0.0.1:4000")
	})
}

// A node is restarted while something of the runtime's own waits for the incarnation that is gone: all that there was with
// that is over.
func TestWatchesEndWithTheIncarnationThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha, beta := pair(t, network)
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		one, other := does(t, beta, "one").PID(), does(t, beta, "other").PID()
		var heard ends
		watcher := does(t, alpha, "watcher")
		turn(t, alpha, watcher, func(c *actor.Context) error { return heard.watch(c, one, other) })
		time.Sleep(time.Second)
		network.Stall("127.0.0.1:4000")
		beta.Close(ended())
		network.Cut("127.0.0.1:4000")
		synctest.Wait()
		turn(t, alpha, watcher, func(c *actor.Context) error { c.Unwatch(one); return nil })
		network.Resume("127.0.0.1:4000")
		beta = start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		heard.want(t, map[actor.Reason]int{actor.NodeDown: 1})
	})
}

// Something of the runtime's own was given up at the moment in which a new link came up: the peer is not down for that.
func TestAPeerWithALinkIsUpWhateverIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
		p := alpha.peers.get("beta")
		own := item{frame: appendHeader(nil, &header{kind: kindUnwatch, correlation: 1}), expires: never}
		alpha.dropped(p, []item{own}, beta.Incarnation(), actor.Expired)
		if !alpha.Peers()[0].Up || p.unreachable() {
			t.Error("a peer with a link is down")
		}
	})
}

// A peer that says it has had more messages than there ever will be does not use up their numbers.
func TestNumbersAreNotUsedUpByAHello(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		for _, seq := range []uint64{maxSeq, maxResume} {
			liar := dialBeta(t, network)
			liar.send(&header{kind: kindHello}, appendHello(nil, &hello{lowest: 1, highest: 1, node: "foreign", incarnation: uuid.New(),
				resume: memory{true, beta.Incarnation(), seq}})...)
			if seq > maxResume {
				liar.wantBye(byeProtocol)
			} else {
				liar.next(kindHello)
				liar.conn.Close()
			}
			synctest.Wait()
			f := dialBeta(t, network)
			f.greet()
			f.send(&header{kind: kindAsk, seq: 1, target: address{form: byName, name: "greeter"}, sender: address{form: byID, id: 9},
				correlation: 77, typ: "string"}, appendStr(nil, "x")...)
			if h, _ := f.next(kindReply); h.seq > maxResume+1 {
				t.Errorf("the reply has the number %d", h.seq)
			}
			f.conn.Close()
			synctest.Wait()
		}
	})
}

// What is sent again, because its acknowledgement was lost and the HELLO was older, is acknowledged again.
func TestWhatComesAgainIsAcknowledgedAgain(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		f.greet()
		f.send(&header{kind: 200, seq: 1})
		if h, _ := f.next(kindAck); h.ack != 1 {
			t.Fatalf("acknowledged %d", h.ack)
		}
		f.send(&header{kind: 200, seq: 1})
		began := time.Now()
		if h, _ := f.next(kindAck); h.ack != 1 || time.Since(began) > 2*ackAfter {
			t.Fatalf("acknowledged %d after %v", h.ack, time.Since(began))
		}
	})
}

// The first link of two may be cut when one has it and the other not: what went over it was not handled, and goes again. If the
// other says nothing of what it has had, it may have been.
func TestACutOfTheFirstLink(t *testing.T) {
	for name, second := range map[string]memory{"nothing came": {kept: true}, "forgotten": {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
				f := dialBeta(t, network)
				f.greetAs(memory{kept: true})
				x := actor.RefTo[string](actor.Named("x@foreign"))
				asked := make(chan error, 1)
				go func() {
					_, err := x.Ask(t.Context(), beta, "ask")
					asked <- err
				}()
				f.next(kindAsk)
				if err := x.Tell(beta, "tell"); err != nil {
					t.Fatal(err)
				}
				if h, _ := f.next(kindTell); h.seq != 2 {
					t.Errorf("number %d", h.seq)
				}
				f.conn.Close()
				synctest.Wait()
				f = dialBeta(t, network)
				if h := f.greetAs(second); h.resume != (memory{kept: true}) {
					t.Errorf("beta says %+v, and has had nothing", h.resume)
				}
				if !second.kept {
					if err := <-asked; !errors.Is(err, actor.ErrUnreachable) || beta.DeadLetters()[actor.Unconfirmed] == 0 {
						t.Errorf("%v, dead letters %v", err, beta.DeadLetters())
					}
					return
				}
				h, _ := f.next(kindAsk)
				if h.seq != 1 {
					t.Errorf("number %d", h.seq)
				}
				f.send(&header{kind: kindReply, seq: 1, target: h.sender, correlation: h.correlation, typ: "string"}, appendStr(nil, "x")...)
				if err := <-asked; err != nil {
					t.Error(err)
				}
				f.next(kindTell)
				if dead := beta.DeadLetters(); len(dead) > 0 {
					t.Error(dead)
				}
				f.conn.Close()
				synctest.Wait()
				if h := dialBeta(t, network).greetAs(second); h.resume != (memory{true, alphaInc, 1}) {
					t.Errorf("beta says %+v, and has had a reply", h.resume)
				}
			})
		})
	}
}

// A node that says it knows nothing of a peer says so again until it is sure to have been heard: else the peer would go on with
// what it has sent before, which may have been handled.
func TestANodeThatBeginsAnewIsHeardToDoSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		beta.peers.forgetful.Store(true)
		for i, says := range []bool{false, false, true} {
			f := dialBeta(t, network)
			f.send(&header{kind: kindHello}, appendHello(nil, &hello{lowest: 1, highest: 1, node: "foreign", incarnation: alphaInc,
				resume: memory{true, beta.Incarnation(), 100}})...)
			_, body := f.next(kindHello)
			if h, err := readHello(body); err != nil || h.resume.kept != says {
				t.Errorf("HELLO %d: %+v, %v", i, h, err)
			}
			if i == 1 {
				f.send(&header{kind: kindAck})
			}
			synctest.Wait()
			f.conn.Close()
			synctest.Wait()
		}
	})
}

// What was given up is read when the outbox is in use again: its memory is not.
func TestWhatIsGivenUpIsNotOverwritten(t *testing.T) {
	for name, giveUp := range map[string]func(o *outbox) []item{
		"queued": func(o *outbox) []item { return o.remove(func(*item) bool { return true }) },
		"in flight": func(o *outbox) []item {
			o.advance()
			return o.abandon()
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := &outbox{limit: 10, most: 1 << 20}
			frame := appendHeader(nil, &header{kind: kindTell, typ: "first"})
			o.accept(item{frame: frame, expires: never})
			defer o.timer.Stop()
			gone := giveUp(o)
			o.accept(item{frame: appendHeader(nil, &header{kind: kindAsk, typ: "other"}), expires: never})
			if len(gone) != 1 || !bytes.Equal(gone[0].frame, frame) {
				t.Errorf("given up are %d, of other bytes than were sent", len(gone))
			}
		})
	}
}

// A peer that does not read costs no more memory, however often a mailbox here becomes full and has room again.
func TestNewsOfMailboxesDoNotPileUp(t *testing.T) {
	o := &outbox{conn: new(zmtp.Conn), writing: true}
	for range 1000 {
		o.noteHalt(address{form: byName, name: "busy"})
		o.unhalt(address{form: byName, name: "busy"})
	}
	if n := len(o.brakes.news); n > 1 {
		t.Errorf("%d news about one actor", n)
	}
}

// A large message takes its time, and neither the end of its sender nor the wish that its receiver stops gets ahead of it.
func TestNothingOfTheRuntimesOwnOvertakesALargeMessage(t *testing.T) {
	big := strings.Repeat("x", 5<<20)
	for name, last := range map[string]func(*testing.T, *Node, doer){
		"the end of its sender": func(t *testing.T, beta *Node, speaker doer) {
			turn(t, beta, speaker, func(c *actor.Context) error {
				defer c.Stop()
				return to("inbox@alpha").Tell(c, big)
			})
		},
		"the stop of its receiver": func(t *testing.T, beta *Node, speaker doer) {
			turn(t, beta, speaker, func(c *actor.Context) error {
				if err := to("inbox@alpha").Tell(c, big); err != nil {
					return err
				}
				go actor.Stop(t.Context(), beta, actor.Named("inbox@alpha"))
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				network.Delay(1, 3*time.Millisecond)
				alpha, beta := pair(t, network)
				wantReply(t, alpha, greeter(t, beta), "x", "hi x from beta")
				heard, speaker := make(chan string, 10), does(t, beta, "speaker")
				_, err := actor.SpawnNew(alpha, "inbox", func() *witness { return &witness{heard} })
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				last(t, beta, speaker)
				time.Sleep(10 * time.Second)
				if first := <-heard; first != "message" {
					t.Errorf("first came %q", first)
				}
			})
		})
	}
}

// What comes behind a stop that waits for a large message to others waits, too.
func TestNothingOvertakesAStopThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		network.Delay(1, 3*time.Millisecond)
		alpha, beta := pair(t, network)
		big := strings.Repeat("x", 5<<20)
		wantReply(t, beta, greeter(t, beta), "x", "hi x from beta")
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		inbox, got := collector(t, beta, "inbox", 10)
		other, _ := collector(t, beta, "other", 1)
		if err := other.Tell(alpha, big); err != nil {
			t.Fatal(err)
		}
		if err := inbox.Tell(alpha, "before"); err != nil {
			t.Fatal(err)
		}
		go actor.Stop(t.Context(), alpha, inbox.PID())
		synctest.Wait()
		if err := inbox.Tell(alpha, "after"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		wantNext(t, got, "before")
		synctest.Wait()
		if len(got) != 0 {
			t.Error("what was told after the stop was handled")
		}
		if dead := beta.DeadLetters(); dead[actor.NoActor]+dead[actor.Stopped] != 1 {
			t.Errorf("dead letters %v, want one for an actor that has stopped", dead)
		}
	})
}

// witness tells what comes to it, and when the speaker of beta or it itself ends.
type witness struct{ heard chan<- string }

func (w *witness) Start(c *actor.Context) error {
	return c.Watch(actor.Named("speaker@beta"), func(actor.Terminated) error { w.heard <- "the end"; return nil })
}

func (w *witness) Receive(*actor.Context, string) error { w.heard <- "message"; return nil }

func (w *witness) Stop(*actor.Context) error { w.heard <- "stopped"; return nil }

// Nodes that come and go for ever and find a full mailbox here are forgotten, although the mailbox stays full.
func TestNothingIsKeptOfANodeThatFoundAFullMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, done := memnet.New(), make(chan struct{})
		defer close(done)
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		_, err := actor.Spawn(beta, "busy", func(*actor.Context, string) error { <-done; return nil }, actor.HWM(1))
		if err != nil {
			t.Fatal(err)
		}
		f := dialBeta(t, network)
		f.greet()
		for seq := range uint64(3) {
			f.send(&header{kind: kindTell, seq: 1 + seq, target: address{form: byName, name: "busy"}, typ: "string"}, appendStr(nil, "x")...)
		}
		f.next(kindPause)
		p := weak.Make(beta.peers.get("foreign"))
		f.conn.Close()
		time.Sleep(2 * defaultExpire)
		runtime.GC()
		runtime.GC()
		if p.Value() != nil {
			t.Error("the peer is still in memory")
		}
	})
}
