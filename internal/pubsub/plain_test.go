package pubsub

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/mailbox"
)

// overPlainForms runs test over plain ZeroMQ sockets, and a hub that does as they do.
func overPlainForms(t *testing.T, key func(string) string, test func(w *world, p sender, s receiver)) {
	t.Run("sockets", func(t *testing.T) {
		inBubble(t, func(w *world) {
			p, err := NewPlainPublisher(w.config(Config{}), Form[string]{Encode: w.encode, Key: key})
			w.must(err)
			w.t.Cleanup(func() { p.Close(ended) })
			_, err = p.Bind(w.t.Context(), endpoint)
			w.must(err)
			s, err := NewPlainSubscriber(w.config(Config{}), Form[string]{Decode: decode, Key: key})
			w.must(err)
			w.t.Cleanup(func() { s.Close(ended) })
			w.must(s.Connect(endpoint))
			synctest.Wait()
			test(w, p, s)
		})
	})
	t.Run("hub", func(t *testing.T) {
		inBubble(t, func(w *world) {
			h := NewHub(w.config(Config{}), w.encode)
			m := h.Join()
			w.t.Cleanup(func() { m.Close(ended) })
			test(w, h, m)
		})
	})
}

func TestPlainPrefixesAreThoseOfTheEncodedFormAndKeysAreExact(t *testing.T) {
	overPlainForms(t, word, func(w *world, p sender, s receiver) {
		w.subscribe(s, "10001")
		w.must(s.Subscribe(w.t.Context(), false, "10002 -", "x"))
		w.publish(p, "10001 1", "100010 2", "10002 3", "10002 -4", "x 5", "xy 6", "10001")
		w.expect(s, "10001 1", "10002 -4", "x 5", "xy 6", "10001")
		w.must(s.Unsubscribe(false, "x", "10001"))
		w.publish(p, "10001 1", "x 5", "10002 -4")
		w.expect(s, "10001 1", "10002 -4")
		w.must(s.Unsubscribe(true, "10001"))
		w.publish(p, "10001 1", "10002 -4")
		w.expect(s, "10002 -4")
	})
}

func TestAPlainFormStartsWithItsKey(t *testing.T) {
	key := func(v string) string { return strings.ToUpper(word(v)) }
	overPlainForms(t, key, func(w *world, p sender, s receiver) {
		w.must(s.Subscribe(w.t.Context(), false, "A", "a"))
		for v, fails := range map[string]bool{"A 1": false, "a 2": true} {
			if err := p.Publish(w.t.Context(), key(v), v); errors.Is(err, ErrKey) != fails {
				w.t.Error(v, err)
			}
		}
		if err := p.Publish(w.t.Context(), "", "A unencodable"); err == nil {
			w.t.Error("what can't be encoded is published")
		}
		w.expect(s, "A 1")
	})
}

func TestWhatIsNoPlainUpdateIsLeftOut(t *testing.T) {
	inBubble(t, func(w *world) {
		s, err := NewPlainSubscriber(w.config(Config{}), Form[string]{Decode: decode})
		w.must(err)
		defer s.Close(ended)
		_, err = s.Bind(w.t.Context(), endpoint)
		w.must(err)
		if err := s.Subscribe(w.t.Context(), true, "a"); !errors.Is(err, errNoKeys) {
			w.t.Error(err)
		}
		w.must(s.Subscribe(w.t.Context(), false, ""))
		pub := w.raw(mailbox.Pub, mailbox.Config{})
		w.must(pub.Connect(endpoint))
		w.must(pub.WaitSubscribers(w.t.Context(), 1))
		for _, msg := range [][][]byte{frames("two", "frames"), frames("undecodable"), frames(""), frames("fine")} {
			w.must(pub.Send(w.t.Context(), msg...))
		}
		w.expect(s, "", "fine")
		if s.Missed() != 2 || w.log.Lines("a message of 2 frames") != 1 {
			w.t.Error(s.Missed(), w.log.String())
		}
	})
}
