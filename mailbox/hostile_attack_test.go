package mailbox

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// attack is what peers do to a socket that others use meanwhile.
type attack struct {
	name string
	on   []SocketType // sockets that it is tried on
	// do talks over a connection until that ends. hello is a greeting and a READY that the socket takes.
	do func(c net.Conn, hello string)
	// ends says that the socket ends the connection.
	ends bool
	// dialled says that the socket makes the connection.
	dialled bool
	// delivers says that messages of such peers are received, as is right for what they do.
	delivers bool
	// flood says that they send as fast as they can.
	flood bool
	// waits says that they do nothing for a long time: it is tried on all sockets at once.
	waits bool
	// storm says that they connect again at once.
	storm bool
	// answer is what the socket sends, besides what its good peer needs, between two round trips of that.
	answer func(t *target)
}

const (
	attackers  = 3        // at a time, on each socket
	hostileMem = 1 << 20  // Config.MaxMessage and the mark for memory
	maxGrowth  = 32 << 20 // of the heap, for all that is attacked at once
	pauses     = 3 * time.Millisecond
)

// The good peer's round trips meanwhile, how long one may take, and how long all. Without attackers 200 take 10 ms.
var roundTrips, inAFlood, maxRound, maxRounds = 200, 20, 2 * time.Second, 10 * time.Second

func init() {
	if raceEnabled { // attackers, who share the processor, are slower as well
		roundTrips, inAFlood, maxRound, maxRounds = 20, 5, 8*time.Second, 40*time.Second
	}
}

// goodPeer is a type for the peers of a socket, good and hostile.
var goodPeer = map[SocketType]SocketType{Rep: Req, Router: Dealer, Dealer: Dealer, Pull: Push, Push: Pull, Sub: Pub, XSub: Pub, Pub: Sub, XPub: Sub, Pair: Pair, Req: Rep}

// target is a socket under attack, and one that uses it.
type target struct {
	t       *testing.T
	s, good *Socket
	strange atomic.Int64 // messages received that the good peer did not send
	round   func(i int)  // a round trip
}

const goodName = "good"

// newTarget binds a socket of type typ with few resources. Its good peer is connected and has made a round trip.
func newTarget(t *testing.T, typ SocketType) (g *target, at Endpoint) {
	cfg := Config{MaxMessage: hostileMem, memory: hostileMem, Handshake: 200 * time.Millisecond, SendHWM: 100, RecvHWM: 100}
	cfg.Immediate = typ == Req // or its requests wait for peers that it dials and that never get through the handshake
	g = &target{t: t, s: open(t, typ, cfg)}
	e := bind(t, g.s, "tcp://127.0.0.1:*")
	cfg = Config{}
	if goodPeer[typ] == Req || goodPeer[typ] == Dealer {
		cfg.Identity = []byte(goodName)
	}
	g.good = open(t, goodPeer[typ], cfg)
	connect(t, g.good, e)
	switch typ {
	case Rep, Router:
		go g.serve()
		g.round = g.ask
	case Pub, XPub:
		subscribeTo(t, g.good, goodName)
		waitSubscribers(t, g.s, 1)
		if typ == XPub {
			expect(t, g.s, "\x01"+goodName)
		}
		g.round = func(i int) { g.pass(g.s, g.good, i) }
	case Req:
		go echo(g.good, "")
		g.round = g.request
	case Push:
		go g.supply()
		g.round = func(int) { recv(t, g.good) }
	default:
		if typ == Sub || typ == XSub {
			subscribeTo(t, g.s, goodName)
			waitSubscribers(t, g.good, 1)
		}
		g.round = func(i int) { g.pass(g.good, g.s, i) }
	}
	g.round(0)
	at, _ = ParseEndpoint(e)
	return g, at
}

// serve answers whatever comes to a REP or ROUTER.
func (g *target) serve() {
	for {
		msg, err := g.s.Recv(context.Background())
		if err != nil {
			return
		}
		if !strings.HasPrefix(string(msg[len(msg)-1]), goodName) {
			g.strange.Add(1)
		}
		g.s.Send(context.Background(), msg...)
	}
}

// supply gives a PUSH as much as it takes.
func (g *target) supply() {
	for g.s.Send(context.Background(), []byte(goodName)) == nil {
	}
}

func (g *target) ask(i int) {
	g.t.Helper()
	body := fmt.Sprint(goodName, i)
	send(g.t, g.good, body)
	expect(g.t, g.good, body)
}

