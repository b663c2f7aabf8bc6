package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// relic is a message that can be made again from who sent it and its number, to be compared with what came of it.
type relic struct {
	From, Number int
	Text         string
	Bytes        []byte
	Words        map[string]string
	Nested       *relic
	Any          any
	Own          ownWay
	At           time.Time
}

// ownWay has an encoding of its own.
type ownWay struct{ text string }

func (o ownWay) MarshalBinary() ([]byte, error)     { return []byte(o.text), nil }
func (o *ownWay) UnmarshalBinary(data []byte) error { o.text = string(data); return nil }

// relicBytes are those of one: mostly few, sometimes as many as lie where memory is handled in another way.
func relicBytes(r *rand.Rand) []byte {
	n := r.IntN(600)
	switch r.IntN(40) {
	case 0:
		n = ownFrame - 300 + r.IntN(400)
	case 1:
		n = maxFrame - 300 + r.IntN(400)
	case 2:
		n = r.IntN(2 << 20)
	}
	b, c := make([]byte, n), r.Uint64()
	for i := range b {
		b[i] = byte(c >> (i & 63))
	}
	return b
}

func makeRelic(from, number int) relic {
	r := rand.New(rand.NewPCG(uint64(from), uint64(number)))
	text := func(n int) string { return fmt.Sprintf("%0*d", 1+r.IntN(n), r.Int()) }
	m := relic{From: from, Number: number, Text: text(100), Bytes: relicBytes(r), Words: map[string]string{}, Own: ownWay{text(30)},
		At: time.Unix(int64(r.Uint32()), int64(r.IntN(1e9))).UTC()}
	for range r.IntN(4) {
		m.Words[text(20)] = text(80)
	}
	m.Any = []any{text(70), int64(number), []byte(text(10)), map[string]any{text(30): text(10)}}
	if r.IntN(3) > 0 {
		m.Nested = &relic{Text: text(10), Words: map[string]string{text(5): ""}, Own: ownWay{text(3)}, Bytes: []byte{}, At: m.At}
	}
	return m
}

// shaky is this machine's network, with the connections that were dialled.
type shaky struct {
	zmtp.Machine
	mu    sync.Mutex
	conns []net.Conn
}

func (s *shaky) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := s.Machine.Dial(ctx, network, address)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns = append(s.conns, nc)
	}
	return nc, err
}

func (s *shaky) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, nc := range s.conns {
		nc.(*net.TCPConn).SetLinger(0) // what is under way is lost
		nc.Close()
	}
	s.conns = nil
}

// Memory is used again, by senders, links and mailboxes. Whoever keeps a message, or a part of one, keeps what was sent: cuts,
// whatever the sizes, with many senders to receivers that are slow now and then.
func TestWhatIsKeptOfMessagesStaysAsItWas(t *testing.T) {
	t.Run("plain", func(t *testing.T) { keepAll(t, nil, nil) })
	t.Run("CURVE", func(t *testing.T) { keepAll(t, alphaSecurity, betaSecurity) })
}

func keepAll(t *testing.T, atAlpha, atBeta *Security) {
	const senders = 4
	count := 200
	if racing {
		count = 50
	}
	network := new(shaky)
	defer network.cut()
	alpha := start(t, Config{Name: "alpha", Listen: []string{"tcp://127.0.0.1:0"}, Network: network, Security: atAlpha})
	beta := start(t, Config{Name: "beta", Peers: map[string]string{"alpha": alpha.Endpoints()[0].String()}, Network: network, Security: atBeta})
	kept, blobs := make(chan relic, 2*senders*count), make(chan []byte, 2*senders*count)
	receiver := func(n *Node) {
		stashed := make(map[[2]int]bool)
		keep := func(c *actor.Context, m relic) error {
			if m.Number%100 == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			if key := [2]int{m.From, m.Number}; m.Number%7 == 0 && m.Number < count-1 && !stashed[key] {
				stashed[key] = true
				if m.Number%14 == 0 {
					c.Unstash()
				}
				return c.Stash()
			}
			if m.Number == count-1 {
				c.Unstash()
			}
			kept <- m
			return nil
		}
		_, err := actor.Spawn(n, "relics", keep)
		if err == nil {
			_, err = actor.Spawn(n, "bytes", func(c *actor.Context, m []byte) error {
				if len(m) < 16 {
					return errors.New("too short")
				}
				return c.Reply(m)
			})
		}
		if err == nil {
			_, err = actor.Spawn(n, "blobs", func(c *actor.Context, m []byte) error { blobs <- m; return nil })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	receiver(alpha)
	receiver(beta)
	greeter(t, alpha)
	if _, err := ask(beta, to("greeter@alpha"), "x", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var cutting sync.WaitGroup
	cutting.Go(func() {
		for range 10 {
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
				network.cut()
			}
		}
	})
	var wg sync.WaitGroup
	for i := range 2 * senders {
		from, peer := alpha, "beta"
		if i%2 == 1 {
			from, peer = beta, "alpha"
		}
		wg.Go(func() {
			for number := range count {
				m := makeRelic(i, number)
				for actor.RefTo[relic](actor.Named("relics@"+peer)).Tell(from, m) != nil {
					time.Sleep(time.Millisecond)
				}
				blob := bytes.Repeat([]byte{byte(number)}, 1+number)
				for actor.RefTo[[]byte](actor.Named("blobs@"+peer)).Tell(from, blob) != nil {
					time.Sleep(time.Millisecond)
				}
			}
		})
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			var sent, got [][]byte
			for range count / 4 {
				b := append(make([]byte, 16), relicBytes(r)...)
				answer, err := actor.As[[]byte](actor.RefTo[[]byte](actor.Named("bytes@"+peer)).Ask(t.Context(), from, b))
				if err != nil {
					t.Error(err)
					return
				}
				sent, got = append(sent, b), append(got, answer)
			}
			if !reflect.DeepEqual(sent, got) {
				t.Errorf("sender %d kept other answers than came", i)
			}
		})
	}
	wg.Wait()
	close(done)
	cutting.Wait()
	var all []relic
	for range 2 * senders * count {
		select {
		case m := <-kept:
			all = append(all, m)
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d came; dead letters %v, %v", len(all), 2*senders*count, alpha.DeadLetters(), beta.DeadLetters())
		}
	}
	for range 2 * senders * count {
		if b := <-blobs; len(b) == 0 || !bytes.Equal(b, bytes.Repeat(b[:1], len(b))) || byte(len(b)-1) != b[0] {
			t.Errorf("%x is not what was sent", b)
		}
	}
	for _, m := range all {
		if want := makeRelic(m.From, m.Number); !reflect.DeepEqual(m, want) {
			t.Errorf("number %d of %d is not what was sent: %.300v, want %.300v", m.Number, m.From, m, want)
		}
	}
}
