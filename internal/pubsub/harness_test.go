package pubsub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/logtest"
	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox"
)

const endpoint = "tcp://news:5556"

// world is a network with a topic of strings on it, whose keys are the words that they start with.
type world struct {
	t       *testing.T
	net     *memnet.Network
	log     logtest.Log
	mu      sync.Mutex
	encoded []string
}

func newWorld(t *testing.T) *world { return &world{t: t, net: memnet.New()} }

func (w *world) config(cfg Config) Config {
	if cfg.Topic == "" {
		cfg.Topic = "news"
	}
	cfg.Socket.Network = w.net
	cfg.Socket.Log = w.log.Logger()
	return cfg
}

func (w *world) encode(dst []byte, v string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasSuffix(v, "unencodable") {
		return dst, errors.New("unencodable")
	}
	w.encoded = append(w.encoded, v)
	return append(dst, v...), nil
}

func decode(b []byte) (string, error) {
	if strings.HasSuffix(string(b), "undecodable") {
		return "", errors.New("undecodable")
	}
	return string(b), nil
}

func word(v string) string {
	key, _, _ := strings.Cut(v, " ")
	return key
}

// sender and receiver are the two ends, over sockets or in one process.
type sender interface {
	Publish(ctx context.Context, key, v string) error
	WaitSubscribers(ctx context.Context, n int) error
	Dropped() uint64
}

type receiver interface {
	Subscribe(ctx context.Context, exact bool, keys ...string) error
	Unsubscribe(exact bool, keys ...string) error
	Recv(ctx context.Context) (string, error)
	Missed(keys ...string) uint64
	Close(ctx context.Context) error
}

// publisher returns one that is bound.
func (w *world) publisher(cfg Config) *Publisher[string] {
	w.t.Helper()
	p, err := NewPublisher(w.config(cfg), w.encode)
	w.must(err)
	w.t.Cleanup(func() { p.Close(ended) })
	_, err = p.Bind(w.t.Context(), endpoint)
	w.must(err)
	return p
}

// subscriber returns one that is connected.
func (w *world) subscriber(cfg Config) *Subscriber[string] {
	w.t.Helper()
	s, err := NewSubscriber(w.config(cfg), decode)
	w.must(err)
	w.t.Cleanup(func() { s.Close(ended) })
	w.must(s.Connect(endpoint))
	synctest.Wait()
	return s
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// publish publishes values by their keys.
func (w *world) publish(p sender, values ...string) {
	w.t.Helper()
	for _, v := range values {
		w.must(p.Publish(w.t.Context(), word(v), v))
	}
}

func (w *world) subscribe(s receiver, keys ...string) {
	w.t.Helper()
	w.must(s.Subscribe(w.t.Context(), true, keys...))
}

// drain returns what has come.
func (w *world) drain(s receiver) (values []string) {
	for {
		synctest.Wait()
		v, err := s.Recv(ended)
		if err != nil {
			return values
		}
		values = append(values, v)
	}
}

// expect fails the test if what has come is anything else.
func (w *world) expect(s receiver, want ...string) {
	w.t.Helper()
	if got := w.drain(s); !slices.Equal(got, want) {
		w.t.Errorf("got %q, want %q", got, want)
	}
}

// within returns a context that ends after a while.
func (w *world) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	w.t.Cleanup(cancel)
	return ctx
}

// numbered returns key with the numbers from 1 to n.
func numbered(key string, n int) (values []string) {
	for i := range n {
		values = append(values, fmt.Sprint(key, " ", i+1))
	}
	return values
}

// overForms runs test over sockets and in one process, each time in a bubble.
func overForms(t *testing.T, test func(w *world, publisher func(Config) sender, subscriber func() receiver)) {
	t.Run("sockets", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var cfg Config
			test(w, func(c Config) sender {
				cfg = c
				return w.publisher(c)
			}, func() receiver { return w.subscriber(cfg) })
		})
	})
	t.Run("hub", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var h *Hub[string]
			test(w, func(c Config) sender {
				h = NewHub[string](w.config(c), nil)
				return h
			}, func() receiver {
				m := h.Join()
				t.Cleanup(func() { m.Close(ended) })
				return m
			})
		})
	})
}

// raw returns a socket of the topic's foreign peers.
func (w *world) raw(typ mailbox.SocketType, cfg mailbox.Config) *mailbox.Socket {
	w.t.Helper()
	cfg.Network, cfg.Log = w.net, slog.New(slog.DiscardHandler)
	s, err := mailbox.New(typ, cfg)
	w.must(err)
	w.t.Cleanup(func() { s.Close(ended) })
	return s
}
