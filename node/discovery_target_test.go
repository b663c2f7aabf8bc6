package node

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/internal/zmtp"
)

func TestFoundNodeIsDialledAtItsEndpointsInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, beta, d, network, _ := found(t)
		wantErr(t, to("greeter@beta").Tell(alpha, "x"), actor.ErrNoNode)
		d.post(at("alpha", "tcp://127.0.0.1:9"), at("beta", "tcp://127.0.0.1:4009", "tcp://127.0.0.1:4000"))
		began := time.Now()
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		if took := time.Since(began); took > 0 {
			t.Errorf("the endpoint that works was tried after %v", took)
		}
		beta.Close(ended())
		beta = start(t, Config{Insecure: true, Name: "beta", Listen: []string{"tcp://127.0.0.1:4001"}, Network: network})
		greeter(t, beta)
		d.post(at("beta", "tcp://127.0.0.1:4000", "tcp://127.0.0.1:4001"))
		wantReply(t, alpha, to("greeter@beta"), "y", "hi y from beta")
	})
}

// hole is a network on which one address swallows what is sent to it.
type hole struct {
	*memnet.Network
	address string
}

func (h hole) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address == h.address {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.Network.Dial(ctx, network, address)
}

// A node that is silent where it is dialled first does not keep from being found elsewhere.
func TestEndpointThatKeepsWaitingHasItsShareOfTheTime(t *testing.T) {
	// One that greets and then says nothing.
	mute := func(t *testing.T, network *memnet.Network, address string) hole {
		l, err := zmtp.Listen(t.Context(), &zmtp.Config{Type: zmq4.Router, Network: network}, "tcp", address, func(conn *zmtp.Conn) {
			<-conn.Done()
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return hole{network, ""}
	}
	for name, spoil := range map[string]func(t *testing.T, network *memnet.Network, address string) hole{
		"silent": func(_ *testing.T, network *memnet.Network, address string) hole { return hole{network, address} },
		"unanswered": func(t *testing.T, network *memnet.Network, address string) hole {
			if _, err := network.Listen(t.Context(), "tcp", address); err != nil {
				t.Fatal(err)
			}
			return hole{network, ""}
		},
		"mute": mute,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network, d := memnet.New(), new(notices)
				greeter(t, start(t, Config{Insecure: true, Name: "beta", Listen: []string{"tcp://127.0.0.1:4000"}, Network: network}))
				alpha := start(t, Config{Insecure: true, Name: "alpha", Discovery: d, Network: spoil(t, network, "127.0.0.1:4009")})
				d.post(at("beta", "tcp://127.0.0.1:4009", "tcp://127.0.0.1:4000"))
				if _, err := ask(alpha, to("greeter@beta"), "x", 15*time.Second); err != nil {
					t.Error(err)
				}
				network.Cut("127.0.0.1:4000") // and from now on the one that works is tried first
				began := time.Now()
				wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
				if took := time.Since(began); took > time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// Another node at an endpoint is refused, and the next endpoint tried.
func TestAnotherNodeAtAFoundEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alpha, _, d, network, log := found(t)
		start(t, Config{Insecure: true, Name: "gamma", Listen: []string{"tcp://127.0.0.1:4001"}, Network: network})
		d.post(at("beta", "tcp://127.0.0.1:4001", "tcp://127.0.0.1:4000"))
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		if log.Lines(`at 127.0.0.1:4001 is node \"gamma\", not \"beta\"`) == 0 {
			t.Error("the log does not say who was found")
		}
	})
}

func TestFoundEndpointsOfEveryTransport(t *testing.T) {
	ipc := "ipc://" + filepath.Join(t.TempDir(), "beta.sock")
	beta := start(t, Config{Insecure: true, Name: "beta", Listen: []string{"tcp://127.0.0.1:0", ipc, "inproc://discovery-test-beta"}})
	greeter(t, beta)
	for _, e := range beta.Endpoints() {
		d := &notices{ready: make(chan struct{})}
		alpha := start(t, Config{Insecure: true, Name: "alpha", Discovery: d})
		<-d.ready
		d.found([]Info{at("beta", "ipc:///no/such.sock", e.String())})
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		alpha.Close(ended())
	}
}
