package node

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// All nodes have the same list of addresses. They learn each other's names, have one link per pair, and find themselves
// without a word.
func TestNodesWithOneListOfAddresses(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			network, log := memnet.New(), new(logtest.Log)
			network.Delay(seed+1, 50*time.Millisecond)
			list := Static{"tcp://10.0.0.1:4000", "tcp://10.0.0.2:4000", "tcp://10.0.0.3:4000"}
			var nodes []*Node
			for i, name := range []string{"alpha", "beta", "gamma"} {
				n := start(t, Config{Insecure: true, Name: name, Listen: []string{list[i]}, Discovery: list, Network: network, Log: log.Logger()})
				greeter(t, n)
				nodes = append(nodes, n)
			}
			time.Sleep(20 * time.Second)
			for _, n := range nodes {
				wantNames(t, n, "alpha beta gamma")
				for _, other := range nodes {
					wantReply(t, n, to("greeter@"+other.Name()), "x", "hi x from "+other.Name())
				}
			}
			time.Sleep(time.Hour)
			if up, down := log.Lines("link up"), log.Lines("link down"); up != 6 || down != 0 {
				t.Errorf("seed %d: links went up %d times and down %d times, want 6 (one for each pair at both nodes) and 0", seed, up, down)
			}
			usual := log.Lines("not encrypted") + log.Lines("cannot connect") // before the other listens
			if n := log.Lines("level=INFO"); n > 100 || log.Lines("level=ERROR") > 0 || log.Lines("level=WARN") > usual {
				t.Errorf("seed %d: %d lines in an hour, %d of them warnings\n%s", seed, n, log.Lines("level=WARN"), log.String())
			}
			if t.Failed() {
				t.FailNow()
			}
		})
	}
}

func TestFoundNodeIsFoundAgainAfterARestartUnderAnotherName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		alpha := start(t, Config{Insecure: true, Name: "alpha", Discovery: Static{"tcp://10.0.0.2:4000"}, Network: network})
		for _, name := range []string{"beta", "gamma", "beta"} {
			n := start(t, Config{Insecure: true, Name: name, Listen: []string{"tcp://10.0.0.2:4000"}, Network: network})
			greeter(t, n)
			time.Sleep(10 * time.Second)
			wantReply(t, alpha, to("greeter@"+name), "x", "hi x from "+name)
			n.Close(t.Context())
			time.Sleep(3 * defaultExpire)
			wantNames(t, alpha, "alpha")
		}
	})
}

// Another node with this one's name is not taken for this one.
func TestTwinAtAFoundAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, log := memnet.New(), new(logtest.Log)
		start(t, Config{Insecure: true, Name: "alpha", Listen: []string{"tcp://10.0.0.2:4000"}, Network: network})
		alpha := start(t, Config{Insecure: true, Name: "alpha", Discovery: Static{"tcp://10.0.0.2:4000"}, Network: network, Log: log.Logger()})
		time.Sleep(time.Minute)
		if n := log.Lines("level=ERROR"); n != 1 || log.Lines("name taken") == 0 {
			t.Errorf("%d errors logged, want one about the name\n%s", n, log.String())
		}
		wantNames(t, alpha, "alpha")
	})
}

// The name of a listener that gives none in the handshake is learnt from its HELLO.
func TestListenerWithoutAnIdentityIsFound(t *testing.T) {
	for _, name := range []string{"foreign", "alpha"} {
		synctest.Test(t, func(t *testing.T) {
			network, log := memnet.New(), new(logtest.Log)
			answer := hello{lowest: 1, highest: 1, node: name, incarnation: alphaInc}
			l, err := zmtp.Listen(t.Context(), &zmtp.Config{Type: zmq4.Router, Network: network}, "tcp", "10.0.0.2:4000", func(conn *zmtp.Conn) {
				if _, err := conn.Read(); err != nil {
					return
				}
				conn.Write([][][]byte{{appendHello(appendHeader(nil, &header{kind: kindHello}), &answer)}})
				for {
					if _, err := conn.Read(); err != nil {
						return
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			alpha := start(t, Config{Insecure: true, Name: "alpha", Discovery: Static{"tcp://10.0.0.2:4000"}, Network: network, Log: log.Logger()})
			time.Sleep(time.Second)
			if name == "alpha" {
				wantNames(t, alpha, "alpha")
				if log.Lines("has the name of this one") == 0 {
					t.Error("the log says nothing")
				}
				return
			}
			wantNames(t, alpha, "alpha foreign")
			if to(fmt.Sprintf("x@%s", name)).Tell(alpha, "x") != nil {
				t.Error("it cannot be told anything")
			}
		})
	}
}

// One that has a link already, and does not say who it is before it refuses another, is let alone for a while.
func TestListenerWithoutAnIdentityThatHasALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, calls := memnet.New(), 0
		l, err := zmtp.Listen(t.Context(), &zmtp.Config{Type: zmq4.Router, Network: network}, "tcp", "10.0.0.2:4000", func(conn *zmtp.Conn) {
			calls++
			conn.Read()
			conn.Write([][][]byte{{appendStr(appendHeader(nil, &header{kind: kindBye, typ: byeDuplicate}), "")}})
			conn.Read()
		})
		if err != nil {
			t.Fatal(err)
		}
		start(t, Config{Insecure: true, Name: "alpha", Discovery: Static{"tcp://10.0.0.2:4000"}, Network: network})
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if calls < 5 || calls > 11 {
			t.Errorf("it was dialled %d times in ten minutes", calls)
		}
		l.Close()
	})
}

func TestTwoAddressesOfOneNodeMakeOneLink(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			network, log := memnet.New(), new(logtest.Log)
			network.Delay(seed+1, 50*time.Millisecond)
			list := Static{"tcp://10.0.0.2:4000", "tcp://[fd00::2]:4000"}
			greeter(t, start(t, Config{Insecure: true, Name: "beta", Listen: list, Network: network}))
			alpha := start(t, Config{Insecure: true, Name: "alpha", Discovery: list, Network: network, Log: log.Logger()})
			time.Sleep(time.Hour)
			wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
			if up, down := log.Lines("link up"), log.Lines("link down"); up != 1 || down != 0 {
				t.Fatalf("seed %d: the link went up %d times and down %d times", seed, up, down)
			}
		})
	}
}
