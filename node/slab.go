package node

const (
	ownFrame = 16 << 10 // a frame of more bytes is kept as it is
	minSlab  = 1 << 10  // memory of frames that lie together, which grows with the traffic
	maxSlab  = 64 << 10
)

// slab is memory in which frames of an outbox lie. It is used again when none of them is needed any more.
type slab struct {
	buf   []byte
	live  int  // frames that are
	given bool // some are given up, and will be read by whoever is told of it, at any time
}

// slabs is the memory of an outbox for its frames.
type slabs struct {
	last    *slab   // where the next frame goes
	free    []*slab // of maxSlab bytes
	left    []*slab // in which no frame is needed, but a writer may still read
	readers int     // writers that have frames in hand
}

// keep copies a frame, unless it is large, and returns where it lies then.
func (s *slabs) keep(frame []byte) ([]byte, *slab) {
	n := len(frame)
	if n > ownFrame {
		return frame, nil
	}
	if s.last == nil || cap(s.last.buf)-len(s.last.buf) < n {
		s.next(n)
	}
	l := s.last
	at := len(l.buf)
	l.buf = append(l.buf, frame...)
	l.live++
	return l.buf[at : at+n : at+n], l
}

// next has room for n bytes in last.
func (s *slabs) next(n int) {
	size := minSlab
	if s.last != nil {
		size = min(2*cap(s.last.buf), maxSlab)
		if old := s.last; old.live == 0 {
			s.release(old)
		}
	}
	if last := len(s.free) - 1; last >= 0 && size == maxSlab {
		s.last, s.free = s.free[last], s.free[:last]
		return
	}
	s.last = &slab{buf: make([]byte, 0, max(n, size))}
}

// forget is told that a frame in l is not needed any more.
func (s *slabs) forget(l *slab) {
	if l == nil {
		return
	}
	if l.live--; l.live > 0 {
		return
	}
	if l != s.last {
		s.release(l)
	} else if s.readers == 0 && !l.given {
		l.buf = l.buf[:0]
	}
}

func (s *slabs) release(l *slab) {
	switch {
	case l.given || cap(l.buf) != maxSlab:
	case s.readers > 0:
		s.left = append(s.left, l)
	default:
		l.buf = l.buf[:0]
		s.free = append(s.free, l)
	}
}

// reading is told that a writer has frames in hand, or has them no more.
func (s *slabs) reading(has bool) {
	if has {
		s.readers++
		return
	}
	if s.readers--; s.readers == 0 {
		for _, l := range s.left {
			s.release(l)
		}
		clear(s.left)
		s.left = s.left[:0]
	}
}

// idle gives memory back when no frame is kept.
func (s *slabs) idle() {
	s.free = nil
	if s.last != nil && cap(s.last.buf) > 4*minSlab {
		s.last = nil
	}
}
