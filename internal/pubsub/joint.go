package pubsub

import (
	"context"

	"github.com/troupe-go/troupe/mailbox"
)

// joint is the socket of an end of a topic, as far as its user has to do with it.
type joint struct{ socket *mailbox.Socket }

// Bind lets the other ends connect at endpoint, and returns it with its port filled in.
func (j joint) Bind(ctx context.Context, endpoint string) (mailbox.Endpoint, error) {
	return j.socket.Bind(ctx, endpoint)
}

// Connect connects to where another end, or a proxy, is bound.
func (j joint) Connect(endpoint string) error { return j.socket.Connect(endpoint) }

// dropped returns how many messages the socket dropped for peers that had no room.
func (j joint) dropped() uint64 { return j.socket.Stats().Dropped[mailbox.Full] }
