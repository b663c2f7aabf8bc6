package mailbox

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/internal/memnet"
)

func TestAnXPubReceivesFirstAndLastSubscriptions(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, one := joined(t, endpoint, XPub, Config{}, Sub, Config{})
		subscribe(t, one, "a", "b")
		expect(t, pub, "\x01a")
		expect(t, pub, "\x01b")
		two := open(t, Sub, Config{})
		subscribe(t, two, "a", "")
		connect(t, two, endpoint)
		expect(t, pub, "\x01")
		unsubscribe(t, one, "a")
		subscribe(t, one, "c")
		expect(t, pub, "\x01c")
		shut(t, two) // it leaves, and was the last with these
		got := map[string]bool{recv(t, pub)[0]: true, recv(t, pub)[0]: true}
		if !got["\x00a"] || !got["\x00"] {
			t.Error(got)
		}
		nothing(t, pub)
		send(t, pub, "b")
		expect(t, one, "b")
	})
}

func TestAVerboseXPubReceivesEachSubscription(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, one := joined(t, endpoint, XPub, Config{Verbose: true}, Sub, Config{})
		two := open(t, Sub, Config{})
		connect(t, two, endpoint)
		subscribe(t, one, "a")
		subscribe(t, two, "a")
		expect(t, pub, "\x01a")
		expect(t, pub, "\x01a")
		unsubscribe(t, one, "a")
		unsubscribe(t, two, "a")
		expect(t, pub, "\x00a") // the last one alone
		nothing(t, pub)
	})
}

func TestAnXSubSendsItsSubscriptionsAsMessages(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, XPub, Config{}, XSub, Config{})
		send(t, sub, "\x01a")
		send(t, sub, "\x01a")
		send(t, sub, "up", "the stream")
		send(t, sub, "\x01", "is none")
		send(t, sub, "\x01b")
		got := make(map[string]int)
		for range 4 {
			got[fmt.Sprintf("%q", recv(t, pub))]++
		}
		for _, want := range []string{`["\x01a"]`, `["\x01b"]`, `["up" "the stream"]`, `["\x01" "is none"]`} {
			if got[want] != 1 {
				t.Errorf("received %v, not %s", got, want)
			}
		}
		send(t, pub, "about")
		expect(t, sub, "about")
		send(t, sub, "\x00a")
		send(t, sub, "\x00b")
		expect(t, pub, "\x00b")
		send(t, pub, "about")
		expect(t, sub, "about")
		send(t, sub, "\x00a")
		expect(t, pub, "\x00a")
		nothing(t, pub)
	})
}

func TestAPubDropsWhatIsNoSubscription(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, Pub, Config{}, XSub, Config{})
		send(t, sub, "hello")
		subscribe(t, sub, "a")
		send(t, pub, "a")
		expect(t, sub, "a")
		if n := pub.Stats().Dropped[Unexpected]; n != 1 {
			t.Errorf("%d messages are counted as unexpected", n)
		}
	})
}

// Beyond RecvHWM, what an XPUB's user has not received is made shorter, and stays true.
func TestWhatAnXPubDoesNotReceiveStaysBounded(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		pub := open(t, XPub, Config{RecvHWM: 4, Verbose: verbose})
		p := pub.pattern.(*publisher)
		ins := []*inlet{{peer: pub.newPeer(false, false)}, {peer: pub.newPeer(false, false)}, {peer: pub.newPeer(false, false)}}
		random := rand.New(rand.NewPCG(1, 2))
		now, shown := make(map[string]int), make(map[string]bool)
		see := func() bool {
			msg, err := pub.Recv(ended())
			if err == nil {
				shown[string(msg[0][1:])] = msg[0][0] == 1
			}
			return err == nil
		}
		for i := range 10_000 {
			n, on := random.IntN(len(ins)), random.IntN(2) == 0
			topic := fmt.Sprint(random.IntN(20), " ", i/100%50)
			p.took(ins[n], subscription(on, topic))
			if on {
				now[topic] |= 1 << n
			} else {
				now[topic] &^= 1 << n
			}
			if random.IntN(20) == 0 {
				see()
			}
			if i%100 > 0 {
				continue
			}
			live := 0
			for _, who := range now {
				if who != 0 {
					live++
				}
			}
			for topic, on := range shown {
				if on && now[topic] == 0 {
					live++
				}
			}
			if waiting := p.notices.Len(); waiting > 4+2*live {
				t.Fatalf("%d notices wait, for %d topics", waiting, live)
			}
		}
		for see() {
		}
		for topic, who := range now {
			if shown[topic] != (who != 0) {
				t.Errorf("%q: subscribed %v, shown %v", topic, who != 0, shown[topic])
			}
		}
		if len(p.latest) != 0 {
			t.Error("topics are left", p.latest)
		}
	}
}

