package node

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// A large message does not hold up those of others, and those of its own pair keep their places.
func TestLargeMessagesLetOthersPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		network.Delay(1, 100*time.Millisecond) // so that a part takes some time
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, MaxMessage: 256 << 20})
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network, MaxMessage: 256 << 20})
		greeter(t, beta)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		var got []int
		_, err := actor.Spawn(beta, "sink", func(c *actor.Context, m []byte) error {
			got = append(got, len(m))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sink := actor.RefTo[[]byte](actor.Named("sink@beta"))
		want := []int{1, 20 << 20, 2, 3, 200_000, 4}
		for _, n := range want {
			if err := sink.Tell(alpha, bytes.Repeat([]byte{1}, n)); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		wantReply(t, alpha, to("greeter@beta"), "y", "hi y from beta")
		if took := time.Since(began); took > time.Second || alpha.Peers()[0].Queued < len(want)-2 {
			t.Errorf("an ask took %v, with %d messages under way", took, alpha.Peers()[0].Queued)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(got) != len(want) {
			t.Fatalf("%d messages arrived, want %d", len(got), len(want))
		}
		for i, n := range want {
			if got[i] != n {
				t.Fatalf("sizes %v, want %v", got, want)
			}
		}
	})
}

func TestPartsThatAreTooMuchEndTheLink(t *testing.T) {
	part := func(id uint64, flags uint64, seq uint64) *header {
		return &header{kind: kindPart, flags: flags, seq: seq, correlation: id}
	}
	for name, test := range map[string]func(f *foreigner){
		"too many": func(f *foreigner) {
			for i := range uint64(maxLarges + 1) {
				f.send(part(i, 0, i+1), 1)
			}
		},
		"too large": func(f *foreigner) {
			piece := make([]byte, partBody)
			for i := range uint64(defaultMaxMessage/partBody + 1) {
				f.send(part(1, 0, i+1), piece...)
			}
		},
		"more than it says": func(f *foreigner) {
			h := part(1, 0, 1)
			h.meta = map[string]string{sizeKey: "3"}
			f.send(h, 1, 2)
			f.send(part(1, 0, 2), 3, 4)
		},
		"they say so": func(f *foreigner) {
			for i := range uint64(2) {
				h := part(i, 0, i+1)
				h.meta = map[string]string{sizeKey: strconv.Itoa(defaultMaxMessage/2 + 1)}
				f.send(h, 1)
			}
		},
		"no size": func(f *foreigner) {
			h := part(1, 0, 1)
			h.meta = map[string]string{sizeKey: "-1"}
			f.send(h, 1)
		},
		"of parts": func(f *foreigner) {
			f.send(part(1, lastPart, 1), appendHeader(nil, part(2, lastPart, 0))...)
		},
		"of no message": func(f *foreigner) { f.send(part(1, lastPart, 1), []byte("junk")...) },
	} {
		t.Run(name, func(t *testing.T) {
			foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
				f.greet()
				done := make(chan struct{})
				go func() {
					defer close(done)
					f.wantBye(byeProtocol)
				}()
				test(f)
				<-done
			})
		})
	}
}

// Who only says that much will come has no memory for it.
func TestAClaimReservesLittle(t *testing.T) {
	a := assembly{most: defaultMaxMessage}
	for i := range uint64(2 * maxLarges) { // the first parts of messages, of no byte, and then one of each
		h := header{kind: kindPart, correlation: i % maxLarges}
		if i < maxLarges {
			h.meta = map[string]string{sizeKey: strconv.Itoa(defaultMaxMessage / maxLarges)}
		}
		if _, err := a.add(&h, make([]byte, i/maxLarges)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range a.open {
		if cap(p.frame) > 100 {
			t.Errorf("%d bytes for one that has come", cap(p.frame))
		}
	}
}

// What the peer says it accepts holds for messages in parts.
func TestForeignPartsAreJoined(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		f.greet()
		text := strings.Repeat("x", 300)
		whole := append(appendHeader(nil, &header{kind: kindAsk, target: address{form: byName, name: "greeter"},
			sender: address{form: byID, id: 9}, correlation: 5, typ: "string"}), appendStr(nil, text)...)
		for i := range whole {
			h := header{kind: kindPart, seq: uint64(2*i + 1), correlation: 77}
			if i == len(whole)-1 {
				h.flags = lastPart
			}
			f.send(&h, whole[i])
			f.send(&header{kind: kindPart, seq: uint64(2*i + 2), correlation: 78}, 0)
		}
		r, body := f.next(kindReply)
		if r.correlation != 5 || !bytes.Equal(body, appendStr(nil, "hi "+text+" from beta")) {
			t.Errorf("reply %+v %q", r, body)
		}
	})
}
