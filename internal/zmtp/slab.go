package zmtp

import "sync"

const (
	slabSize = 64 << 10
	slabLeft = 4 << 10 // a slab with less than this left is given up
)

// slab is memory that is read into from start to end, once: the messages of whoever read into it keep their part, and
// what is left may be used by another connection.
type slab struct{ free []byte }

// slabs holds those that nobody is reading into.
var slabs = sync.Pool{New: func() any { return &slab{free: make([]byte, slabSize)} }}

// borrow returns a slab with at least n bytes left, which is at most slabSize.
func borrow(n int) *slab {
	s := slabs.Get().(*slab)
	if len(s.free) < n {
		s.free = make([]byte, slabSize)
	}
	return s
}

// giveBack returns s for others to use, unless too little is left of it.
func (s *slab) giveBack() {
	if len(s.free) >= slabLeft {
		slabs.Put(s)
	}
}
