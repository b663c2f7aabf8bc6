package mailbox

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy passes bytes on between who connects to it and a tcp address, unless it is stopped: then it closes nothing and
// accepts connections, but not a byte moves, as when a cable is pulled.
type proxy struct {
	l        net.Listener
	to       string
	accepted atomic.Int64
	wg       sync.WaitGroup

	mu      sync.Mutex
	moves   sync.Cond
	stopped bool
	closed  bool
	conns   []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l, to: strings.TrimPrefix(to, "tcp://")}
	p.moves.L = &p.mu
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) endpoint() string { return "tcp://" + p.l.Addr().String() }

func (p *proxy) stop(on bool) {
	p.mu.Lock()
	p.stopped = on
	p.moves.Broadcast()
	p.mu.Unlock()
}

func (p *proxy) close() {
	p.l.Close()
	p.mu.Lock()
	p.closed = true
	p.moves.Broadcast()
	for _, c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *proxy) accept() {
	for {
		a, err := p.l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", p.to)
		if err != nil {
			a.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, a, b)
		if p.closed {
			a.Close()
			b.Close()
		}
		p.mu.Unlock()
		p.accepted.Add(1)
		p.wg.Go(func() { p.pass(a, b) })
		p.wg.Go(func() { p.pass(b, a) })
	}
}

// pass moves bytes from a to b. What ends one stream ends the other, but not while the proxy is stopped.
func (p *proxy) pass(a, b net.Conn) {
	defer b.Close()
	buf := make([]byte, 4096)
	for {
		n, err := a.Read(buf)
		p.mu.Lock()
		for p.stopped && !p.closed {
			p.moves.Wait()
		}
		p.mu.Unlock()
		if _, werr := b.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// connected is how many peers have a connection.
func connected(s *Socket) (n int) {
	for _, p := range s.Stats().Peers {
		if p.Connected {
			n++
		}
	}
	return n
}

// C20: nobody says that the link is gone, no message is needed to find out, and it comes back by itself.
func TestLinkThatDiedWithoutAWordIsFoundAtBothEndsAndRestored(t *testing.T) {
	cfg := Config{Heartbeat: 50 * time.Millisecond, HeartbeatTimeout: 200 * time.Millisecond, Handshake: 500 * time.Millisecond}
	server := open(t, Rep, cfg)
	p := newProxy(t, bind(t, server, "tcp://127.0.0.1:*"))
	client := open(t, Dealer, cfg)
	connect(t, client, p.endpoint())
	go echo(server, "")
	send(t, client, "", "before")
	expect(t, client, "", "before")
	if connected(server) != 1 || connected(client) != 1 {
		t.Fatal(connected(server), connected(client))
	}
	p.stop(true)
	until(t, "both have noticed", func() bool { return connected(server) == 0 && connected(client) == 0 })
	until(t, "the client tries again", func() bool { return p.accepted.Load() > 2 })
	send(t, client, "", "meanwhile")
	p.stop(false)
	expect(t, client, "", "meanwhile")
	if n := connected(client); n != 1 {
		t.Error(n)
	}
}

// A receiver that takes its time keeps its peers, though their PONGs wait behind messages.
func TestReceiverThatTakesItsTimeKeepsItsPeers(t *testing.T) {
	cfg := Config{Heartbeat: 20 * time.Millisecond, HeartbeatTimeout: 100 * time.Millisecond, RecvHWM: 1}
	pull := open(t, Pull, cfg)
	push := open(t, Push, Config{})
	connect(t, push, bind(t, pull, "tcp://127.0.0.1:*"))
	for range 10 {
		send(t, push, "x")
	}
	until(t, "it is connected", func() bool { return connected(pull) == 1 })
	since := pull.Stats().Peers[0].Since
	time.Sleep(400 * time.Millisecond) // is what happens here
	for range 10 {
		expect(t, pull, "x")
	}
	if peers := pull.Stats().Peers; len(peers) != 1 || !peers[0].Since.Equal(since) {
		t.Errorf("%+v", peers)
	}
}

func TestHeartbeatAndNetworkOptionsThatCanNotBeHonouredAreRefused(t *testing.T) {
	for _, h := range []struct {
		cfg Config
		why string
	}{
		{Config{Heartbeat: -1}, "Heartbeat"},
		{Config{HeartbeatTimeout: time.Second}, "need a Heartbeat"},
		{Config{Heartbeat: time.Second, HeartbeatTTL: 2 * time.Hour}, "HeartbeatTTL"},
		{Config{Backlog: -1}, "Backlog"},
		{Config{SendBuffer: -1}, "SendBuffer"},
		{Config{RecvBuffer: -1}, "RecvBuffer"},
		{Config{FileMode: 0o1600}, "FileMode"},
		{Config{KeepAlive: net.KeepAliveConfig{Count: 1}}, "KeepAlive"},
		{Config{Network: emptyNetwork{}, Backlog: 1}, "Network replaces"},
		{Config{Network: emptyNetwork{}, FileMode: 0o600}, "Network replaces"},
		{Config{Network: emptyNetwork{}, KeepAlive: net.KeepAliveConfig{Enable: true}}, "Network replaces"},
	} {
		h.cfg.Log = quiet
		s, err := New(Req, h.cfg)
		if err == nil {
			s.Close(ended())
		}
		if err == nil || !strings.Contains(err.Error(), h.why) {
			t.Errorf("%s: %v", h.why, err)
		}
	}
}

type emptyNetwork struct{ Network }

func TestSocketsWithAllNetworkOptionsTalk(t *testing.T) {
	cfg := Config{
		KeepAlive:  net.KeepAliveConfig{Enable: true, Idle: time.Minute},
		Backlog:    10,
		SendBuffer: 8 << 10,
		RecvBuffer: 8 << 10,
		FileMode:   0o600,
		Heartbeat:  time.Minute,
	}
	overEach(t, func(t *testing.T, endpoint string) {
		server, client := open(t, Rep, cfg), open(t, Req, cfg)
		bind(t, server, endpoint)
		connect(t, client, endpoint)
		go echo(server, "")
		for _, body := range []string{"x", big} {
			send(t, client, body)
			expect(t, client, body)
		}
	})
}
