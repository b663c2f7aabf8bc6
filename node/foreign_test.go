package node

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// foreigner speaks the protocol by hand.
type foreigner struct {
	t    *testing.T
	conn *zmtp.Conn
}

func dialBeta(t *testing.T, network *memnet.Network) *foreigner {
	t.Helper()
	return dialAt(t, network, "tcp", "127.0.0.1:4000")
}

func dialAt(t *testing.T, network *memnet.Network, transport, address string) *foreigner {
	t.Helper()
	nc, err := network.Dial(t.Context(), transport, address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := zmtp.Open(t.Context(), nc, &zmtp.Config{Type: zmq4.Dealer}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &foreigner{t, conn}
}

func (f *foreigner) send(h *header, body ...byte) {
	f.t.Helper()
	f.raw(append(appendHeader(nil, h), body...))
}

func (f *foreigner) raw(frames ...[]byte) {
	f.t.Helper()
	if _, err := f.conn.Write([][][]byte{frames}); err != nil {
		f.t.Fatal(err)
	}
}

// next reads the next message, which is no ACK unless one is wanted.
func (f *foreigner) next(kind uint64) (header, []byte) {
	f.t.Helper()
	for {
		msg, err := f.conn.Read()
		if err != nil {
			f.t.Fatal(err)
		}
		var h header
		body, err := split(&h, msg, nil)
		if err == nil && h.kind == kindAck && kind != kindAck {
			continue
		}
		if err != nil || h.kind != kind {
			f.t.Fatalf("got %+v %q, %v; want kind %d", h, body, err, kind)
		}
		return h, body
	}
}

func (f *foreigner) wantBye(reason string) {
	f.t.Helper()
	h, body := f.next(kindBye)
	if h.typ != reason {
		f.t.Fatalf("BYE %q %q, want %q", h.typ, body, reason)
	}
	if _, err := f.conn.Read(); err == nil {
		f.t.Fatal("something follows BYE")
	}
}

func (f *foreigner) greet() hello {
	f.t.Helper()
	return f.greetAs(memory{})
}

func (f *foreigner) greetAs(m memory) hello {
	f.t.Helper()
	f.send(&header{kind: kindHello}, appendHello(nil, &hello{lowest: 1, highest: 7, node: "foreign", incarnation: alphaInc, resume: m})...)
	_, body := f.next(kindHello)
	h, err := readHello(body)
	if err != nil {
		f.t.Fatal(err)
	}
	return h
}

func foreign(t *testing.T, test func(*testing.T, *Node, *foreigner)) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network})
		greeter(t, beta)
		test(t, beta, dialBeta(t, network))
	})
}

func TestForeignDealerAsks(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		h := f.greet()
		if h.node != "beta" || h.incarnation != beta.Incarnation() || len(h.endpoints) != 1 || h.endpoints[0] != "tcp://127.0.0.1:4000" ||
			h.limits["message"] != defaultMaxMessage {
			t.Errorf("HELLO is %+v", h)
		}
		f.send(&header{kind: 200, seq: 1}) // ignored, but counted
		f.send(&header{kind: kindAsk, seq: 2, target: address{form: byName, name: "greeter"},
			sender: address{form: byID, id: 9}, correlation: 77, typ: "string"}, appendStr(nil, "x")...)
		r, body := f.next(kindReply)
		if r.correlation != 77 || r.target != (address{form: byID, id: 9}) || r.seq != 1 || r.ack != 2 || r.typ != "string" ||
			!bytes.Equal(body, appendStr(nil, "hi x from beta")) {
			t.Errorf("reply %+v %q", r, body)
		}
		f.send(&header{kind: kindAsk, seq: 3, ack: 1, target: address{form: byName, name: "nobody"}, correlation: 78, typ: "string",
			sender: address{form: byID, id: 9}}, appendStr(nil, "x")...)
		r, body = f.next(kindFail)
		if u := (unpacker{b: body}); r.correlation != 78 || r.seq != 2 || r.ack != 3 || r.typ != "actor.no-actor" || u.str(1000) == "" || u.err != nil {
			t.Errorf("fail %+v %q", r, body)
		}
	})
}

