package pipe

import "slices"

// ending is a source that has ended: the consumers are told, those that come later too.
type ending struct {
	id     ID
	role   string
	origin Origin
	heard  bool // by one consumer
}

// End tells the consumers that a source has ended, all of whose tasks are done. origin hears of it when it has come to
// the end of all edges by one way. A second End of a source whose first was not heard replaces the origin.
func (p *Producer[B]) End(id ID, role string, origin Origin) {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.mu.Lock()
	for _, e := range p.endings {
		if e.id == id {
			heard := e.heard
			if !heard {
				e.origin = origin
			}
			p.mu.Unlock()
			if heard {
				origin.Done()
				origin.Flush()
			}
			return
		}
	}
	p.endings = append(p.endings, &ending{id: id, role: role, origin: origin})
	links := slices.Clone(p.links)
	p.mu.Unlock()
	for _, l := range links { // a stage passes it on in this call, perhaps to who knows, and so hears of it
		l.taker.End(id, role)
	}
}

// Forget ends the telling: consumers that come later don't hear of that end, here and further down.
func (p *Producer[B]) Forget(id ID) {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.mu.Lock()
	p.endings = slices.DeleteFunc(p.endings, func(e *ending) bool { return e.id == id })
	links := slices.Clone(p.links)
	p.mu.Unlock()
	for _, l := range links {
		l.taker.Gone(id)
	}
}

// Heard says that the consumer has heard that a source has ended, and so has one at the end of all edges.
func (l *Outlink[B]) Heard(id ID) {
	p := l.p
	p.mu.Lock()
	var origin Origin
	for _, e := range p.endings {
		if e.id == id && !e.heard {
			e.heard = true
			origin = e.origin
		}
	}
	p.mu.Unlock()
	if origin != nil {
		origin.Done()
		origin.Flush()
	}
}
