package mailbox

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// eachConflating runs test for each pair of sockets in which one side conflates. The PUB that does not has room
// for all of what the tests send: it drops what it has no room for.
func eachConflating(t *testing.T, test func(t *testing.T, at string, sender, receiver *Socket)) {
	overEach(t, func(t *testing.T, at string) {
		for name, make := range map[string]func() (sender, receiver *Socket){
			"PUSH": func() (*Socket, *Socket) { return open(t, Push, Config{Conflate: true}), open(t, Pull, Config{}) },
			"PULL": func() (*Socket, *Socket) { return open(t, Push, Config{}), open(t, Pull, Config{Conflate: true}) },
			"PUB":  func() (*Socket, *Socket) { return open(t, Pub, Config{Conflate: true}), open(t, Sub, Config{}) },
			"SUB": func() (*Socket, *Socket) {
				return open(t, Pub, Config{SendHWM: 4000}), open(t, Sub, Config{Conflate: true})
			},
			"DEALER": func() (*Socket, *Socket) { return open(t, Dealer, Config{Conflate: true}), open(t, Dealer, Config{}) },
		} {
			t.Run(name, func(t *testing.T) {
				sender, receiver := make()
				test(t, at+name, sender, receiver)
			})
		}
	})
}

func TestConflateKeepsTheNewestMessageWhole(t *testing.T) {
	eachConflating(t, func(t *testing.T, at string, sender, receiver *Socket) {
		if strings.HasPrefix(at, "tcp") {
			at = "tcp://127.0.0.1:*"
		}
		at = bind(t, sender, at)
		connect(t, receiver, at)
		until(t, "it is connected", func() bool { return receiver.Stats().Peers[0].Connected })
		if receiver.Type() == Sub {
			for _, topic := range []string{"", "other"} { // neither of which replaces the other
				if err := receiver.Subscribe(within(t, 10*time.Second), topic); err != nil {
					t.Fatal(err)
				}
			}
			if err := sender.WaitSubscribers(within(t, 10*time.Second), 1); err != nil {
				t.Fatal(err)
			}
		}
		const n = 2000
		for i := range n {
			send(t, sender, "", strconv.Itoa(i))
		}
		last := -1
		for last < n-1 {
			msg := recv(t, receiver)
			i, err := strconv.Atoi(msg[1])
			if err != nil || len(msg) != 2 || msg[0] != "" || i <= last {
				t.Fatalf("%q after %d", msg, last)
			}
			last = i
		}
		var s, r Stats
		until(t, "all are accounted for", func() bool {
			s, r = sender.Stats(), receiver.Stats()
			return s.Queued+r.Waiting == 0 &&
				r.Received+s.Dropped[Replaced]+r.Dropped[Replaced]+s.Dropped[Full] == n
		})
		if in := strings.HasPrefix(at, "inproc"); in && r.Received != 1 { // elsewhere, some were under way
			t.Errorf("%d were received, want the newest alone", r.Received)
		}
	})
}

func TestConflatingSenderWithoutAPeerNeverWaits(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		push, pull := open(t, Push, Config{Conflate: true}), open(t, Pull, Config{})
		connect(t, push, at)
		for i := range 5000 {
			send(t, push, strconv.Itoa(i))
		}
		if st := push.Stats(); st.Queued != 1 || st.Dropped[Replaced] != 4999 {
			t.Errorf("%+v", st)
		}
		bind(t, pull, at)
		expect(t, pull, "4999")
	})
}
