package pubsub

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

// Subscriber is the receiving end of a topic. Its methods may be called from any goroutine.
type Subscriber[T any] struct {
	cfg    Config
	decode func(b []byte) (T, error)
	joint
	id id

	turn chan struct{} // holds one token; who has it may receive: numbers are looked at in the order in which they come

	mu     sync.Mutex
	choice choice
	gaps   gaps
	log    pauses
}

// NewSubscriber returns a subscriber whose values are decoded by decode, which keeps nothing of b. Whoever makes a
// Subscriber closes it.
func NewSubscriber[T any](cfg Config, decode func(b []byte) (T, error)) (*Subscriber[T], error) {
	cfg = cfg.withDefaults()
	socket, err := mailbox.New(mailbox.Sub, cfg.socket(false))
	if err != nil {
		return nil, err
	}
	s := &Subscriber[T]{cfg: cfg, decode: decode, joint: joint{socket}, turn: make(chan struct{}, 1)}
	s.log.log = cfg.Socket.Log.With("topic", cfg.Topic)
	s.turn <- struct{}{}
	rand.Read(s.id[:])
	return s, nil
}

// Subscribe subscribes to updates: if exact, to those of the keys, else to those whose keys start with one of them. What
// is subscribed to several times is to be unsubscribed from as often. It returns when the publishers that are connected
// know, as [mailbox.Socket.Subscribe] says; what they publish from then on arrives, and before it, if the topic has
// last values, the last values that are known.
//
// It fails with an error that wraps ErrKey, and then nothing is subscribed to, or with those of the socket's.
func (s *Subscriber[T]) Subscribe(ctx context.Context, exact bool, keys ...string) error {
	if err := CheckKeys(keys); err != nil || len(keys) == 0 {
		return err
	}
	if err := s.choose(exact, keys); err != nil {
		return err
	}
	return s.socket.Subscribe(ctx) // to nothing more: it waits for all that was said before
}

// ended is a context that has ended: with it nothing waits.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// choose subscribes without waiting.
func (s *Subscriber[T]) choose(exact bool, keys []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	topics := s.topics(exact, keys)
	if s.choice.empty() {
		topics = append(topics, hello(s.id, s.cfg.Topic))
	}
	for _, key := range keys {
		s.choice.add(key, exact)
	}
	if err := s.socket.Subscribe(ended, topics...); errors.Is(err, mailbox.ErrClosed) {
		return err
	}
	return nil
}

// Unsubscribe takes back one Subscribe of each of the keys. When it returns, nothing more arrives that is not subscribed
// to. What is not subscribed to is ignored.
func (s *Subscriber[T]) Unsubscribe(exact bool, keys ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		had, last := s.choice.remove(key, exact)
		if !had {
			continue
		}
		topics := s.topics(exact, []string{key})
		if s.choice.empty() {
			topics = append(topics, hello(s.id, s.cfg.Topic))
		}
		if err := s.socket.Unsubscribe(topics...); err != nil {
			return err
		}
		if last {
			s.gaps.forget(key, exact, s.choice.wants)
		}
	}
	return nil
}

// topics returns the socket's topics for keys: first what is subscribed to, then the requests for last values.
func (s *Subscriber[T]) topics(exact bool, keys []string) (topics []string) {
	for _, key := range keys {
		topics = append(topics, string(appendPrefix(nil, s.cfg.Topic, selector(key, exact))))
	}
	if s.cfg.LastValues != 0 {
		for _, key := range keys {
			topics = append(topics, request(s.id, s.cfg.Topic, selector(key, exact)))
		}
	}
	return topics
}

// Recv returns the next update. It fails with mailbox.ErrClosed, or an error that wraps ctx.Err().
func (s *Subscriber[T]) Recv(ctx context.Context) (v T, err error) {
	for {
		u, err := s.next(ctx)
		if err != nil {
			return v, err
		}
		v, err := s.decode(u.body)
		if err == nil {
			return v, nil
		}
		s.mu.Lock()
		s.gaps.missed.add(string(u.key), 1)
		s.mu.Unlock()
		s.complain("a publisher sends what is no update of this topic", err.Error())
	}
}

// next returns the next update that is new.
func (s *Subscriber[T]) next(ctx context.Context) (u update, err error) {
	select {
	case <-s.turn:
	default:
		select {
		case <-s.turn:
		case <-ctx.Done():
			return u, fmt.Errorf("pubsub: nothing to receive: %w", ctx.Err())
		}
	}
	defer func() { s.turn <- struct{}{} }()
	for n := 0; n < patience || ctx.Err() == nil; n++ {
		msg, err := s.socket.Recv(ctx)
		if err != nil {
			return u, err
		}
		if u, ok := s.read(msg); ok {
			return u, nil
		}
	}
	return u, fmt.Errorf("pubsub: nothing to receive but what is no update: %w", ctx.Err())
}

// patience is how many messages that are no updates are passed over once the context has ended.
const patience = 1000

// read returns the update that msg is, if it is a new one.
func (s *Subscriber[T]) read(msg [][]byte) (u update, ok bool) {
	if len(msg) == 2 && string(msg[0]) == hello(s.id, s.cfg.Topic) {
		s.complain("a publisher refuses this subscriber", string(msg[1]))
		return u, false
	}
	u, mark, err := readUpdate(msg, s.cfg.Topic, s.id)
	switch {
	case errors.Is(err, errForeign):
		return u, false
	case err != nil:
		s.complain("a publisher sends what is no update of this topic", err.Error())
		return u, false
	}
	return u, s.fresh(&u, mark)
}

// fresh says whether u is to be received, and notes that it has come.
func (s *Subscriber[T]) fresh(u *update, mark bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gaps.pass(&u.header, u.key, mark) && !mark
}

func (s *Subscriber[T]) complain(what, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.warn(what, why)
}

// Missed returns how many updates of the keys are known to have been missed, or, without keys, of all. Those that could
// not be decoded are among them.
func (s *Subscriber[T]) Missed(keys ...string) (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gaps.missed.count(keys)
}

// Close ends the subscriber.
func (s *Subscriber[T]) Close(ctx context.Context) error { return s.socket.Close(ctx) }
