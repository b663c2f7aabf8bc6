package pipe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
)

// ErrClosed is returned by what is used after Close.
var ErrClosed = errors.New("pipe: closed")

// ErrTooLarge is returned for a task that is larger than Config.Bytes.
var ErrTooLarge = errors.New("pipe: task is too large")

// Config sets up a Producer. The zero value is useful.
type Config[B any] struct {
	// Limit and Bytes bound the tasks that are not done, and their sizes together: a Send beyond waits (default 1000, and
	// 32 MiB). A single task may not be larger than Bytes.
	Limit int
	Bytes int64
	// Retries is how many times a task is given out again that failed, or whose consumer died with it (0: never).
	Retries int
	// MinWorkers is how many consumers must be there before the first task is given out (default 1).
	MinWorkers int
	// Ordered gives out the tasks of one key one after the other: the next when the one before is done.
	Ordered bool
	// Dead is told of tasks that failed too often; whoever was told calls Bury. By default they are logged and buried.
	Dead    func(t *Task[B], reason string)
	Retried *atomic.Int64 // counts tasks that are given out again, if it is set
	Log     *slog.Logger  // default slog.Default()
}

const (
	defaultLimit = 1000
	defaultBytes = 32 << 20
)

// slabSize is how many tasks, or deliveries, are allocated at once.
const slabSize = 32

// maxBatch is how many tasks a consumer gets at once at most, and maxBatchBytes about how large these are.
const (
	maxBatch      = 256
	maxBatchBytes = 64 << 10
)

// Producer is the end of an edge that tasks are given out from. It keeps each until it is done. All methods may be called
// from any goroutine.
type Producer[B any] struct {
	cfg Config[B]

	telling sync.Mutex // held while consumers are told of ends, so that they hear things in order; taken before mu

	mu       sync.Mutex
	links    []*Outlink[B]
	waiting  deque[*Outlink[B]]          // those that have credit
	ready    deque[*Task[B]]             // to be given out
	again    []*Task[B]                  // failed, to be given out again
	suspects deque[*Task[B]]             // to be given out again, each alone
	lanes    map[string]*deque[*Task[B]] // by key: tasks that wait for the one before; a key without tasks has none
	index    map[ID]*Task[B]             // those that were given to consumers in other processes
	tasks    int                         // not done
	bytes    int64                       // of these
	senders  []chan struct{}             // Sends that wait for room
	endings  []*ending
	batch    []*Task[B]
	slab     []Task[B] // not used yet
	begun    bool      // MinWorkers were there
	turn     bool      // it was that of tasks that have failed
	closed   bool
}

// NewProducer returns a Producer that has no consumers yet.
func NewProducer[B any](cfg Config[B]) *Producer[B] {
	if cfg.Limit <= 0 {
		cfg.Limit = defaultLimit
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = defaultBytes
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Retried == nil {
		cfg.Retried = new(atomic.Int64)
	}
	p := &Producer[B]{cfg: cfg}
	if cfg.Ordered {
		p.lanes = make(map[string]*deque[*Task[B]])
	}
	return p
}

// Send takes a task over, of about size bytes, and tells origin when it is done. It waits while there is no room. Once ctx
// has ended its error wraps ctx.Err().
func (p *Producer[B]) Send(ctx context.Context, id ID, key string, body B, size int, origin Origin) error {
	if int64(size) > p.cfg.Bytes {
		return fmt.Errorf("%w: it has %d bytes, at most %d are possible", ErrTooLarge, size, p.cfg.Bytes)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed && (p.tasks >= p.cfg.Limit || p.bytes >= p.cfg.Bytes) {
		if err := p.waitRoom(ctx); err != nil {
			return err
		}
	}
	return p.add(id, key, body, size, origin)
}

// Force is a Send that takes the task whether there is room or not.
func (p *Producer[B]) Force(id ID, key string, body B, size int, origin Origin) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.add(id, key, body, size, origin)
}

func (p *Producer[B]) add(id ID, key string, body B, size int, origin Origin) error {
	if p.closed {
		return ErrClosed
	}
	if len(p.slab) == 0 {
		p.slab = make([]Task[B], slabSize)
	}
	t := &p.slab[0]
	p.slab = p.slab[1:]
	*t = Task[B]{ID: id, Body: body, size: int64(size), key: key, origin: origin}
	if p.index != nil {
		if same := p.index[id]; same != nil { // it was given to this stage twice
			same.origin = both{same.origin, origin}
			return nil
		}
		p.index[id] = t
	}
	p.tasks++
	p.bytes += t.size
	if p.lanes != nil {
		if lane, taken := p.lanes[key]; taken {
			if lane == nil {
				lane = new(deque[*Task[B]])
				p.lanes[key] = lane
			}
			lane.pushBack(t)
			return nil
		}
		p.lanes[key] = nil
	}
	p.ready.pushBack(t)
	p.dispatch()
	return nil
}

// waitRoom waits until there may be room. The lock is held, but not while it waits.
func (p *Producer[B]) waitRoom(ctx context.Context) error {
	room := make(chan struct{})
	p.senders = append(p.senders, room)
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-room: // who is no longer interested leaves it to be closed
		return nil
	case <-ctx.Done():
		return fmt.Errorf("pipe: no room: %w", ctx.Err())
	}
}

// wakeSenders wakes the Sends that wait, once there is room for many.
func (p *Producer[B]) wakeSenders() {
	if len(p.senders) == 0 || !p.closed && (p.tasks > p.cfg.Limit*3/4 || p.bytes > p.cfg.Bytes*3/4) {
		return
	}
	for _, room := range p.senders {
		close(room)
	}
	p.senders = nil
}

// Close makes Sends fail, those that wait too. Tasks that were not done are forgotten: their origins hear nothing.
func (p *Producer[B]) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.wakeSenders()
}

// settle forgets a task that is done or dead, unless that has happened before. The lock is held; the origin is to be told
// without it.
func (p *Producer[B]) settle(t *Task[B]) bool {
	if t.settled {
		return false
	}
	t.settled = true
	p.release(t)
	if p.index != nil {
		delete(p.index, t.ID)
	}
	p.tasks--
	p.bytes -= t.size
	if p.lanes == nil {
		return true
	}
	if lane := p.lanes[t.key]; lane == nil || lane.len() == 0 {
		delete(p.lanes, t.key)
	} else {
		p.ready.pushBack(lane.popFront())
	}
	return true
}

// release takes a task from its holder.
func (p *Producer[B]) release(t *Task[B]) {
	if t.holder != nil {
		t.holder.held.remove(t)
		t.holder = nil
	}
}

// Bury forgets a dead task: it counts as done.
func (p *Producer[B]) Bury(t *Task[B]) {
	p.mu.Lock()
	settled := p.settle(t)
	p.wakeSenders()
	p.dispatch()
	p.mu.Unlock()
	if !settled {
		return
	}
	t.origin.Done()
	t.origin.Flush()
}

// both are the origins of a task that came twice.
type both [2]Origin

func (b both) Done()  { b[0].Done(); b[1].Done() }
func (b both) Flush() { b[0].Flush(); b[1].Flush() }
