package node

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Frames lie undisturbed until they are forgotten, and longer if a writer has them in hand; those that are given up for ever.
func TestFramesStayAsTheyAreInASlab(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var s slabs
		var live, read, given []lodging // read: forgotten, in the hand of a writer
		for range 5000 {
			switch r.IntN(7) {
			case 0, 1, 2:
				frame := bytes.Repeat([]byte{byte(r.Uint32())}, 1+r.IntN(1<<r.IntN(16)))
				kept, l := s.keep(frame)
				live = append(live, lodging{item{frame: kept, slab: l}, bytes.Clone(frame)})
				if l != nil {
					clear(frame) // it is the caller's
				}
			case 3, 4: // mostly the first
				n := min(len(live), r.IntN(4))
				if r.IntN(300) == 0 {
					n = len(live)
				}
				for range n {
					p := live[0]
					intact(t, live[:1])
					live = live[1:]
					if s.forget(p.slab); s.readers > 0 {
						read = append(read, p)
					}
				}
			case 5:
				if s.readers == 0 {
					s.reading(true)
				} else if r.IntN(20) == 0 {
					intact(t, read)
					s.reading(false)
					read = nil
				}
			case 6:
				if len(live) > 0 && r.IntN(10) == 0 {
					i := r.IntN(len(live))
					p := live[i]
					live = append(live[:i], live[i+1:]...)
					if p.slab != nil {
						p.slab.given = true
					}
					s.forget(p.slab)
					given = append(given, p)
				} else if len(live) == 0 {
					s.idle()
				}
			}
		}
		intact(t, live)
		intact(t, given)
	}
}

// lodging is where a frame lies, and what it is.
type lodging struct {
	item
	want []byte
}

func intact(t *testing.T, places []lodging) {
	t.Helper()
	for _, p := range places {
		if !bytes.Equal(p.frame, p.want) {
			t.Fatalf("a frame of %d bytes has been overwritten", len(p.want))
		}
	}
}

// A stream of messages of which few wait at a time needs memory for those alone.
func TestSlabsAreUsedAgain(t *testing.T) {
	var s slabs
	frame := make([]byte, 1000)
	var waiting []*slab
	pass := func(n int) {
		for range n {
			_, l := s.keep(frame)
			if waiting = append(waiting, l); len(waiting) > 500 {
				s.forget(waiting[0])
				waiting = waiting[1:]
			}
		}
	}
	pass(2000)
	if n := testing.AllocsPerRun(100, func() { pass(1000) }); n > 50 { // the list waiting itself grows
		t.Errorf("%v allocations for 1000 messages", n)
	}
	for _, l := range waiting {
		s.forget(l)
	}
	if s.idle(); s.free != nil || s.last != nil && cap(s.last.buf) > 4*minSlab {
		t.Error("memory is kept although nothing is")
	}
}
