package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/zmtp"
)

const (
	villains   = 3        // at a time
	hostileMax = 1 << 20  // Config.MaxMessage of the node under attack
	maxGrowth  = 64 << 20 // of the heap, with what is not collected yet
	goodAsks   = 10       // of another node meanwhile
	maxAsk     = 5 * time.Second
)

// C09, C22, C82: whatever peers do that have got through the ZMTP handshake, the node lives, takes a bounded amount of
// memory, and goes on serving another node.
func TestHostilePeersDisturbNobody(t *testing.T) {
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			s.play(t, false)
		})
		if s.dialled {
			t.Run(s.name+", when dialled", func(t *testing.T) { s.play(t, true) })
		}
	}
}

// play lets villains have a node, which they have dialled, or which has dialled them.
func (s script) play(t *testing.T, dialled bool) {
	theirs, ours := new(logtest.Log), new(logtest.Log)
	log := slog.New(slog.NewTextHandler(theirs, nil)) // without what is for debugging, which a flood is
	cfg := Config{Name: "beta", Listen: []string{"tcp://127.0.0.1:0"}, MaxMessage: hostileMax, Outbox: 1000, HWM: 100, Log: log}
	var lairs []net.Listener
	if dialled {
		cfg.Peers = make(map[string]string)
		for i := range villains {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			lairs = append(lairs, l)
			cfg.Peers[fmt.Sprint("villain-", i)] = "tcp://" + l.Addr().String()
		}
	}
	beta := start(t, cfg)
	alpha := start(t, Config{Name: "alpha", Peers: map[string]string{"beta": beta.Endpoints()[0].String()}, Log: ours.Logger()})
	ref := greeter(t, beta)
	greeter(t, alpha)
	if _, err := actor.Spawn(beta, "victim", func(c *actor.Context, m string) error { return c.Reply(m) }); err != nil {
		t.Fatal(err)
	}
	polite := func(c *actor.Context, m meet) error {
		m.Who.Tell(c, m.Text)
		return nil
	}
	if _, err := actor.Spawn(beta, "polite", polite); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	if _, err := actor.Spawn(beta, "busy", func(*actor.Context, string) error { <-done; return nil }); err != nil {
		t.Fatal(err)
	}
	wantReply(t, alpha, ref, "x", "hi x from beta")

	stop, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	defer close(done)
	before := heap()
	over := make(chan struct{}, 1)
	for i := range villains {
		typ, next := zmq4.Dealer, func() (net.Conn, error) { return net.Dial("tcp", beta.Endpoints()[0].Address) }
		if dialled {
			typ, next = zmq4.Router, lairs[i].Accept
			context.AfterFunc(stop, func() { lairs[i].Close() })
		}
		wg.Go(func() { s.repeat(stop, &zmtp.Config{Type: typ}, next, fmt.Sprint("villain-", i), over) })
	}
	if s.ends {
		select {
		case <-over:
		case <-time.After(maxAsk):
			t.Error("no connection was ended")
		}
	}
	var took []time.Duration
	for range goodAsks {
		began := time.Now()
		wantReply(t, alpha, ref, "x", "hi x from beta")
		took = append(took, time.Since(began))
		time.Sleep(3 * time.Millisecond) // for the villains
	}
	if worst := slices.Max(took); worst > maxAsk {
		t.Errorf("an ask took %v", worst)
	}
	grown := heap() - before
	for i := 0; i < 5 && grown > maxGrowth; i++ { // what comes while the heap is measured counts as well
		grown = heap() - before
	}
	if grown > maxGrowth {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	if n := ours.Lines("link down"); n > 0 {
		t.Errorf("the other node lost its link %d times", n)
	}
	if n := theirs.Lines("level=WARN") + theirs.Lines("level=ERROR"); n > 50 {
		t.Errorf("%d warnings", n)
	}
	t.Logf("asks took at most %v, the heap grew by %d KiB, the log has %d lines", slices.Max(took), grown>>10, theirs.Lines("level=INFO")+theirs.Lines("level=WARN"))
}

// repeat plays over one connection after the other. It tells over when the node has ended one.
func (s script) repeat(stop context.Context, cfg *zmtp.Config, next func() (net.Conn, error), name string, over chan<- struct{}) {
	for ; stop.Err() == nil; time.Sleep(3 * time.Millisecond) {
		nc, err := next()
		if err != nil {
			return
		}
		conn, err := zmtp.Open(stop, nc, cfg, cfg.Type == zmq4.Router)
		if err != nil {
			continue
		}
		unhook := context.AfterFunc(stop, func() { conn.Close() })
		s.do(&villain{nc: nc, conn: conn, name: name})
		if stop.Err() == nil {
			select {
			case over <- struct{}{}:
			default:
			}
		}
		unhook()
		conn.Close()
	}
}

// heap is how much memory is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go of what they have at the second
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
