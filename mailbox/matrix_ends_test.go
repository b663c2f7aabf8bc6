package mailbox

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// way says in which direction messages go between our socket and pyzmq's, and who starts.
type way int

const (
	both     way = iota // any number in either direction
	weSend              // one direction only
	theySend            // the other
	weAsk               // each of ours is answered by one of theirs before the next
	theyAsk             // each of theirs by one of ours
)

// pairing is a socket type of ours with one of libzmq's that it can talk to.
type pairing struct {
	ours, theirs SocketType
	way          way
	head         []string // frames before the body of each message, at our end
	theirHead    []string // the same at theirs
}

func (p pairing) String() string { return fmt.Sprintf("%s-%s", p.ours, p.theirs) }

const ourName, theirName = "ours", "theirs"

var pairings = []pairing{
	{Push, Pull, weSend, nil, nil},
	{Pull, Push, theySend, nil, nil},
	{Req, Rep, weAsk, nil, nil},
	{Rep, Req, theyAsk, nil, nil},
	{Req, Router, weAsk, nil, []string{ourName, ""}},
	{Router, Req, theyAsk, []string{theirName, ""}, nil},
	{Dealer, Rep, weAsk, []string{""}, nil},
	{Rep, Dealer, theyAsk, nil, []string{""}},
	{Dealer, Router, both, nil, []string{ourName}},
	{Router, Dealer, both, []string{theirName}, nil},
	{Dealer, Dealer, both, nil, nil},
	{Router, Router, both, []string{theirName}, []string{ourName}},
	{Pair, Pair, both, nil, nil},
	{Pub, Sub, weSend, nil, nil},
	{Pub, XSub, weSend, nil, nil},
	{XPub, Sub, weSend, nil, nil},
	{XPub, XSub, weSend, nil, nil},
	{Sub, Pub, theySend, nil, nil},
	{Sub, XPub, theySend, nil, nil},
	{XSub, Pub, theySend, nil, nil},
	{XSub, XPub, theySend, nil, nil},
}

// wires are the endpoints that a socket may be bound to.
var wires = []transport{
	{"ipc", transports[1].endpoint},
	{"tcp", func(testing.TB) string { return "tcp://127.0.0.1:*" }},
	{"tcp6", func(testing.TB) string { return "tcp://[::1]:*" }}, // C16
}

// ends are our socket and pyzmq's, which talk.
type ends struct {
	pairing
	t *testing.T
	s *Socket
	f *foreign
}

// meet opens both ends, of which ours or theirs binds.
func (p pairing) meet(t *testing.T, py *python, weBind bool, at string, options ...string) *ends {
	t.Helper()
	e := &ends{pairing: p, t: t}
	if weBind {
		e.openTheirs(py, false, e.openOurs(true, at), options...)
	} else {
		e.openOurs(false, e.openTheirs(py, true, at, options...))
	}
	e.ready()
	return e
}

func (e *ends) openOurs(binds bool, at string) string {
	e.t.Helper()
	var cfg Config
	if e.theirs == Router {
		cfg.Identity = []byte(ourName)
	}
	e.s = open(e.t, e.ours, cfg)
	if binds {
		return bind(e.t, e.s, at)
	}
	connect(e.t, e.s, at)
	return at
}

func (e *ends) openTheirs(py *python, binds bool, at string, options ...string) string {
	e.t.Helper()
	how := "connect"
	if binds {
		how = "bind"
	}
	if e.ours == Router {
		options = append(slices.Clone(options), "identity="+theirName)
	}
	e.f = py.open(e.t, e.theirs, how, at, options...)
	return e.f.at
}

// ready waits until both ends can send.
func (e *ends) ready() {
	e.t.Helper()
	e.talking(1)
	e.f.tell("poll") // a pyzmq socket learns of lost connections when it is used, and not in every send
	switch e.theirs {
	case Sub:
		e.f.set("subscribe=")
	case XSub:
		e.f.send("\x01")
	}
	switch e.ours {
	case Sub, XSub:
		subscribeTo(e.t, e.s, "")
	case Pub, XPub:
		until(e.t, "a subscriber", func() bool {
			e.f.tell("poll") // a pyzmq socket sends its subscriptions when it is used
			return e.s.WaitSubscribers(ended(), 1) == nil
		})
	}
	switch e.theirs {
	case XPub:
		for e.f.tell("recv") != "\"\x01\"" { // after a restart the end of the old one comes first
		}
	case Pub: // does not tell who subscribed
		until(e.t, "subscribed", func() bool {
			e.f.send("x")
			_, err := e.s.Recv(within(e.t, 5*time.Millisecond))
			return err == nil
		})
		e.f.send("start")
		for recv(e.t, e.s)[0] != "start" {
		}
	}
	if e.ours == XPub {
		expect(e.t, e.s, "\x01")
	}
}

// talking waits until our socket has n connections.
func (e *ends) talking(n int) {
	e.t.Helper()
	until(e.t, fmt.Sprint("connections: ", n), func() bool {
		e.s.mu.Lock()
		defer e.s.mu.Unlock()
		return len(e.s.conns) == n
	})
}

// unbound waits until nobody listens at an endpoint: pyzmq closes sockets, and removes their files, some time later.
func (e *ends) unbound(at string) {
	e.t.Helper()
	where, err := ParseEndpoint(at)
	if err != nil {
		e.t.Fatal(err)
	}
	until(e.t, "unbound", func() bool {
		c, err := net.Dial(where.Network, where.Address)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

// conn returns our socket's connection.
func (e *ends) conn() *zmtp.Conn {
	e.s.mu.Lock()
	defer e.s.mu.Unlock()
	for c := range e.s.conns {
		return c
	}
	return nil
}

// exchange sends all bodies, in both directions if the pattern has two.
func (e *ends) exchange(bodies [][]string) {
	e.t.Helper()
	if e.way == both || e.way == weSend {
		for _, body := range bodies {
			e.weSend(body)
		}
		for _, body := range bodies {
			e.theyGet(body)
		}
	}
	if e.way == both || e.way == theySend {
		for _, body := range bodies {
			e.theySend(body)
		}
		for _, body := range bodies {
			e.weGet(body)
		}
	}
	for i, body := range bodies {
		back := bodies[len(bodies)-1-i]
		switch e.way {
		case weAsk:
			e.weSend(body)
			e.theyGet(body)
			e.theySend(back)
			e.weGet(back)
		case theyAsk:
			e.theySend(body)
			e.weGet(body)
			e.weSend(back)
			e.theyGet(back)
		}
	}
}

// full returns head and body as one message.
func full(head, body []string) []string { return append(slices.Clone(head), body...) }

// weSend sends as the pattern has it, a REP without the envelope that it keeps.
func (e *ends) weSend(body []string)   { e.t.Helper(); send(e.t, e.s, full(e.head, body)...) }
func (e *ends) weGet(body []string)    { e.t.Helper(); expectShort(e.t, e.s, full(e.head, body)) }
func (e *ends) theySend(body []string) { e.t.Helper(); e.f.send(full(e.theirHead, body)...) }
func (e *ends) theyGet(body []string)  { e.t.Helper(); e.f.expect(full(e.theirHead, body)...) }

// expectShort is expect for large frames.
func expectShort(t *testing.T, s *Socket, want []string) {
	t.Helper()
	if got := recv(t, s); !slices.Equal(got, want) {
		t.Fatalf("received %s, want %s", short(got), short(want))
	}
}

func short(frames []string) (out string) {
	for _, f := range frames {
		out += fmt.Sprintf(" %.20q(%d)", f, len(f))
	}
	return out
}
