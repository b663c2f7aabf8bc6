package pubsub

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/mailbox"
)

var (
	exampleID     = id([]byte("0123456789abcdef"))
	exampleHeader = header{exampleID, position{2, 0x0102}}
)

const goldenHeader = "\x010123456789abcdef\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x01\x02"

// These are the bytes in TOPIC.md.
func TestFramesAreAsSpecified(t *testing.T) {
	for _, c := range []struct{ what, got, want string }{
		{"topic", string(appendTopic(nil, "updates", "10001")), "updates\x0010001\x00"},
		{"prefix", string(appendPrefix(nil, "updates", "100")), "updates\x00100"},
		{"hello", hello(exampleID, "updates"), "\x00H0123456789abcdeftroupe-topic/1 updates"},
		{"request", request(exampleID, "updates", selector("10001", true)), "\x00L0123456789abcdefupdates\x0010001\x00"},
		{"prefix request", request(exampleID, "updates", selector("100", false)), "\x00L0123456789abcdefupdates\x00100"},
		{"header", string(exampleHeader.append(nil)), goldenHeader},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, not %q", c.what, c.got, c.want)
		}
	}
}

func TestUpdatesAreRead(t *testing.T) {
	topic, asked := "updates\x0010001\x00", "\x00L0123456789abcdefupdates\x00100"
	for _, c := range []struct {
		msg  []string
		key  string
		body string
		mark bool
		err  error
	}{
		{msg: []string{topic, goldenHeader, "body"}, key: "10001", body: "body"},
		{msg: []string{topic, goldenHeader, ""}, key: "10001"},
		{msg: []string{"updates\x00\x00", goldenHeader, "body"}, body: "body"},
		{msg: []string{topic, goldenHeader}, key: "10001", mark: true},
		{msg: []string{asked, topic, goldenHeader, "body"}, key: "10001", body: "body"},
		{msg: []string{"\x00Lfedcba9876543210updates\x00100", topic, goldenHeader, "body"}, err: errForeign},
		{msg: []string{"\x00H0123456789abcdeftroupe-topic/1 updates", "text"}, err: errForeign},
		{msg: []string{"\x00"}, err: errForeign},
		{msg: []string{"\x00L"}, err: errForeign},
		{msg: []string{asked, topic, goldenHeader}, err: errForeign},
		{msg: []string{""}, err: errFrames},
		{msg: []string{topic}, err: errFrames},
		{msg: []string{topic, goldenHeader, "body", "more"}, err: errFrames},
		{msg: []string{"updates", goldenHeader, "body"}, err: errFrames},
		{msg: []string{"updates\x00", goldenHeader, "body"}, err: errFrames},
		{msg: []string{"updates10001\x00", goldenHeader, "body"}, err: errFrames},
		{msg: []string{"sports\x0010001\x00", goldenHeader, "body"}, err: errFrames},
		{msg: []string{"updates\x001\x001\x00", goldenHeader, "body"}, err: errFrames},
		{msg: []string{"updates\x00" + strings.Repeat("1", MaxKey+1) + "\x00", goldenHeader, "body"}, err: errFrames},
		{msg: []string{topic, "", "body"}, err: errFrames},
		{msg: []string{topic, goldenHeader[1:], "body"}, err: errVersion},
		{msg: []string{topic, "\x02", "body"}, err: errVersion},
		{msg: []string{topic, goldenHeader + "\x00", "body"}, err: errFrames},
	} {
		u, mark, err := readUpdate(frames(c.msg...), "updates", exampleID)
		if !errors.Is(err, c.err) {
			t.Errorf("%q: %v", c.msg, err)
		}
		if err == nil && (string(u.key) != c.key || string(u.body) != c.body || mark != c.mark || u.header != exampleHeader) {
			t.Errorf("%q: %+v", c.msg, u)
		}
	}
}

func frames(texts ...string) (msg [][]byte) {
	for _, text := range texts {
		msg = append(msg, []byte(text))
	}
	return msg
}

// FuzzUpdate gives a subscriber messages of up to four frames. What it takes for an update is one.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte("updates\x0010001\x00"), []byte(goldenHeader), []byte("body"), []byte(nil), byte(3))
	f.Add([]byte("updates\x0010001\x00"), []byte(goldenHeader), []byte(nil), []byte(nil), byte(2))
	f.Add([]byte("\x00L0123456789abcdefupdates\x00100"), []byte("updates\x0010001\x00"), []byte(goldenHeader), []byte("body"), byte(4))
	f.Add([]byte("\x00H0123456789abcdeftroupe-topic/1 updates"), []byte("text"), []byte(nil), []byte(nil), byte(2))
	f.Fuzz(func(t *testing.T, a, b, c, d []byte, n byte) {
		msg := [][]byte{a, b, c, d}[:n%4+1]
		u, mark, err := readUpdate(msg, "updates", exampleID)
		if err != nil {
			return
		}
		rest := msg[len(msg)-2:]
		if !mark {
			rest = msg[len(msg)-3:]
		}
		if !bytes.Equal(rest[0], appendTopic(nil, "updates", string(u.key))) || !bytes.Equal(rest[1], u.header.append(nil)) {
			t.Errorf("%q is taken for %+v", msg, u)
		}
		var g gaps
		if !g.pass(&u.header, u.key, mark) || g.pass(&u.header, u.key, mark) {
			t.Error("an update is new once")
		}
	})
}

