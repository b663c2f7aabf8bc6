package pubsub

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/troupe-go/troupe/mailbox"
)

// Member is a subscriber at a [Hub]. Its methods may be called from any goroutine.
type Member[T any] struct {
	hub   *Hub[T]
	ready chan struct{} // holds one: a Recv that waits is to look again
	over  chan struct{} // closed by Close

	// guarded by the hub
	round  uint64
	choice choice

	mu     sync.Mutex
	queue  []item[T]
	missed missed

	changed atomic.Uint64 // how many Unsubscribes there were
	waiting atomic.Int32  // Recvs
	pushed  atomic.Int64  // updates in queue and taken that were pushed there

	hand  sync.Mutex // held by a Recv while it takes one
	taken []item[T]
	next  int // of taken
}

// item is an update on its way.
type item[T any] struct {
	key     string
	value   T
	changed uint64 // the member's count when it came
	forced  bool
}

// Subscribe is [Subscriber.Subscribe], but never waits. What is published after its return arrives.
func (m *Member[T]) Subscribe(_ context.Context, exact bool, keys ...string) error {
	if err := CheckKeys(keys); err != nil || len(keys) == 0 {
		return err
	}
	h := m.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-m.over:
		return mailbox.ErrClosed
	default:
	}
	for _, key := range keys {
		if m.choice.has(key, exact) {
			m.choice.add(key, exact)
			continue
		}
		m.lastValues(key, exact)
		m.choice.add(key, exact)
		h.index(m, key, exact)
	}
	h.audience.enter(m)
	return nil
}

// lastValues gives m those that it had not subscribed to before. The hub's lock is held.
func (m *Member[T]) lastValues(key string, exact bool) {
	last := m.hub.last
	switch {
	case last == nil:
	case exact:
		if s := last.get(key); s != nil && !m.wants(key, s.value) {
			m.force(s.key, s.value)
		}
	default:
		var at cursor
		for s := last.after(&at); s != nil; s = last.after(&at) {
			if m.hub.matches(key, s.key, s.value) && !m.wants(s.key, s.value) {
				m.force(s.key, s.value)
			}
		}
	}
}

// Unsubscribe is [Subscriber.Unsubscribe].
func (m *Member[T]) Unsubscribe(exact bool, keys ...string) error {
	m.hub.mu.Lock()
	for _, key := range keys {
		if _, last := m.choice.remove(key, exact); last {
			m.hub.unindex(m, key, exact)
		}
	}
	if m.choice.empty() {
		m.hub.audience.leave(m)
	}
	m.changed.Add(1)
	m.hub.mu.Unlock()
	m.hub.roomAgain() // a Publish perhaps waits for this one's room
	return nil
}

// full says whether there is no room for another update.
func (m *Member[T]) full() bool { return m.pushed.Load() >= int64(m.hub.cfg.Queue) }

// push queues an update, or counts it as missed if there is no room. The hub's lock is held: nobody else pushes.
func (m *Member[T]) push(key string, v T) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full() {
		m.missed.add(key, 1)
		return false
	}
	m.pushed.Add(1)
	m.put(item[T]{key, v, m.changed.Load(), false})
	return true
}

// force queues an update besides those that there is room for.
func (m *Member[T]) force(key string, v T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(item[T]{key, v, m.changed.Load(), true})
}

func (m *Member[T]) put(it item[T]) {
	m.queue = append(m.queue, it)
	if len(m.queue) == 1 {
		m.wake()
	}
}

func (m *Member[T]) wake() {
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// Recv returns the next update. It fails with mailbox.ErrClosed, or an error that wraps ctx.Err().
func (m *Member[T]) Recv(ctx context.Context) (v T, err error) {
	if v, ok := m.pop(); ok {
		return v, nil
	}
	m.waiting.Add(1)
	defer m.waiting.Add(-1)
	for {
		if v, ok := m.pop(); ok {
			return v, nil
		}
		select {
		case <-m.ready:
		case <-m.over:
			return v, mailbox.ErrClosed
		case <-ctx.Done():
			return v, fmt.Errorf("pubsub: nothing to receive: %w", ctx.Err())
		}
	}
}

// pop returns the oldest update that is still subscribed to.
func (m *Member[T]) pop() (v T, ok bool) {
	m.hand.Lock()
	defer m.hand.Unlock()
	for {
		if m.next == len(m.taken) && !m.take() {
			return v, false
		}
		it := m.taken[m.next]
		m.taken[m.next] = item[T]{}
		m.next++
		if !it.forced {
			m.pushed.Add(-1)
		}
		if m.hub.waiting.Load() > 0 {
			m.hub.roomAgain()
		}
		if m.next < len(m.taken) && m.waiting.Load() > 0 {
			m.wake()
		}
		if it.changed == m.changed.Load() || m.stillWants(it) {
			return it.value, true
		}
	}
}

// take takes all that is queued in hand.
func (m *Member[T]) take() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 {
		return false
	}
	spare := m.taken[:0]
	if cap(spare) > 2*m.hub.cfg.Queue {
		spare = nil
	}
	m.taken, m.queue, m.next = m.queue, spare, 0
	return true
}

func (m *Member[T]) stillWants(it item[T]) bool {
	m.hub.mu.Lock()
	defer m.hub.mu.Unlock()
	return m.wants(it.key, it.value)
}

// wants says whether an update is subscribed to. The hub's lock is held.
func (m *Member[T]) wants(key string, v T) bool {
	if m.choice.keys[key] > 0 {
		return true
	}
	for prefix := range m.choice.prefixes {
		if m.hub.matches(prefix, key, v) {
			return true
		}
	}
	return false
}

// Missed returns how many updates of the keys were dropped because there was no room, or, without keys, of all.
func (m *Member[T]) Missed(keys ...string) (n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.missed.count(keys)
}

// Close ends the member. Recv fails once what is queued is received.
func (m *Member[T]) Close(context.Context) error {
	h := m.hub
	h.mu.Lock()
	for key := range m.choice.keys {
		h.unindex(m, key, true)
	}
	for prefix := range m.choice.prefixes {
		h.unindex(m, prefix, false)
	}
	m.choice = choice{}
	h.audience.leave(m)
	select {
	case <-m.over:
	default:
		close(m.over)
	}
	h.mu.Unlock()
	h.roomAgain()
	return nil
}