// However many subscriptions come, and however fast.
func TestMessagesAreNotHeldUpByNotices(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, XPub, Config{Verbose: true}, XSub, Config{})
		send(t, sub, "up")
		until(t, "the message is there", pub.in.more)
		p := pub.pattern.(*publisher)
		p.mu.Lock()
		for range 1000 {
			p.notify("topic", true, false)
		}
		p.mu.Unlock()
		for range noticesInARow + 1 {
			if recv(t, pub)[0] == "up" {
				return
			}
		}
		t.Error("the message waits behind all subscriptions")
	})
}

func TestWhatAnXSubCouldNotSendIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		xpub, xsub := open(t, XPub, Config{Network: network}), open(t, XSub, Config{Network: network})
		connect(t, xsub, bind(t, xpub, "tcp://there:1"))
		until(t, "connected", func() bool { return len(livePeers(xsub)) == 1 })
		send(t, xsub, "hello")
		expect(t, xpub, "hello")
		network.Stall("there:1")
		const n = 300
		for range n {
			if err := xsub.Send(ended(), []byte("message"), tenKiB); err != nil {
				t.Fatal(err)
			}
		}
		network.Cut("there:1")
		xpub.Close(ended())
		synctest.Wait()
		if st := xsub.Stats(); st.Sent+st.Dropped[Lost] != n+1 || st.Queued != 0 {
			t.Errorf("of %d messages %d were sent, %d are queued and dropped are %v", n+1, st.Sent, st.Queued, st.Dropped)
		}
	})
}

func TestAPublisherKnowsWhatIsWanted(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		pub, sub := joined(t, endpoint, XPub, Config{SendHWM: 1}, Sub, Config{RecvHWM: 1})
		asked := func(topic string) [2]bool {
			wanted, room := pub.Wanted([]byte(topic))
			return [2]bool{wanted, room}
		}
		if got := asked("a"); got != [2]bool{false, true} {
			t.Error("without subscriptions:", got)
		}
		subscribe(t, sub, "a")
		if got := asked("ab"); got != [2]bool{true, true} {
			t.Error("what is subscribed to:", got)
		}
		if got := asked("b"); got != [2]bool{false, true} {
			t.Error("what is not:", got)
		}
		large := strings.Repeat("a", 1<<20)
		for i := 0; asked("a")[1]; i++ {
			if i == 1000 {
				t.Fatal("there is room for ever")
			}
			send(t, pub, large)
		}
		until(t, "there is room again", func() bool { // by the last message's leave, which is a moment after it has come
			sub.Recv(ended())
			return asked("a")[1]
		})
		if n := testing.AllocsPerRun(100, func() { pub.Wanted([]byte("ab")) }); n > 0 {
			t.Errorf("%v allocations", n)
		}
		shut(t, pub)
		if got := asked("a"); got != [2]bool{false, true} {
			t.Error("closed:", got)
		}
		if wanted, _ := sub.Wanted([]byte("a")); wanted {
			t.Error("of a SUB")
		}
	})
}

func TestASubscriberTellsItsTopicsFromTheLastToTheFirst(t *testing.T) {
	overEach(t, func(t *testing.T, endpoint string) {
		sub := open(t, Sub, Config{})
		subscribe(t, sub, "b", "\x00", "c", "a")
		pub := open(t, XPub, Config{})
		connect(t, sub, bind(t, pub, endpoint))
		for _, topic := range []string{"c", "b", "a", "\x00"} {
			expect(t, pub, "\x01"+topic)
		}
	})
}
