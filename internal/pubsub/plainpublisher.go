package pubsub

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/troupe-go/troupe/mailbox"
)

// Form is what plain ZeroMQ needs to know of values.
type Form[T any] struct {
	Encode func(dst []byte, v T) ([]byte, error)
	Decode func(b []byte) (T, error)
	// Key returns what a value can be subscribed to by exactly. Its encoded form starts with it. Nil: values have no keys.
	Key func(T) string
}

// PlainPublisher is the sending end of a topic in plain ZeroMQ: a PUB, whose messages are the encoded values, and are
// subscribed to by what they start with. Its methods may be called from any goroutine.
type PlainPublisher[T any] struct {
	joint
	form Form[T]
	over atomic.Bool // closed
}

// buffers are for what is encoded before anybody knows whether it is wanted: of *[]byte.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// NewPlainPublisher returns a publisher. Whoever makes one closes it.
func NewPlainPublisher[T any](cfg Config, form Form[T]) (*PlainPublisher[T], error) {
	socket, err := mailbox.New(mailbox.Pub, cfg.withDefaults().socket(true))
	if err != nil {
		return nil, err
	}
	return &PlainPublisher[T]{joint: joint{socket}, form: form}, nil
}

// Publish sends v to all who subscribed to what its encoded form starts with, and fails as [Publisher.Publish] does. The
// key is not looked at.
func (p *PlainPublisher[T]) Publish(ctx context.Context, _ string, v T) error {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	b, err := p.form.Encode((*buf)[:0], v)
	if err != nil {
		return err
	}
	if cap(b) <= keptBuffer {
		*buf = b
	}
	if wanted, _ := p.socket.Wanted(b); !wanted && !p.over.Load() {
		return nil
	}
	if p.form.Key != nil {
		if err := CheckEncoded(b, p.form.Key(v)); err != nil {
			return err
		}
	}
	return p.socket.Send(ctx, b)
}

// WaitSubscribers is [mailbox.Socket.WaitSubscribers].
func (p *PlainPublisher[T]) WaitSubscribers(ctx context.Context, n int) error {
	return p.socket.WaitSubscribers(ctx, n)
}

// Dropped is [Publisher.Dropped].
func (p *PlainPublisher[T]) Dropped() uint64 { return p.dropped() }

// Close is [Publisher.Close].
func (p *PlainPublisher[T]) Close(ctx context.Context) error {
	p.over.Store(true)
	return p.socket.Close(ctx)
}
