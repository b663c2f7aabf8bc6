package actor

import "sync"

// family holds the children of an actor, or of the System, in the order in which they were spawned.
type family struct {
	mu       sync.Mutex
	youngest *cell
	rules    *Supervision
	ledger   *ledger  // nil before the first failure
	group    *regroup // the restart of several children that is under way, if any
	closed   bool
}

// add makes c the youngest. It returns false if the family takes no more, or none of the instance in whose name c was
// spawned (nil: from outside): a child of an instance that has ended would belong to the next.
func (f *family) add(c *cell, in *life) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || in != nil && in.err() != nil {
		return false
	}
	c.older = f.youngest
	if c.older != nil {
		c.older.younger = c
	}
	f.youngest = c
	return true
}

func (f *family) remove(c *cell) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.older != nil {
		c.older.younger = c.younger
	}
	if c.younger != nil {
		c.younger.older = c.older
	} else if f.youngest == c {
		f.youngest = c.older
	}
	c.older, c.younger = nil, nil
}

// close lets no more in.
func (f *family) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

func (f *family) newest() *cell {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.youngest
}

// children returns all, the oldest first.
func (f *family) children() []*cell {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list()
}

// list is children for who holds mu.
func (f *family) list() []*cell {
	var all []*cell
	for c := f.youngest; c != nil; c = c.older {
		all = append(all, c)
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}
