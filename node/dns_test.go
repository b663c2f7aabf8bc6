package node

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
)

// resolver answers look-ups as the test has it.
type resolver struct {
	mu        sync.Mutex
	addresses []string
	err       error
	asked     []string
}

func (r *resolver) LookupHost(_ context.Context, host string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, host)
	return r.addresses, r.err
}

func (r *resolver) set(err error, addresses ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.addresses, r.err = addresses, err
}

// C19: the name is looked up again and again, and all its addresses are dialled.
func TestNodesAreFoundByAHostName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, r, log := memnet.New(), new(resolver), new(logtest.Log)
		r.set(nil, "10.0.0.1", "10.0.0.2", "fd00::3") // alpha itself, beta, and gamma
		dns := DNS{Name: "nodes.example", Port: 4000, Resolver: r}
		begin := func(name, host string) *Node {
			n := start(t, Config{Insecure: true, Name: name, Listen: []string{"tcp://" + host + ":4000"}, Network: network})
			greeter(t, n)
			return n
		}
		begin("beta", "10.0.0.2")
		gamma := begin("gamma", "[fd00::3]")
		alpha := start(t, Config{Insecure: true, Name: "alpha", Listen: []string{"tcp://10.0.0.1:4000"}, Discovery: dns, Network: network, Log: log.Logger()})
		time.Sleep(time.Second)
		wantNames(t, alpha, "alpha beta gamma")
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")
		wantReply(t, alpha, to("greeter@gamma"), "x", "hi x from gamma")

		r.set(nil, "10.0.0.1", "10.0.0.2", "10.0.0.4") // gamma moves
		gamma.Close(t.Context())
		begin("gamma", "10.0.0.4")
		time.Sleep(defaultEvery)
		wantReply(t, alpha, to("greeter@gamma"), "y", "hi y from gamma")

		dials := log.Lines("fd00")
		time.Sleep(10 * time.Minute)
		if more := log.Lines("fd00") - dials; more > 0 {
			t.Errorf("the old address is still dialled: %d log lines", more)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.asked) < 20 || r.asked[0] != "nodes.example" {
			t.Errorf("%d look-ups, the first of %s", len(r.asked), r.asked[0])
		}
	})
}

func TestLookUpsThatFailAreTriedAgainAndForgetNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, r, log := memnet.New(), new(resolver), new(logtest.Log)
		beta := start(t, Config{Insecure: true, Name: "beta", Listen: []string{"tcp://10.0.0.2:4000"}, Network: network})
		greeter(t, beta)
		r.set(&net.DNSError{Err: "no such host", Name: "nodes.example", IsNotFound: true})
		alpha := start(t, Config{Insecure: true, Name: "alpha", Network: network, Log: log.Logger(),
			Discovery: DNS{Name: "nodes.example", Port: 4000, Resolver: r, Every: time.Second}})
		time.Sleep(2 * time.Minute)
		r.set(nil, "10.0.0.2")
		time.Sleep(maxSearchPause)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")

		r.set(fmt.Errorf("the server is on strike"))
		time.Sleep(2 * time.Minute)
		network.Cut("10.0.0.2:4000")
		time.Sleep(time.Second)
		wantReply(t, alpha, to("greeter@beta"), "x", "hi x from beta")

		r.set(&net.DNSError{Err: "no such host", Name: "nodes.example", IsNotFound: true})
		time.Sleep(2 * time.Minute)
		network.Cut("10.0.0.2:4000")
		time.Sleep(3 * time.Minute)
		wantErr(t, to("greeter@beta").Tell(alpha, "x"), actor.ErrNoNode)
		if n := log.Lines("discovery ended"); n > 4 {
			t.Errorf("%d log lines", n)
		}
	})
}