func TestPingIsAnsweredAndDuplicatesAreNotDelivered(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		f.greet()
		_, got := collector(t, beta, "inbox", 10)
		for _, seq := range []uint64{1, 2, 2, 1, 3} {
			f.send(&header{kind: kindTell, seq: seq, target: address{form: byName, name: "inbox"}, typ: "string"},
				appendStr(nil, numbered(int(seq)))...)
		}
		f.send(&header{kind: kindPing})
		if h, _ := f.next(kindAck); h.ack != 3 || h.seq != 0 {
			t.Errorf("answered with %+v", h)
		}
		for i := 1; i <= 3; i++ {
			wantNext(t, got, numbered(i))
		}
		synctest.Wait()
		if len(got) != 0 {
			t.Errorf("%d more were delivered", len(got))
		}
	})
}

// Only the node that was asked answers.
func TestAnswerOfAnotherNodeIsNotTaken(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: beta.cfg.Network})
		asked, answer := make(chan struct{}), make(chan struct{})
		_, err := actor.Spawn(alpha, "slow", func(c *actor.Context, _ string) error {
			close(asked)
			<-answer
			return c.Reply("true")
		})
		if err != nil {
			t.Fatal(err)
		}
		f.greet()
		time.Sleep(time.Second)
		go ask(beta, to("x@foreign"), "x", time.Second)
		mine, _ := f.next(kindAsk)
		go func() {
			<-asked
			for i, sender := range []address{{}, {form: whole, node: "alpha", incarnation: alpha.Incarnation(), id: 1}} {
				f.send(&header{kind: kindReply, seq: uint64(1 + i), target: mine.sender, sender: sender, correlation: mine.correlation + 1,
					typ: "string"}, appendStr(nil, "false")...)
			}
			f.send(&header{kind: kindPing})
			f.next(kindAck)
			close(answer)
		}()
		wantReply(t, beta, to("slow@alpha"), "x", "true")
		if n := beta.DeadLetters()[actor.LateReply]; n != 2 {
			t.Errorf("dead letters %v, want two late replies", beta.DeadLetters())
		}
	})
}

// What one peer writes for a name does not break the link with another, to which it is passed on.
func TestBadNamesAreNotPassedOn(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		d := new(logtest.Log)
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: beta.cfg.Network, Log: d.Logger()})
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		f.greet()
		for i, target := range []address{{form: byName, name: "no name"}, {form: whole, node: "beta", name: "no name"}} {
			f.send(&header{kind: kindAsk, seq: uint64(1 + i), target: target, correlation: 1, typ: "string",
				sender: address{form: whole, node: "alpha", incarnation: alpha.Incarnation(), id: 1}}, appendStr(nil, "x")...)
		}
		f.send(&header{kind: kindAsk, seq: 3, target: address{form: byName, name: "no name"}, sender: address{form: byID, id: 9}, correlation: 2})
		if h, _ := f.next(kindFail); h.typ != "actor.name" || h.sender != (address{}) {
			t.Errorf("answered with %+v", h)
		}
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		if d.Lines("link down") != 0 {
			t.Error("the link of alpha went down")
		}
	})
}

// A peer that does not read what it asked for costs no more memory than two of the largest messages.
func TestUnreadRepliesPileUpToALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, MaxMessage: 1 << 20})
		greeter(t, beta)
		f := dialBeta(t, network)
		f.greet()
		const asks = 100
		for i := range uint64(asks) {
			f.send(&header{kind: kindAsk, seq: 1 + i, target: address{form: byName, name: "greeter"}, sender: address{form: byID, id: 9},
				correlation: i, typ: "string"}, appendStr(nil, strings.Repeat("x", 100_000))...)
		}
		synctest.Wait()
		out := &beta.peers.get("foreign").out
		if out.mu.Lock(); out.bytes < out.most || out.bytes >= 2*out.most {
			t.Errorf("%d bytes are queued, the mark is %d", out.bytes, out.most)
		}
		out.mu.Unlock()
		lost := beta.DeadLetters()[actor.Full]
		for range asks - lost {
			h, _ := f.next(kindReply)
			f.send(&header{kind: kindAck, ack: h.seq})
		}
		synctest.Wait()
		if out.mu.Lock(); lost == 0 || out.bytes != 0 {
			t.Errorf("%d replies dropped, %d bytes still queued", lost, out.bytes)
		}
		out.mu.Unlock()
		f.send(&header{kind: kindPing})
		f.next(kindAck)
	})
}

