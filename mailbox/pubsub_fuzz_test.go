package mailbox

import (
	"bytes"
	"testing"
)

// FuzzSubscriptions lets three peers say whatever they like to an XPUB, and compares whom its messages go to, and what
// its user is told, with a plain set. Data is peers' messages: which peer, how long, and the frame.
func FuzzSubscriptions(f *testing.F) {
	f.Add([]byte("\x00\x02\x01a\x01\x02\x01a\x02\x01\x01\x00\x02\x00a\x01\x03\x01ab\x01\x02\x00a"))
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x01\x01\x01\x03\x02ab\x02\x06\x01topic\x02\x06\x00topic"))
	f.Add(bytes.Repeat([]byte("\x00\x02\x01a\x00\x02\x00a\x01\x03\x01ab\x01\x02\x01a\x01\x02\x00a"), 9))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		for _, verbose := range []bool{false, true} {
			pub := open(t, XPub, Config{Verbose: verbose, RecvHWM: 3})
			p := pub.pattern.(*publisher)
			var ins [3]*inlet
			var sets [3]map[string]bool
			for i := range ins {
				ins[i], sets[i] = &inlet{peer: pub.newPeer(false, false), wire: true}, make(map[string]bool)
			}
			topics := map[string]bool{}
			for rest := data; len(rest) >= 2; {
				i, n := rest[0]%3, int(rest[1])
				n = min(n, len(rest)-2)
				frame := rest[2 : 2+n]
				rest = rest[2+n:]
				is := n > 0 && frame[0] <= 1
				if p.took(ins[i], [][]byte{frame}) != is {
					t.Fatalf("%q is taken: %v", frame, !is)
				}
				if is {
					topics[string(frame[1:])] = true
					sets[i][string(frame[1:])] = frame[0] == 1
				}
			}
			told := func() map[string]bool {
				shown := make(map[string]bool)
				for {
					msg, err := pub.Recv(ended())
					if err != nil {
						return shown
					}
					shown[string(msg[0][1:])] = msg[0][0] == 1
				}
			}
			shown := told()
			for topic := range topics {
				if any := sets[0][topic] || sets[1][topic] || sets[2][topic]; shown[topic] != any {
					t.Errorf("%q is subscribed to: %v, and shown as %v", topic, any, shown[topic])
				}
				pub.Send(ended(), []byte(topic), nil)
				for i, in := range ins {
					want := 0
					for prefix, on := range sets[i] {
						if on && bytes.HasPrefix([]byte(topic), []byte(prefix)) {
							want = 1
						}
					}
					got := in.peer.out.Len()
					in.peer.out.Purge()
					if got != want {
						t.Errorf("%q: peer %d gets %d messages, want %d", topic, i, got, want)
					}
				}
			}
			for _, in := range ins {
				in.ended.Store(true)
				p.down(in)
			}
			for topic, on := range told() {
				if on {
					t.Errorf("%q is shown as subscribed to", topic)
				}
			}
			p.topics.walk(func(topic string) { t.Errorf("%q is left", topic) })
			if p.active != 0 || len(p.latest) != 0 || p.notices.Len() != 0 {
				t.Error(p.active, "peers are left, and notices:", p.latest)
			}
		}
	})
}
