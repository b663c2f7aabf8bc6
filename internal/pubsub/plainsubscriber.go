package pubsub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

// PlainSubscriber is the receiving end of a topic in plain ZeroMQ: a SUB. Its methods may be called from any goroutine.
type PlainSubscriber[T any] struct {
	joint
	form Form[T]

	mu     sync.Mutex
	choice choice
	log    pauses
	bad    uint64
}

// NewPlainSubscriber returns a subscriber. Whoever makes one closes it.
func NewPlainSubscriber[T any](cfg Config, form Form[T]) (*PlainSubscriber[T], error) {
	cfg = cfg.withDefaults()
	socket, err := mailbox.New(mailbox.Sub, cfg.socket(false))
	if err != nil {
		return nil, err
	}
	s := &PlainSubscriber[T]{joint: joint{socket}, form: form}
	s.log.log = cfg.Socket.Log.With("topic", cfg.Topic)
	return s, nil
}

var errNoKeys = errors.New("pubsub: this topic has no key function, so it has no keys: subscribe to a prefix")

// Subscribe subscribes to values: if exact, to those that have one of the keys, else to those whose encoded forms start
// with one of them. The rest is as with [Subscriber.Subscribe].
func (s *PlainSubscriber[T]) Subscribe(ctx context.Context, exact bool, keys ...string) error {
	if exact && s.form.Key == nil && len(keys) > 0 {
		return errNoKeys
	}
	if err := s.choose(exact, keys); err != nil {
		return err
	}
	return s.socket.Subscribe(ctx)
}

func (s *PlainSubscriber[T]) choose(exact bool, keys []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		s.choice.add(key, exact)
	}
	if err := s.socket.Subscribe(ended, keys...); errors.Is(err, mailbox.ErrClosed) {
		return err
	}
	return nil
}

// Unsubscribe is [Subscriber.Unsubscribe].
func (s *PlainSubscriber[T]) Unsubscribe(exact bool, keys ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if had, _ := s.choice.remove(key, exact); !had {
			continue
		}
		if err := s.socket.Unsubscribe(key); err != nil {
			return err
		}
	}
	return nil
}

// Recv returns the next value. It fails as [Subscriber.Recv] does.
func (s *PlainSubscriber[T]) Recv(ctx context.Context) (v T, err error) {
	for n := 0; n < patience || ctx.Err() == nil; n++ {
		msg, err := s.socket.Recv(ctx)
		if err != nil {
			return v, err
		}
		if v, ok := s.read(msg); ok {
			return v, nil
		}
	}
	return v, fmt.Errorf("pubsub: nothing to receive but what is not subscribed to: %w", ctx.Err())
}

// read returns the value that msg is, if it is one that was subscribed to.
func (s *PlainSubscriber[T]) read(msg [][]byte) (v T, ok bool) {
	if len(msg) != 1 {
		s.complain(fmt.Errorf("a message of %d frames; an update in plain ZeroMQ has one", len(msg)))
		return v, false
	}
	v, err := s.form.Decode(msg[0])
	if err != nil {
		s.complain(err)
		return v, false
	}
	return v, s.wants(msg[0], v)
}

// wants says whether a value is subscribed to: the socket's subscriptions to keys are to what starts with them.
func (s *PlainSubscriber[T]) wants(b []byte, v T) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.choice.keys) == 0 {
		return true
	}
	if s.choice.keys[s.form.Key(v)] > 0 {
		return true
	}
	for prefix := range s.choice.prefixes {
		if bytes.HasPrefix(b, []byte(prefix)) {
			return true
		}
	}
	return false
}

func (s *PlainSubscriber[T]) complain(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad++
	s.log.warn("a publisher sends what is no update of this topic", err.Error())
}

// Missed returns how many messages were no updates: what plain ZeroMQ loses, nobody knows.
func (s *PlainSubscriber[T]) Missed(keys ...string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(keys) > 0 {
		return 0
	}
	return s.bad
}

// Close ends the subscriber.
func (s *PlainSubscriber[T]) Close(ctx context.Context) error { return s.socket.Close(ctx) }