// A peer that said "closing" and is back after all, as the same incarnation, is there.
func TestPeerThatComesBackIsNotGone(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		f.greet()
		f.send(&header{kind: kindBye, typ: byeClosing})
		mine := actor.RefTo[string](actor.ExactPID("foreign", alphaInc, 9))
		if _, err := f.conn.Read(); err == nil {
			t.Fatal("BYE was answered")
		}
		synctest.Wait()
		wantErr(t, mine.Tell(beta, "x"), actor.ErrUnreachable)
		f = dialBeta(t, beta.cfg.Network.(*memnet.Network))
		f.greet()
		synctest.Wait()
		if err := mine.Tell(beta, "y"); err != nil {
			t.Fatal(err)
		}
		f.next(kindTell)
	})
}

func TestWhatEndsALink(t *testing.T) {
	body := appendHello(nil, &hello{lowest: 1, highest: 1, node: "foreign", incarnation: alphaInc})
	frame := appendHeader(nil, &header{kind: kindTell, seq: 1})
	for name, c := range map[string]struct {
		greet  bool
		frames [][]byte
		reason string
	}{
		"no header":           {true, [][]byte{[]byte("GET / HTTP/1.1")}, byeProtocol},
		"two frames":          {true, [][]byte{frame, frame}, byeProtocol},
		"empty frame first":   {true, [][]byte{{}, frame}, byeProtocol},
		"second HELLO":        {true, [][]byte{append(appendHeader(nil, &header{kind: kindHello}), body...)}, byeProtocol},
		"must understand":     {true, [][]byte{appendHeader(nil, &header{kind: 99, flags: mustUnderstand | 64})}, byeUnknown},
		"message before it":   {false, [][]byte{frame}, byeProtocol},
		"HELLO of nothing":    {false, [][]byte{appendHeader(nil, &header{kind: kindHello})}, byeProtocol},
		"later version":       {false, [][]byte{appendHello(appendHeader(nil, &header{kind: kindHello}), &hello{lowest: 2, highest: 3, node: "x", incarnation: alphaInc})}, byeVersion},
		"the node's own name": {false, [][]byte{appendHello(appendHeader(nil, &header{kind: kindHello}), &hello{lowest: 1, highest: 1, node: "beta", incarnation: alphaInc})}, byeNameTaken},
	} {
		t.Run(name, func(t *testing.T) {
			foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
				if c.greet {
					f.greet()
				}
				f.raw(c.frames...)
				f.wantBye(c.reason)
			})
		})
	}
}

func TestSilentConnectionIsClosed(t *testing.T) {
	foreign(t, func(t *testing.T, beta *Node, f *foreigner) {
		began := time.Now()
		if _, err := f.conn.Read(); err == nil {
			t.Fatal("something was sent")
		}
		if took := time.Since(began); took > helloTimeout+time.Second {
			t.Errorf("closed after %v", took)
		}
	})
}

// C09: bytes that are no link end their connection, and nothing else.
func TestHostileBytesDoNotDisturb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, d := memnet.New(), new(logtest.Log)
		beta := start(t, Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network, Log: d.Logger()})
		alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": "tcp://127.0.0.1:4000"}, Network: network})
		ref := greeter(t, beta)
		wantReply(t, alpha, ref, "before", "hi before from beta")
		var conns []net.Conn
		for _, bytes := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00", "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x01\x00"} {
			nc, err := network.Dial(context.Background(), "tcp", "127.0.0.1:4000")
			if err != nil {
				t.Fatal(err)
			}
			nc.Write([]byte(bytes))
			conns = append(conns, nc)
		}
		for range 100 {
			f := dialBeta(t, network)
			f.raw([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
			f.wantBye(byeProtocol)
		}
		for _, f := range []*foreigner{dialBeta(t, network), dialBeta(t, network)} {
			f.send(&header{kind: kindHello}) // and nothing more
		}
		wantReply(t, alpha, ref, "after", "hi after from beta")
		time.Sleep(time.Minute)
		wantReply(t, alpha, ref, "much later", "hi much later from beta")
		if n := d.Lines("level=WARN"); n > 20 {
			t.Errorf("%d warnings", n)
		}
		for _, nc := range conns {
			nc.Close()
		}
	})
}
