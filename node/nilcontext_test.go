package node

import (
	"context"
	"errors"
	"testing"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/memnet"
)

// A nil context is an error, and changes nothing.
func TestNilContext(t *testing.T) {
	var none context.Context
	if n, err := Start(none, Config{Name: "alpha", Listen: []string{"tcp://127.0.0.1:4000"}, Network: memnet.New()}); !errors.Is(err, actor.ErrUsage) {
		t.Error(n, err)
	}
	n := start(t, Config{Name: "alpha", Network: memnet.New()})
	if err := n.Close(none); !errors.Is(err, actor.ErrUsage) {
		t.Error(err)
	}
	greeter(t, n)
}
