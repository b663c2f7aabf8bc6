package mailbox

import (
	"errors"
	"testing"
)

func TestPairTalksBothWays(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		a, b := open(t, Pair, Config{}), open(t, Pair, Config{})
		connect(t, b, at)
		send(t, b, "early", "")
		bind(t, a, at)
		expect(t, a, "early", "")
		for range 100 {
			send(t, a, "ping", "")
			expect(t, b, "ping", "")
			send(t, b, "", "pong")
			expect(t, a, "", "pong")
		}
	})
}

// A second peer is refused and the first does not notice. Once that is gone the other may come.
func TestPairHasOnePeerAtATime(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		a, first, second := open(t, Pair, Config{}), open(t, Pair, Config{}), open(t, Pair, Config{})
		bind(t, a, at)
		connect(t, first, at)
		send(t, first, "hello")
		expect(t, a, "hello")
		connect(t, second, at)
		until(t, "the second is refused", func() bool {
			a.mu.Lock()
			defer a.mu.Unlock()
			return !a.refusedAt.IsZero()
		})
		for range 10 {
			send(t, a, "for the first")
			expect(t, first, "for the first")
			send(t, first, "from the first")
			expect(t, a, "from the first")
		}
		shut(t, first)
		until(t, "the second is there", func() bool {
			a.mu.Lock()
			defer a.mu.Unlock()
			for p := range a.peers {
				for q := range second.peers {
					if p.live.Load() != nil && q.live.Load() != nil {
						return true
					}
				}
			}
			return false
		})
		send(t, a, "for the second")
		expect(t, second, "for the second")
	})
}

func TestPairConnectsOnce(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		a := open(t, Pair, Config{})
		connect(t, a, at)
		if err := a.Connect(at); !errors.Is(err, ErrState) {
			t.Errorf("a second connect: %v", err)
		}
		if err := a.Disconnect(ended(), at); err != nil {
			t.Fatal(err)
		}
		connect(t, a, at)
		b := open(t, Pair, Config{})
		bind(t, b, at)
		send(t, a, "x")
		expect(t, b, "x")
	})
}