// request is a REQ's round trip. Its turn may be that of a hostile REP, which has no good answer and goes away.
func (g *target) request(i int) {
	g.t.Helper()
	body := fmt.Sprint(goodName, i)
	for {
		send(g.t, g.s, body)
		msg, err := g.s.Recv(within(g.t, 10*time.Second))
		switch {
		case err == ErrPeerLost:
			continue
		case err != nil:
			g.t.Fatal(err)
		case string(msg[0]) == body:
			return
		}
		g.strange.Add(1)
	}
}

// pass sends from one socket to the other, which may receive others' messages before.
func (g *target) pass(from, to *Socket, i int) {
	g.t.Helper()
	body := fmt.Sprint(goodName, i)
	send(g.t, from, body)
	for {
		got := recv(g.t, to)
		if len(got) == 1 && got[0] == body {
			return
		}
		g.strange.Add(1)
	}
}

// hostileTo returns the greeting and READY of a peer that a socket of type typ takes.
func hostileTo(typ SocketType) string {
	return greeting + ready(property("Socket-Type", string(goodPeer[typ]))+property("Identity", ""))
}

// raid keeps attackers at a target until it is stopped.
type raid struct {
	attack
	hello string
	stop  context.Context
	wg    sync.WaitGroup
	over  atomic.Int64 // connections that did not last until the stop
}

func (r *raid) begin(t *testing.T, g *target, at Endpoint) {
	if r.dialled {
		for range attackers {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			context.AfterFunc(r.stop, func() { l.Close() })
			connect(t, g.s, "tcp://"+l.Addr().String())
			r.wg.Go(func() { r.repeat(l.Accept) })
		}
		return
	}
	for range attackers {
		r.wg.Go(func() { r.repeat(func() (net.Conn, error) { return net.Dial("tcp", at.Address) }) })
	}
}

// repeat attacks over one connection after the other.
func (r *raid) repeat(next func() (net.Conn, error)) {
	pause := time.NewTicker(pauses)
	defer pause.Stop()
	for r.stop.Err() == nil {
		if !r.storm {
			<-pause.C
		}
		c, err := next()
		if err != nil {
			return
		}
		unhook := context.AfterFunc(r.stop, func() { c.Close() })
		r.do(c, r.hello)
		if r.stop.Err() == nil {
			r.over.Add(1)
		}
		unhook()
		c.Close()
	}
}

// heap is how much memory is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// C08, C09, C22: whatever hostile peers do, nothing panics, memory stays bounded, nothing of theirs is delivered that
// should not be, and the others go on.
func TestHostilePeersDisturbNobody(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			if a.waits {
				a.try(t, a.on)
				return
			}
			for _, typ := range a.on {
				a.try(t, []SocketType{typ})
			}
		})
	}
}

// try attacks sockets of the given types, all at once.
func (a attack) try(t *testing.T, types []SocketType) {
	stop, cancel := context.WithCancel(context.Background())
	var targets []*target
	var raids []*raid
	defer func() {
		cancel()
		for _, r := range raids {
			r.wg.Wait()
		}
	}()
	before := heap()
	for _, typ := range types {
		g, at := newTarget(t, typ)
		r := &raid{attack: a, hello: hostileTo(typ), stop: stop}
		targets, raids = append(targets, g), append(raids, r)
		r.begin(t, g, at)
	}
	for i, g := range targets {
		g.use(a)
		if a.ends {
			until(t, fmt.Sprintf("the %s ended a connection", g.s.Type()), func() bool { return raids[i].over.Load() > 0 })
		}
	}
	grown := int64(heap() - before)
	for i := 0; i < 5 && grown > maxGrowth; i++ { // what comes while the heap is measured counts as well
		grown = int64(heap() - before)
	}
	if grown > maxGrowth {
		t.Errorf("%v: the heap grew by %d KiB", types, grown>>10)
	}
	for _, g := range targets {
		if n := g.strange.Load(); n > 0 && !a.delivers {
			t.Errorf("the %s delivered %d messages of hostile peers", g.s.Type(), n)
		}
	}
	cancel()
	for _, g := range targets { // which end at once, not with the test
		g.s.Close(ended())
		g.good.Close(ended())
	}
}

// use makes round trips, none of which may take long.
func (g *target) use(a attack) {
	g.t.Helper()
	var took []time.Duration
	start := time.Now()
	n := roundTrips
	if a.flood {
		n = inAFlood
	}
	for i := range n {
		if a.answer != nil {
			a.answer(g)
		}
		began := time.Now()
		g.round(i + 1)
		took = append(took, time.Since(began))
	}
	if worst, all := slices.Max(took), time.Since(start); worst > maxRound || all > maxRounds {
		g.t.Errorf("%s: %d round trips took %v, one of them %v", g.s.Type(), n, all, worst)
	}
}

// discard reads until the connection ends.
func discard(c net.Conn) { io.Copy(io.Discard, c) }
