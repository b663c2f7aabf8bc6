package pubsub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

// Publisher is the sending end of a topic. Its methods may be called from any goroutine.
type Publisher[T any] struct {
	cfg    Config
	encode func(dst []byte, v T) ([]byte, error)
	joint
	id id

	turn    chan struct{} // holds one token; who has it may use what follows, and send
	streams *streams[T]
	buf     []byte

	audience audience[id]
	desk     desk   // of the goroutine that serves
	log      pauses // of that one too
	losses   losses

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	served sync.WaitGroup
}

// NewPublisher returns a publisher whose values are encoded by encode, which appends to dst and is called by one goroutine
// at a time. Whoever makes a Publisher closes it.
func NewPublisher[T any](cfg Config, encode func(dst []byte, v T) ([]byte, error)) (*Publisher[T], error) {
	cfg = cfg.withDefaults()
	config := cfg.socket(true)
	config.Verbose = true
	socket, err := mailbox.New(mailbox.XPub, config)
	if err != nil {
		return nil, err
	}
	p := &Publisher[T]{
		cfg: cfg, encode: encode, joint: joint{socket},
		turn: make(chan struct{}, 1), streams: newStreams[T](cfg.LastValues), desk: make(desk),
	}
	p.log.log = cfg.Socket.Log.With("topic", cfg.Topic)
	rand.Read(p.id[:])
	p.turn <- struct{}{}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.served.Go(p.serve)
	if !cfg.Hold {
		p.losses.published = make(chan struct{}, 1)
		p.served.Go(p.tellLosses)
	}
	return p, nil
}

// Publish sends v to all who have subscribed to key. If nobody has, it is not encoded, and unless last values are kept
// nothing is remembered of it.
//
// Who has no room loses it, which is counted; with Hold Publish waits until all have room, and if ctx ends first nobody
// gets it and the error wraps ctx.Err(). Other errors wrap ErrKey or mailbox.ErrClosed, or are those of encode; then
// nobody gets it either.
func (p *Publisher[T]) Publish(ctx context.Context, key string, v T) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	var room [128]byte
	topic := appendTopic(room[:0], p.cfg.Topic, key)
	wanted, _ := p.socket.Wanted(topic)
	if !wanted && !p.streams.keeps {
		return p.closed()
	}
	select {
	case <-p.turn:
		defer func() { p.turn <- struct{}{} }()
	case <-ctx.Done():
		return fmt.Errorf("pubsub: not published: %w", ctx.Err())
	}
	if !wanted { // or somebody came before the turn, who was sent the value before this one
		wanted, _ = p.socket.Wanted(topic)
	}
	if wanted {
		if err := p.send(ctx, "", key, p.streams.next(key), v); err != nil {
			return err
		}
		p.losses.watch()
	}
	p.streams.add(key, v)
	return nil
}

// send sends an update, on a topic of its own if on is not empty. Its caller has the turn.
func (p *Publisher[T]) send(ctx context.Context, on, key string, at position, v T) error {
	b := append(p.buf[:0], on...)
	b = appendTopic(b, p.cfg.Topic, key)
	topic := len(b)
	b = header{p.id, at}.append(b)
	body := len(b)
	b, err := p.encode(b, v)
	if err != nil {
		return err
	}
	if cap(b) <= keptBuffer {
		p.buf = b
	}
	if on != "" {
		return p.socket.Send(ctx, b[:len(on)], b[len(on):topic], b[topic:body], b[body:])
	}
	return p.socket.Send(ctx, b[:topic], b[topic:body], b[body:])
}

// keptBuffer is how large a buffer may be to be used again.
const keptBuffer = 64 << 10

func (p *Publisher[T]) closed() error {
	if p.ctx.Err() != nil {
		return mailbox.ErrClosed
	}
	return nil
}

// WaitSubscribers waits until at least n subscribers, here or behind proxies, have subscribed to something: what is
// published from then on reaches them. Foreign ones count if they say hello.
func (p *Publisher[T]) WaitSubscribers(ctx context.Context, n int) error {
	return p.audience.wait(ctx, p.ctx, n)
}

// Dropped returns how many updates were dropped for subscribers that had no room: each counts once for each subscriber that
// it was for. What was on its way when a connection ended is not counted.
func (p *Publisher[T]) Dropped() uint64 {
	repeats := p.losses.repeats.Load() // first, as it grows later
	return p.dropped() - repeats
}

// Close ends the publisher. What is queued is still sent, until ctx ends; how much was not, the error says.
func (p *Publisher[T]) Close(ctx context.Context) error {
	p.cancel()
	err := p.socket.Close(ctx)
	p.served.Wait()
	if errors.Is(err, mailbox.ErrUnsent) {
		return fmt.Errorf("pubsub: topic %s: %w", p.cfg.Topic, err)
	}
	return err
}
