package pubsub

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Hub is a topic whose publishers and subscribers are all in this process: values are handed over as they are. Its
// methods may be called from any goroutine.
type Hub[T any] struct {
	cfg      Config
	encode   func(dst []byte, v T) ([]byte, error) // nil: prefixes are those of keys
	audience audience[*Member[T]]
	dropped  atomic.Uint64
	waiting  atomic.Int32 // Publishes that wait for room

	mu       sync.Mutex
	keys     map[string][]*Member[T]
	prefixes map[string][]*Member[T]
	lengths  []int       // that prefixes have, in order
	having   map[int]int // how many prefixes have each
	last     *streams[T]
	round    uint64
	to       []*Member[T] // whom the update in hand is for
	buf      []byte
	room     chan struct{} // closed when a member has room again; nil: nobody waits for that
}

// NewHub returns a hub. If encode is not nil, prefixes are those of what it makes of values, as in plain ZeroMQ, and what
// it makes of a value is to start with the value's key.
func NewHub[T any](cfg Config, encode func(dst []byte, v T) ([]byte, error)) *Hub[T] {
	h := &Hub[T]{
		cfg: cfg.withDefaults(), encode: encode,
		keys: make(map[string][]*Member[T]), prefixes: make(map[string][]*Member[T]), having: make(map[int]int),
	}
	if cfg.LastValues > 0 {
		h.last = newStreams[T](cfg.LastValues)
	}
	return h
}

// Publish gives v to all who have subscribed to key, as [Publisher.Publish] does.
func (h *Hub[T]) Publish(ctx context.Context, key string, v T) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	for {
		room, err := h.offer(key, v)
		if room == nil {
			return err
		}
		select {
		case <-room:
			h.waiting.Add(-1)
		case <-ctx.Done():
			h.waiting.Add(-1)
			return fmt.Errorf("pubsub: not published: %w", ctx.Err())
		}
	}
}

// offer is a Publish that does not wait: if it would have to, it returns what to wait for, and counts that as waiting.
func (h *Hub[T]) offer(key string, v T) (room <-chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.match(key, v); err != nil {
		return nil, err
	}
	if h.cfg.Hold {
		h.waiting.Add(1) // before looking, so that who makes room then knows
		if slices.ContainsFunc(h.to, (*Member[T]).full) {
			if h.room == nil {
				h.room = make(chan struct{})
			}
			return h.room, nil
		}
		h.waiting.Add(-1)
	}
	for i, m := range h.to {
		if !m.push(key, v) {
			h.dropped.Add(1)
		}
		h.to[i] = nil
	}
	if h.last != nil {
		h.last.add(key, v)
	}
	return nil, nil
}

// match finds whom an update is for.
func (h *Hub[T]) match(key string, v T) error {
	h.round++
	h.to = h.to[:0]
	h.pick(h.keys[key])
	if h.encode == nil {
		for _, n := range h.lengths {
			if n > len(key) {
				break
			}
			h.pick(h.prefixes[key[:n]])
		}
		return nil
	}
	if len(h.to) == 0 && len(h.lengths) == 0 {
		return nil
	}
	b, err := h.encode(h.buf[:0], v)
	if err != nil {
		return err
	}
	h.buf = b
	if err := CheckEncoded(b, key); err != nil {
		return err
	}
	for _, n := range h.lengths {
		if n > len(b) {
			break
		}
		h.pick(h.prefixes[string(b[:n])])
	}
	return nil
}

// CheckEncoded returns an error that wraps ErrKey if the encoded form of a value does not start with its key.
func CheckEncoded(b []byte, key string) error {
	if len(b) >= len(key) && string(b[:len(key)]) == key {
		return nil
	}
	return fmt.Errorf("%w: the encoded form does not start with the key %q, which is what plain ZeroMQ matches", ErrKey, key)
}

func (h *Hub[T]) pick(members []*Member[T]) {
	for _, m := range members {
		if m.round != h.round {
			m.round = h.round
			h.to = append(h.to, m)
		}
	}
}

// WaitSubscribers waits until at least n members have subscribed to something.
func (h *Hub[T]) WaitSubscribers(ctx context.Context, n int) error {
	return h.audience.wait(ctx, context.Background(), n)
}

// Dropped returns how many updates were dropped for members that had no room, once for each that it was for.
func (h *Hub[T]) Dropped() uint64 { return h.dropped.Load() }

// roomAgain lets Publishes that wait look again.
func (h *Hub[T]) roomAgain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.room != nil {
		close(h.room)
		h.room = nil
	}
}

// matches says whether v, of a key, starts with prefix.
func (h *Hub[T]) matches(prefix, key string, v T) bool {
	if h.encode == nil {
		return len(key) >= len(prefix) && key[:len(prefix)] == prefix
	}
	b, err := h.encode(nil, v)
	return err == nil && bytes.HasPrefix(b, []byte(prefix))
}

// Join returns a new member, which is to be closed.
func (h *Hub[T]) Join() *Member[T] {
	return &Member[T]{hub: h, ready: make(chan struct{}, 1), over: make(chan struct{})}
}

// index adds m to those who have subscribed to key, or to the prefix that it is.
func (h *Hub[T]) index(m *Member[T], key string, exact bool) {
	if exact {
		h.keys[key] = append(h.keys[key], m)
		return
	}
	n := len(key)
	if len(h.prefixes[key]) == 0 {
		if h.having[n]++; h.having[n] == 1 {
			i, _ := slices.BinarySearch(h.lengths, n)
			h.lengths = slices.Insert(h.lengths, i, n)
		}
	}
	h.prefixes[key] = append(h.prefixes[key], m)
}

// unindex removes it.
func (h *Hub[T]) unindex(m *Member[T], key string, exact bool) {
	all := h.prefixes
	if exact {
		all = h.keys
	}
	if all[key] = slices.DeleteFunc(all[key], func(other *Member[T]) bool { return other == m }); len(all[key]) > 0 {
		return
	}
	delete(all, key)
	if exact {
		return
	}
	n := len(key)
	if h.having[n]--; h.having[n] == 0 {
		delete(h.having, n)
		h.lengths = slices.DeleteFunc(h.lengths, func(length int) bool { return length == n })
	}
}
