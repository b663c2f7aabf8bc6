package mailbox

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// eventsKept is how many events wait for a monitor's loop.
const eventsKept = 1000

// Monitor returns what happens to the socket from the call on, oldest first, for one range loop. The loop ends with
// ctx, or after the last event of a socket that was closed. (libzmq: zmq_socket_monitor.)
//
// Up to 1000 events wait for the loop. If it is slower, the oldest is dropped, and Missed of the next one says so: a
// monitor never slows its socket. There may be any number of monitors; each sees everything. One whose loop never
// starts costs memory until ctx ends.
func (s *Socket) Monitor(ctx context.Context) iter.Seq[Event] {
	if ctx == nil {
		ctx = context.Background()
	}
	return s.monitors.add().seq(ctx)
}

// monitors are those of one socket.
type monitors struct {
	mu   sync.Mutex
	all  []*monitor
	over bool // the socket is closed: nothing happens any more
}

func (ms *monitors) add() *monitor {
	m := &monitor{of: ms, news: make(chan struct{}, 1)}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m.over = ms.over
	if !ms.over {
		ms.all = append(ms.all, m)
	}
	return m
}

func (ms *monitors) remove(m *monitor) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.all = slices.DeleteFunc(ms.all, func(other *monitor) bool { return other == m })
}

// tell gives e to all monitors.
func (ms *monitors) tell(e Event) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	for _, m := range ms.all {
		m.put(e)
	}
}

// end lets all monitors end, once their events are seen.
func (ms *monitors) end() {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.over = true
	for _, m := range ms.all {
		m.end()
	}
	ms.all = nil
}

// monitor keeps the latest events for one loop.
type monitor struct {
	of   *monitors
	news chan struct{} // something was put, or it is over

	mu     sync.Mutex
	ring   []Event // ring[first], and on from there, n in all
	first  int
	n      int
	missed int // before ring[first]
	over   bool
}

// put appends e. If there are too many, the oldest is dropped.
func (m *monitor) put(e Event) {
	m.mu.Lock()
	switch {
	case m.n == eventsKept:
		m.missed++
		m.ring[m.first] = e
		m.first = (m.first + 1) % len(m.ring)
	case m.n == len(m.ring):
		larger := make([]Event, min(max(16, 2*m.n), eventsKept))
		copy(larger, m.ring[m.first:])
		copy(larger[m.n-m.first:], m.ring[:m.first])
		m.ring, m.first = larger, 0
		fallthrough
	default:
		m.ring[(m.first+m.n)%len(m.ring)] = e
		m.n++
	}
	m.mu.Unlock()
	m.wake()
}

// take returns the oldest event, or, without one, whether none will come.
func (m *monitor) take() (e Event, ok, over bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.n == 0 {
		return e, false, m.over
	}
	e, m.ring[m.first] = m.ring[m.first], Event{}
	m.first = (m.first + 1) % len(m.ring)
	m.n--
	e.Missed, m.missed = m.missed, 0
	return e, true, false
}

func (m *monitor) end() {
	m.mu.Lock()
	m.over = true
	m.mu.Unlock()
	m.wake()
}

func (m *monitor) wake() {
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// seq is the loop over m's events. m is forgotten when it ends, and with ctx.
func (m *monitor) seq(ctx context.Context) iter.Seq[Event] {
	stop := context.AfterFunc(ctx, func() { m.of.remove(m) })
	return func(yield func(Event) bool) {
		defer m.of.remove(m)
		defer stop()
		for ctx.Err() == nil {
			switch e, ok, over := m.take(); {
			case over:
				return
			case ok:
				if !yield(e) {
					return
				}
				continue
			}
			select {
			case <-m.news:
			case <-ctx.Done():
			}
		}
	}
}
