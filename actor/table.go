package actor

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
)

// table finds the actor of an id: a slot in its upper and a random tag in its lower half. A slot is used
// again, with another tag, so that an old PID misses. Looking up takes no lock.
type table struct {
	chunks atomic.Pointer[[]*chunk]
	mu     sync.Mutex // what follows, and storing to chunks
	free   []uint32
	used   uint32 // slots that were ever used; slot 0 never is
}

const chunkSize = 1024

type chunk [chunkSize]atomic.Pointer[cell]

func (t *table) init() { t.chunks.Store(new([]*chunk)) }

func (t *table) get(id uint64) *cell {
	if n := uint32(id >> 32); t.has(n) {
		if c := t.slot(n).Load(); c != nil && c.self.id == id {
			return c
		}
	}
	return nil
}

// has says whether there is a slot n.
func (t *table) has(n uint32) bool { return int(n/chunkSize) < len(*t.chunks.Load()) }

func (t *table) slot(n uint32) *atomic.Pointer[cell] {
	return &(*t.chunks.Load())[n/chunkSize][n%chunkSize]
}

// add gives c an id and makes it known.
func (t *table) add(c *cell) {
	tag := rand.Uint32()
	t.mu.Lock()
	var n uint32
	if last := len(t.free) - 1; last >= 0 {
		n, t.free = t.free[last], t.free[:last]
	} else {
		t.used++
		n = t.used
		t.grow(n)
	}
	t.mu.Unlock()
	c.self.id = uint64(n)<<32 | uint64(tag)
	t.slot(n).Store(c)
}

func (t *table) grow(n uint32) {
	if !t.has(n) {
		bigger := append(slices.Clone(*t.chunks.Load()), new(chunk))
		t.chunks.Store(&bigger)
	}
}

func (t *table) remove(c *cell) {
	n := uint32(c.self.id >> 32)
	t.slot(n).Store(nil)
	t.mu.Lock()
	t.free = append(t.free, n)
	t.mu.Unlock()
}
