package mailbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// shapes are bodies of all sizes, and with empty frames everywhere.
var shapes = [][]string{
	{"Hello"},
	{""},
	{"x"},
	{blocks(255)},
	{blocks(256)},
	{blocks(64 << 10)},
	{blocks(1 << 20)},
	{"one", "two", "three"},
	{"", "two", "three"},
	{"one", "", "three"},
	{"one", "two", ""},
	{"", "", ""},
	{blocks(255), blocks(256), ""},
	{"", blocks(64<<10 + 1), "x"},
}

// overEachPairing runs test for every pairing, over every transport, with ours binding and with theirs.
func overEachPairing(t *testing.T, wires []transport, test func(t *testing.T, py *python, p pairing, weBind bool, at string)) {
	py := startPython(t)
	for _, p := range pairings {
		for _, wire := range wires {
			for _, who := range []string{"ours", "theirs"} {
				t.Run(fmt.Sprintf("%v/%s/%s binds", p, wire.name, who), func(t *testing.T) {
					test(t, py, p, who == "ours", wire.endpoint(t))
				})
			}
		}
	}
}

// Every pattern of ours with every one of libzmq's that it goes with: messages of all shapes arrive as they were sent.
func TestMatrixEachPairingExchangesMessagesOfAllShapes(t *testing.T) {
	overEachPairing(t, wires, func(t *testing.T, py *python, p pairing, weBind bool, at string) {
		e := p.meet(t, py, weBind, at)
		e.exchange(shapes)
		if n := dropped(e.s); n != 0 {
			t.Errorf("%d messages were dropped", n)
		}
	})
}

// C60 among others: whichever end goes away and returns, the other one goes on with it, subscriptions included.
func TestMatrixEachPairingOutlivesARestartOfEitherEnd(t *testing.T) {
	overEachPairing(t, wires[:2], func(t *testing.T, py *python, p pairing, weBind bool, at string) {
		few := [][]string{{"a"}, {"b", "", "c"}}
		e := p.meet(t, py, weBind, at)
		e.exchange(few)
		for range 2 { // theirs
			where := e.f.at
			e.f.close()
			e.talking(0)
			if !weBind {
				e.unbound(where)
			}
			if e.ours == XPub {
				expect(t, e.s, "\x00")
			}
			e.openTheirs(py, !weBind, where)
			e.ready()
			e.exchange(few)
		}
		for range 2 { // ours
			e.restartOurs(weBind)
			for e.theirs == Pair && !weBind && !e.heard() {
				e.restartOurs(weBind)
			}
			e.exchange(few)
		}
	})
}

// restartOurs closes our socket and opens another in its place.
func (e *ends) restartOurs(binds bool) {
	e.t.Helper()
	shut(e.t, e.s)
	if e.theirs == Pair && !binds {
		until(e.t, "noticed", func() bool { return e.f.tell("poll") != "out" })
	}
	e.openOurs(binds, e.f.at)
	e.ready()
}

// heard sends a message and says whether it is received. A PAIR of libzmq that binds does not hear a peer that came
// before it was quite through with the one before.
func (e *ends) heard() bool {
	e.t.Helper()
	e.weSend([]string{"heard?"})
	for end := time.Now().Add(time.Second / 2); e.f.tell("poll") != "in"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	e.theyGet([]string{"heard?"})
	return true
}

func TestMatrix64MiBPassBetweenUsAndLibzmq(t *testing.T) {
	py := startPython(t)
	body := [][]string{{blocks(64 << 20)}}
	for _, p := range pairings {
		switch fmt.Sprint(p) {
		case "DEALER-ROUTER", "PUSH-PULL", "SUB-XPUB":
			t.Run(p.String(), func(t *testing.T) {
				p.meet(t, py, true, wires[1].endpoint(t)).exchange(body)
			})
		}
	}
}

// Libzmq's heartbeats ask for a sign of life all the time and end the connection without one. TROUPE_LONG=1 makes it
// a minute. C27.
func TestMatrixIdleConnectionsAnswerLibzmqsHeartbeats(t *testing.T) {
	idle, options := 2200*time.Millisecond, []string{"heartbeat_ivl=100", "heartbeat_timeout=1000", "heartbeat_ttl=1500"}
	if os.Getenv("TROUPE_LONG") == "1" {
		idle, options = time.Minute, []string{"heartbeat_ivl=1000", "heartbeat_timeout=1000", "heartbeat_ttl=2000"}
	}
	py := startPython(t)
	var all []*ends
	for i, p := range pairings {
		all = append(all, p.meet(t, py, i%2 == 0, wires[i%len(wires)].endpoint(t), options...))
	}
	before := make(map[*ends]*zmtp.Conn)
	for _, e := range all {
		before[e] = e.conn()
	}
	<-within(t, idle).Done()
	for _, e := range all {
		if e.conn() != before[e] {
			t.Errorf("%v: the connection was lost", e.pairing)
		}
		e.exchange(shapes[:5])
	}
}

// A publisher that crashed is a new one at the same place: only what was subscribed to comes from it. C60.
func TestSubscriptionsReachARestartedPyzmqPublisher(t *testing.T) {
	for _, typ := range []SocketType{Sub, XSub} {
		t.Run(string(typ), func(t *testing.T) {
			s, at := open(t, typ, Config{}), "ipc://"+filepath.Join(t.TempDir(), "s")
			connect(t, s, at)
			subscribeTo(t, s, "tx")
			subscribeTo(t, s, "zz")
			if err := s.Unsubscribe("zz"); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				f := pyzmqPeer(t, XPub, "bind", at)
				f.expect("\x01tx")
				for i := range 10 {
					f.send("zz")
					f.send("t")
					f.send("tx", fmt.Sprint(i))
				}
				for i := range 10 {
					expect(t, s, "tx", fmt.Sprint(i))
				}
				f.kill()
			}
		})
	}
}
