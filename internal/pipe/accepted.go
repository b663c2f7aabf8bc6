package pipe

import (
	"container/list"
	"slices"

	"github.com/google/uuid"
)

const (
	maxRanges  = 100_000 // of all sources together
	maxSources = 10_000
)

// accepted remembers which tasks were accepted, for each source as ranges of numbers. What is beyond the bounds is
// forgotten: the lowest range of the source that was heard of least lately, or all of it.
type accepted struct {
	sources map[uuid.UUID]*list.Element // of *ranges
	lately  list.List                   // the latest first
	last    *ranges
	spans   int // of all sources
}

// ranges are the numbers of one source's accepted tasks.
type ranges struct {
	source uuid.UUID
	all    []span // in order, apart from each other
}

// span is the numbers from first to last.
type span struct{ first, last uint64 }

func (a *accepted) has(id ID) bool {
	r := a.of(id.Source)
	if r == nil {
		return false
	}
	i, _ := r.find(id.Number)
	return i < len(r.all) && r.all[i].first <= id.Number
}

// of returns the ranges of a source, nil if there are none.
func (a *accepted) of(source uuid.UUID) *ranges {
	if a.last != nil && a.last.source == source {
		return a.last
	}
	e := a.sources[source]
	if e == nil {
		return nil
	}
	a.lately.MoveToFront(e)
	a.last = e.Value.(*ranges)
	return a.last
}

func (a *accepted) add(id ID) {
	r := a.of(id.Source)
	if r == nil {
		if a.sources == nil {
			a.sources = make(map[uuid.UUID]*list.Element)
		}
		r = &ranges{source: id.Source}
		a.sources[id.Source] = a.lately.PushFront(r)
		a.last = r
		if len(a.sources) > maxSources {
			a.forget(a.lately.Back())
		}
	}
	a.spans += r.add(id.Number)
	if a.spans > maxRanges {
		if r := a.lately.Back().Value.(*ranges); len(r.all) > 1 {
			r.all = r.all[1:]
			a.spans--
		} else {
			a.forget(a.lately.Back())
		}
	}
}

// forget forgets a source.
func (a *accepted) forget(e *list.Element) {
	r := a.lately.Remove(e).(*ranges)
	delete(a.sources, r.source)
	a.spans -= len(r.all)
}

// find returns the index of the first span that does not end before n.
func (r *ranges) find(n uint64) (int, bool) {
	if len(r.all) > 0 && r.all[len(r.all)-1].last < n { // as usual
		return len(r.all), false
	}
	return slices.BinarySearchFunc(r.all, n, func(s span, n uint64) int {
		switch {
		case s.last < n:
			return -1
		case s.last > n:
			return 1
		}
		return 0
	})
}

// add adds a number, and returns how many spans more there are.
func (r *ranges) add(n uint64) int {
	i, _ := r.find(n)
	if i < len(r.all) && r.all[i].first <= n {
		return 0
	}
	before := i > 0 && r.all[i-1].last+1 == n
	after := i < len(r.all) && r.all[i].first-1 == n
	switch {
	case before && after:
		r.all[i-1].last = r.all[i].last
		r.all = slices.Delete(r.all, i, i+1)
		return -1
	case before:
		r.all[i-1].last = n
	case after:
		r.all[i].first = n
	default:
		r.all = slices.Insert(r.all, i, span{n, n})
		return 1
	}
	return 0
}
