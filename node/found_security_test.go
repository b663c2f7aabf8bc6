package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// Nodes that are found by their addresses alone know each other by a key that they share. One that has another key, or says
// that it is a node that has one of its own, is not linked with.
func TestFoundAddressesAndKeys(t *testing.T) {
	shared, own, strange := curve.NewKeyPair(), curve.NewKeyPair(), curve.NewKeyPair()
	security := func(key curve.KeyPair) *Security {
		return &Security{Key: key, Nodes: map[string][]curve.Key{"vip": {own.Public()}},
			Others: func(string) []curve.Key { return []curve.Key{shared.Public()} }}
	}
	for _, c := range []struct {
		name   string
		key    curve.KeyPair
		linked bool
	}{
		{"beta", shared, true},
		{"beta", strange, false},
		{"vip", shared, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			network := memnet.New()
			other := start(t, Config{Name: c.name, Listen: []string{"tcp://10.0.0.2:4000"}, Network: network, Security: security(c.key)})
			greeter(t, other)
			alpha := start(t, Config{Name: "alpha", Discovery: Static{"tcp://10.0.0.2:4000"}, Network: network, Security: security(shared)})
			time.Sleep(time.Minute)
			if _, err := ask(alpha, to("greeter@"+c.name), "x", time.Second); (err == nil) != c.linked {
				t.Errorf("%s, linked %v: %v", c.name, c.linked, err)
			}
		})
	}
}
