package node

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/internal/memnet"
)

// What values are after a link, and what bodies do that are none.

// baggage has one of everything that is easily changed on the way.
type baggage struct {
	N    int
	M    map[string]int
	Any  any
	When time.Time
}

// C70, C74, C75, C81: every value is a fresh one, numbers have one type each, times are in UTC.
func TestValuesArriveAsTheyShould(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		got := make(chan baggage, 10)
		ref, err := actor.Spawn(beta, "hall", func(c *actor.Context, b baggage) error { got <- b; return nil })
		if err != nil {
			t.Fatal(err)
		}
		east := time.Date(2021, 6, 3, 0, 0, 0, 5, time.FixedZone("", 5*3600))
		for _, c := range []struct{ sent, want baggage }{
			{baggage{N: 9, M: map[string]int{"old": 1}, When: east}, baggage{N: 9, M: map[string]int{"old": 1}, When: east.UTC()}},
			{baggage{M: map[string]int{"new": 2}}, baggage{M: map[string]int{"new": 2}}},
			{baggage{Any: map[string]any{"a": 5, "b": 300, "c": -5, "d": uint64(math.MaxUint64), "e": float32(1.5), "f": east}},
				baggage{Any: map[string]any{"a": int64(5), "b": int64(300), "c": int64(-5), "d": uint64(math.MaxUint64), "e": 1.5, "f": east.UTC()}}},
			{baggage{Any: map[int]string{1: "a"}}, baggage{Any: map[any]any{int64(1): "a"}}},
		} {
			if err := ref.Tell(alpha, c.sent); err != nil {
				t.Fatal(err)
			}
			if b := <-got; !reflect.DeepEqual(b, c.want) {
				t.Errorf("sent %+v\n got %#v\nwant %#v", c.sent, b, c.want)
			}
		}
	})
}

// C76: what would be lost on the way is the sender's error, and names what it is.
func TestTypesThatWouldLoseSomethingAreNotSent(t *testing.T) {
	type hidden struct {
		A int
		b int
	}
	type piped struct{ C chan int }
	synctest.Test(t, func(t *testing.T) {
		alpha, beta := pair(t, memnet.New())
		greeter(t, beta)
		for field, err := range map[string]error{
			".b": actor.RefTo[hidden](actor.Named("greeter@beta")).Tell(alpha, hidden{1, 2}),
			".C": actor.RefTo[piped](actor.Named("greeter@beta")).Tell(alpha, piped{}),
		} {
			if !errors.Is(err, codec.ErrEncode) || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
	})
}

// C72, C73, C80: a body that is no value of its type costs its sender an error, and nobody else anything.
func TestBodiesThatAreNoValuesAreFailures(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		anything, err := actor.Spawn(beta, "anything", func(c *actor.Context, m any) error { return c.Reply("got it") })
		if err != nil {
			t.Fatal(err)
		}
		f.greet()
		before := heap()
		seq := uint64(0)
		for name, body := range map[string][]byte{
			"nested too deep":            bytes.Repeat([]byte{0x91}, 100_000),
			"an array larger than it is": {0xdd, 0x0b, 0xeb, 0xc2, 0x00},
			"bytes that are not there":   {0xc6, 0x40, 0x00, 0x00, 0x00},
			"a map larger than it is":    {0xdf, 0x01, 0x31, 0x2d, 0x00},
			"a map as a key":             {0x81, 0x81, 0xa1, 0x78, 0xc3, 0xc3},
			"nil where a struct is":      {0x91, 0xc0},
			"nothing":                    {},
			"two values":                 {0xc3, 0xc3},
		} {
			for target, typ := range map[string]string{"anything": "[]any", "greeter": "string"} {
				seq++
				f.send(&header{kind: kindAsk, seq: seq, target: address{form: byName, name: target}, sender: address{form: byID, id: 9},
					correlation: seq, typ: typ}, body...)
				msg, err := f.conn.Read()
				for ; err == nil && msg[0][kindAt] == kindAck; msg, err = f.conn.Read() {
				}
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				h, _, err := readHeader(msg[0])
				if fine := name == "nil where a struct is" && target == "anything"; err != nil || h.correlation != seq || h.kind == kindReply != fine {
					t.Errorf("%s, as %s: answered with kind %d, %q, %v", name, typ, h.kind, h.typ, err)
				}
			}
		}
		if grown := heap() - before; grown > 4<<20 {
			t.Errorf("the heap grew by %d KiB", grown>>10)
		}
		wantReply(t, beta, to("greeter@beta"), "x", "hi x from beta")
		if s, err := actor.As[string](anything.Ask(t.Context(), beta, 1)); s != "got it" || err != nil {
			t.Errorf("%q, %v", s, err)
		}
		if n := beta.DeadLetters()[actor.Undecodable]; n != seq-1 {
			t.Errorf("%d dead letters %q, want %d: %v", n, actor.Undecodable, seq-1, beta.DeadLetters())
		}
	})
}