// FuzzSubscription gives a publisher what subscribers may say. What it takes for a greeting or a request is one.
func FuzzSubscription(f *testing.F) {
	f.Add("\x00H0123456789abcdeftroupe-topic/1 updates")
	f.Add("\x00L0123456789abcdefupdates\x0010001\x00")
	f.Add("\x00L0123456789abcdefupdates\x00100")
	f.Add("updates\x0010001\x00")
	f.Fuzz(func(t *testing.T, topic string) {
		c, ok := readControl(topic)
		if !ok {
			return
		}
		if key, exact, ok := selects(c.rest, "updates"); ok && c.kind == requestKind {
			if again := request(c.from, "updates", selector(key, exact)); again != topic {
				t.Errorf("%q is taken for %q", topic, again)
			}
		}
	})
}

// Nothing that foreign peers send makes an end fail.
func TestHostilePeers(t *testing.T) {
	inBubble(t, func(w *world) {
		cfg := Config{LastValues: 10}
		p, s := w.publisher(cfg), w.subscriber(cfg)
		w.must(s.Subscribe(w.t.Context(), false, ""))
		_, err := s.Bind(w.t.Context(), "tcp://odd:1")
		w.must(err)
		odd, bad := w.raw(mailbox.XSub, mailbox.Config{SendHWM: 100_000}), w.raw(mailbox.Pub, mailbox.Config{SendHWM: 100_000})
		w.must(odd.Connect(endpoint))
		w.must(bad.Connect("tcp://odd:1"))
		synctest.Wait()
		for _, topic := range []string{
			"", "\x00", "\x00H", "\x00L", "\x00Hshort", hello(exampleID, "other"), hello(exampleID, "news") + strings.Repeat("x", 1000),
			request(exampleID, "news", ""), request(exampleID, "news", strings.Repeat("x", 10_000)), request(exampleID, "other", "x"),
			"\x00L0123456789abcdefnews", "\x00L0123456789abcdefnews\x00a\x00b\x00",
		} {
			w.must(odd.Send(ended, []byte("\x01"+topic)))
			w.must(odd.Send(ended, []byte("\x02"+topic)))
			w.must(odd.Send(ended, []byte("\x01"+topic), []byte("more")))
			w.must(odd.Send(ended, []byte("\x00"+topic)))
			w.must(odd.Send(ended, []byte("\x01"+topic)))
		}
		for _, first := range []string{"news\x00", "news\x00a\x00", "news\x00a\x00b\x00", "\x00L" + string(s.id[:]) + "news\x00", "\x00H" + string(s.id[:])} {
			for _, rest := range []string{"", "\x01", "\x02", goldenHeader, goldenHeader + "x", "news\x00a\x00"} {
				w.must(bad.Send(ended, []byte(first)))
				w.must(bad.Send(ended, []byte(first), []byte(rest)))
				w.must(bad.Send(ended, []byte(first), []byte(rest), []byte(rest)))
				w.must(bad.Send(ended, []byte(first), []byte(rest), []byte(goldenHeader), []byte("undecodable")))
			}
		}
		w.drain(s)
		w.publish(p, "a 1", "b 2")
		w.expect(s, "a 1", "b 2")
		if n := w.log.Lines("what is no update"); n != 1 {
			w.t.Error("the log says so", n, "times")
		}
	})
}

// A publisher that makes up keys and publishers without end costs a subscriber no more than so much memory.
func TestWhatIsKeptOfPeersIsBounded(t *testing.T) {
	var g gaps
	h := exampleHeader
	for i := range maxStreams + 1000 {
		h.publisher = id{byte(i), byte(i >> 8), byte(i >> 16)}
		g.pass(&h, []byte{byte(i), byte(i >> 8), byte(i >> 16)}, false)
	}
	if len(g.at) != maxStreams {
		t.Error(len(g.at))
	}
	var m missed
	for i := range maxMissed + 1000 {
		m.add(string([]byte{byte(i), byte(i >> 8), byte(i >> 16)}), 1)
	}
	if len(m.byKey) != maxMissed || m.all != maxMissed+1000 {
		t.Error(len(m.byKey), m.all)
	}
}
