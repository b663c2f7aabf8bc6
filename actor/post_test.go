package actor_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/actor"
)

// What is lent to Deliver may be written over as soon as that returns: no message, nor what became of it, is in that memory,
// or in that of a message that was handled before.
func TestMessagesFromElsewhereKeepTheirValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, actor.Config{Node: "alpha"})
		var kept [][]byte
		again := false
		ref := spawn(t, s, "x", func(c *actor.Context, m []byte) error {
			if m[0]%3 == 0 && !again { // one of three is seen twice
				again = true
				if err := c.Stash(); err != nil {
					return err
				}
				c.Unstash()
				return nil
			}
			again = false
			kept = append(kept, m)
			return nil
		})
		const messages = 200
		lent := make([]byte, 0, 2000)
		for i := range messages {
			size := 1 + 10*(i%150)
			lent = append(lent[:0], 0xc5, byte(size>>8), byte(size))
			lent = append(lent, bytes.Repeat([]byte{byte(i)}, size)...)
			if err := s.Deliver(&actor.Envelope{Kind: actor.Tell, Target: ref.PID(), Type: "[]byte", Body: lent, Lent: true}); err != nil {
				t.Fatal(err)
			}
			clear(lent)
			if i%7 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		if len(kept) != messages {
			t.Fatalf("%d of %d messages were handled", len(kept), messages)
		}
		for i, m := range kept {
			if size := 1 + 10*(i%150); !bytes.Equal(m, bytes.Repeat([]byte{byte(i)}, size)) {
				t.Errorf("message %d is %d times %d", i, len(m), m[0])
			}
			for j := range m {
				m[j] = 0xff // what a handler does with its message is its own affair
			}
		}
	})
}
