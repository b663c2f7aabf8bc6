package topology_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/troupe-go/troupe/codec"
	"github.com/troupe-go/troupe/mailbox/curve"
	"github.com/troupe-go/troupe/topology"
)

// secured runs an echo service with a client in one process, over a socket at an ipc endpoint, with security on each side,
// and returns whether the client got its reply within a second.
func secured(t *testing.T, server, client *topology.Security) bool {
	t.Helper()
	at := map[string]string{"echo": "ipc://" + t.TempDir() + "/s"}
	got := make(chan error, 1)
	declare := func() *topology.Topology {
		top := topology.New("t")
		echo := topology.Service[string, string](top, "echo", "inproc://x", topology.ZMQ(codec.Raw))
		topology.Server(top, "server", echo, func(_ context.Context, s string) (string, error) { return s, nil })
		topology.Client(top, "client", echo, func(ctx context.Context, c *topology.Caller[string, string]) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := c.Call(ctx, "Hello")
			got <- err
			return nil
		})
		return top
	}
	quiet := slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- declare().Run(ctx, topology.Options{Run: []string{"server"}, At: at, Security: server, Log: quiet})
	}()
	if err := declare().Run(ctx, topology.Options{Run: []string{"client"}, At: at, Security: client, Log: quiet}); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	return <-got == nil
}

func TestOnlyWhoHasAKeyThatIsLetInTalksOverAnEdge(t *testing.T) { // C82
	a, b, c := curve.NewKeyPair(), curve.NewKeyPair(), curve.NewKeyPair()
	echo := func(k curve.Key) map[string]curve.Key { return map[string]curve.Key{"echo": k} }
	for _, test := range []struct {
		name           string
		server, client *topology.Security
		talks          bool
	}{
		{"one pair for all", &topology.Security{Key: a}, &topology.Security{Key: a}, true},
		{"a pair each", &topology.Security{Key: a, Peers: []curve.Key{b.Public()}}, &topology.Security{Key: b, Binders: echo(a.Public())}, true},
		{"a stranger", &topology.Security{Key: a, Peers: []curve.Key{b.Public()}}, &topology.Security{Key: c, Binders: echo(a.Public())}, false},
		{"another server", &topology.Security{Key: c, Peers: []curve.Key{b.Public()}}, &topology.Security{Key: b, Binders: echo(a.Public())}, false},
		{"without", &topology.Security{Key: a}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := secured(t, test.server, test.client); got != test.talks {
				t.Errorf("they talk: %v, want %v", got, test.talks)
			}
		})
	}
}
