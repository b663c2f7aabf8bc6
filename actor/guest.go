package actor

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

const (
	maxHolds    = 1 << 16 // what another node may have of actors here: watches, links, and actors spawned
	maxStarting = 1 << 10 // actors being spawned for another node at one time
)

// guest is another node as far as its actors have anything of those here.
type guest struct {
	incarnation uuid.UUID
	holds       map[uint64]*hold // by number
	left        int              // holds that it has no more, whose actors have yet to take a stop or a failure from their queues
	starting    int
}

// admit notes h, which is new. It fails with ErrFull if the node has too much, and with ErrUsage if that number is in use.
func (s *System) admit(h *hold) error {
	f, node, incarnation := &s.far, h.from.Node(), h.from.Incarnation()
	f.mu.Lock()
	g := f.guests[node]
	if g != nil && g.incarnation != incarnation { // the old one is gone, though nobody said so
		f.mu.Unlock()
		s.dismiss(node, g.incarnation)
		f.mu.Lock()
		g = f.guests[node]
	}
	defer f.mu.Unlock()
	if g == nil {
		g = &guest{holds: map[uint64]*hold{}}
		f.guests[node] = g
	}
	g.incarnation, h.guest = incarnation, g
	switch _, used := g.holds[h.number]; {
	case used:
		return fmt.Errorf("%w: number %d of node %s is in use", ErrUsage, h.number, node)
	case len(g.holds)+g.left >= maxHolds, h.kind == KindSpawn && g.starting >= maxStarting:
		return fmt.Errorf("%w: node %s has too many watches, links or spawned actors here", ErrFull, node)
	}
	g.holds[h.number] = h
	if h.kind == KindSpawn {
		g.starting++
	}
	return nil
}

// held returns what the sender of e has by its number.
func (f *far) held(e *Envelope) *hold {
	g := f.guests[e.Sender.Node()]
	if g == nil || g.incarnation != e.Sender.Incarnation() {
		return nil
	}
	return g.holds[e.Correlation]
}

// forget removes h, which is over. The caller holds mu.
func (f *far) forget(h *hold) {
	g := h.guest
	switch h.place {
	case amongHolds:
		delete(g.holds, h.number)
	case amongLeft:
		g.left--
	}
	h.place = nowhere
	f.tidy(h.from.Node(), g)
}

// leave lets the other node have h no more, and reports whether that is all: else h stays until its actor has taken what is
// in its queue, so that no node can fill a queue with stops and failures. The caller holds mu.
func (f *far) leave(h *hold) (over bool) {
	h.mute = true
	if !h.taken {
		f.forget(h)
		return true
	}
	g := h.guest
	delete(g.holds, h.number)
	g.left++
	h.place = amongLeft
	return false
}

func (f *far) tidy(node string, g *guest) {
	if len(g.holds)+g.left == 0 && f.guests[node] == g {
		delete(f.guests, node)
	}
}

// dismiss takes from a node what it has here, if it is that incarnation (zero: whichever), which it returns. It reports
// whether the node has watches or links that it does not know to be over.
func (s *System) dismiss(node string, incarnation uuid.UUID) (gone uuid.UUID, told bool) {
	var off, links []*hold
	var children []*cell
	s.far.mu.Lock()
	g := s.far.guests[node]
	if g == nil || incarnation != uuid.Nil && g.incarnation != incarnation {
		s.far.mu.Unlock()
		return incarnation, false
	}
	for _, h := range g.holds {
		told = told || h.kind != KindSpawn
		switch {
		case h.kind == KindLink:
			links = append(links, h)
			h.taken = true
		case h.kind == KindSpawn:
			h.stops, h.taken = true, true
			if h.target != nil {
				children = append(children, h.target)
			}
		}
		if s.far.leave(h) {
			off = append(off, h)
		}
	}
	gone = g.incarnation
	s.far.mu.Unlock()
	for _, h := range off {
		h.callOff()
	}
	for _, h := range links {
		s.sever(h, NodeDown)
	}
	if len(children) > 0 {
		s.far.spare(func() { s.dismissed(children) })
	}
	return gone, told
}

// dismissed stops actors whose node is gone, each behind what is queued, all within the time of one.
func (s *System) dismissed(children []*cell) {
	for _, c := range children {
		c.shutdown()
	}
	ctx, cancel := context.WithTimeout(context.Background(), defaultShutdown)
	defer cancel()
	if err := stopAll(ctx, children); err != nil {
		s.log.Warn("an actor does not stop whose node is gone", "error", err)
	}
}
