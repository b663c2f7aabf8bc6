package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// smallMemory is a configuration with room for about seven messages of tenKiB, and a thousand by number.
func smallMemory(network Network) Config { return Config{Network: network, memory: 64 << 10} }

var tenKiB = bytes.Repeat([]byte("x"), 10<<10)

// buffered is more messages of tenKiB than a connection of memnet and its reader hold besides what waits for Recv.
const buffered = 20

func TestWhatWaitsForRecvIsBoundedInMemoryToo(t *testing.T) {
	for name, frames := range map[string][][]byte{
		"large": {tenKiB},
		"many":  make([][]byte, 220), // 440 bytes on the wire
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				server, client := open(t, Router, smallMemory(network)), open(t, Dealer, Config{Network: network, SendHWM: 1})
				connect(t, client, bind(t, server, "tcp://server:5555"))
				waiting := func() (n int64) {
					r := server.pattern.(*router)
					r.mu.Lock()
					defer r.mu.Unlock()
					for _, in := range r.routes {
						in.inbox.mu.Lock()
						n += in.inbox.bytes
						in.inbox.mu.Unlock()
					}
					return n
				}
				const sent = 300
				go func() {
					for range sent {
						client.Send(context.Background(), frames...)
					}
				}()
				synctest.Wait()
				if n := waiting(); n < 64<<10 || n > 2*64<<10 {
					t.Errorf("%d bytes wait for Recv", n)
				}
				for range sent {
					recv(t, server)
				}
				if n := waiting(); n != 0 {
					t.Errorf("%d bytes are left", n)
				}
				shut(t, client)
				shut(t, server)
			})
		})
	}
}

// However small messages are, each that comes alone takes memory for a place of its own.
func TestWhatTricklesInIsBoundedInMemoryToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		cfg := smallMemory(network)
		cfg.RecvHWM = math.MaxInt
		pull, push := open(t, Pull, cfg), open(t, Push, Config{Network: network})
		connect(t, push, bind(t, pull, "tcp://server:5555"))
		const sent = 5000
		for range sent {
			send(t, push, "")
			synctest.Wait()
		}
		if n := pull.Stats().Waiting; n > 1000 {
			t.Errorf("%d messages wait for Recv", n)
		}
		for range sent {
			expect(t, pull, "")
		}
		shut(t, push)
		shut(t, pull)
	})
}

func TestPeersThatAreGoneLeaveLittleBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		server := open(t, Router, smallMemory(network))
		at := bind(t, server, "tcp://server:5555")
		visit := func(n int) {
			client := open(t, Dealer, Config{Network: network})
			connect(t, client, at)
			for range n {
				send(t, client, string(tenKiB))
			}
			shut(t, client)
			synctest.Wait()
		}
		for range 20 {
			visit(5)
		}
		if kept := 100 - dropped(server); kept != 10 { // the first visitor's, and of the one that found them
			t.Errorf("%d messages were kept", kept)
		} else {
			for range kept {
				recv(t, server)
			}
		}
		if server.Recv(ended()); server.in.left != 0 {
			t.Errorf("%d bytes count as left behind, and nothing is", server.in.left)
		}
		visit(5)
		for range 5 {
			recv(t, server)
		}
		shut(t, server)
	})
}

func TestRepWaitsForARequesterThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		server := open(t, Rep, smallMemory(network))
		at := bind(t, server, "tcp://server:5555")
		served := make(map[string]int)
		go func() {
			for {
				msg, err := server.Recv(context.Background())
				if err != nil {
					return
				}
				served[string(msg[0][:1])]++
				server.Send(context.Background(), msg[0], tenKiB)
			}
		}()
		const sent = 200
		rude, good := open(t, Dealer, Config{Network: network, RecvHWM: 1}), open(t, Req, Config{Network: network})
		connect(t, rude, at)
		connect(t, good, at)
		for i := range sent {
			send(t, rude, "", fmt.Sprint("r", i))
		}
		time.Sleep(time.Second) // for naps
		synctest.Wait()
		if n := served["r"]; n < 7 || n > 7+buffered {
			t.Errorf("%d requests were served whose replies nobody reads", n)
		}
		for range 10 {
			send(t, good, "g")
			expect(t, good, "g", string(tenKiB))
		}
		for i := range sent {
			expect(t, rude, "", fmt.Sprint("r", i), string(tenKiB))
		}
		if n := dropped(server); n != 0 {
			t.Errorf("%d replies were dropped", n)
		}
		shut(t, rude)
		shut(t, good)
		shut(t, server)
	})
}

// Or it would wait for ever, with all that the requester has sent and has not read.
func TestRepWaitsForNoRequesterThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		cfg := smallMemory(network)
		cfg.RecvHWM = 10
		server, rude := open(t, Rep, cfg), open(t, Dealer, Config{Network: network, RecvHWM: 1})
		connect(t, rude, bind(t, server, "tcp://server:5555"))
		go func() {
			for {
				msg, err := server.Recv(context.Background())
				if err != nil {
					return
				}
				server.Send(context.Background(), msg[0], tenKiB)
			}
		}()
		for range 200 {
			send(t, rude, "", "request")
		}
		synctest.Wait()
		if server.Stats().Waiting == 0 {
			t.Error("no request waits")
		}
		rude.Close(ended())
		time.Sleep(time.Second) // for naps
		if st := server.Stats(); len(st.Peers) != 0 || st.Waiting != 0 {
			t.Errorf("the requester is gone: %+v", st)
		}
	})
}

func TestASenderThatDoesNotRecvGetsItsNextConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		dealer := open(t, Dealer, Config{Network: network, RecvHWM: 10})
		connect(t, dealer, "tcp://server:5555")
		for range 3 {
			server := open(t, Dealer, Config{Network: network})
			bind(t, server, "tcp://server:5555")
			send(t, dealer, "request")
			expect(t, server, "request")
			for range 100 {
				send(t, server, "nobody reads this")
			}
			synctest.Wait()
			server.Close(ended())
		}
	})
}

func TestWhatAConnectionLeftBehindComesBeforeWhatTheNextOneBrings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := memnet.New()
		push, pull := open(t, Push, Config{Network: net}), open(t, Pull, Config{Network: net})
		connect(t, pull, bind(t, push, "tcp://push:1"))
		const rounds, each = 5, 10
		n := 0
		for round := range rounds {
			time.Sleep(time.Second) // it is connected again
			for range each {
				if round != 2 { // a connection that brings nothing
					send(t, push, fmt.Sprint(n))
					n++
				}
			}
			synctest.Wait()
			net.Cut("push:1")
		}
		time.Sleep(time.Second)
		for i := range n {
			expect(t, pull, fmt.Sprint(i))
		}
	})
}
