package actor

import (
	"errors"
	"fmt"
)

// hold is what an actor of another node has of one here: a watch of it, a link to it, or the actor, which it spawned.
type hold struct {
	watch
	kind  Kind
	from  PID
	guest *guest

	// Guarded by far.mu.
	place holdPlace
	mute  bool // the other node wants no news of it
	taken bool // its actor has been told to stop or to fail: that is in its queue
	stops bool // the other node wants the actor to stop
}

type holdPlace uint8

const (
	amongHolds holdPlace = iota
	amongLeft
	nowhere // over
)

// over is the end of h's actor.
func (s *System) over(h *hold, why Reason) {
	s.far.mu.Lock()
	mute := h.mute
	s.far.forget(h)
	s.far.mu.Unlock()
	if !mute {
		s.terminated(h.from, h.pid, h.number, why)
	}
}

func (s *System) terminated(to, target PID, number uint64, why Reason) {
	_ = s.send(&Envelope{Kind: KindTerminated, Target: to, Sender: target, Correlation: number, Type: string(why)})
}

// deliverWatch is the beginning of a watch or a link.
func (s *System) deliverWatch(e *Envelope) error {
	target, err := s.local(e.Target)
	if err != nil {
		s.terminated(e.Sender, e.Target, e.Correlation, NoActor)
		return err
	}
	h := &hold{kind: e.Kind, from: e.Sender}
	h.target, h.pid, h.number = target, e.Target, e.Correlation
	h.away = func(why Reason) { s.over(h, why) }
	if err := s.admit(h); err != nil {
		if errors.Is(err, ErrFull) {
			s.terminated(e.Sender, e.Target, e.Correlation, Full)
		}
		return err
	}
	h.begin()
	return nil
}

// deliverUnwatch is the end of a watch, or of a link, by who has it.
func (s *System) deliverUnwatch(e *Envelope) error {
	s.far.mu.Lock()
	h := s.far.held(e)
	if h == nil || h.kind != e.Kind-1 {
		s.far.mu.Unlock()
		return nil
	}
	why := Reason(e.Type)
	fails := h.kind == KindLink && (why == Failed || why == NodeDown)
	h.taken = h.taken || fails
	over := s.far.leave(h)
	s.far.mu.Unlock()
	if over {
		h.callOff()
	}
	if fails {
		s.sever(h, why)
	}
	return nil
}

// sever makes the end of the other actor of a link the failure of the one here. H has been left.
func (s *System) sever(h *hold, why Reason) {
	h.target.call(nil, func() error {
		if h.watch.over.Swap(true) {
			return nil
		}
		h.target.dropWatch(&h.watch)
		s.far.mu.Lock()
		s.far.forget(h)
		s.far.mu.Unlock()
		return fmt.Errorf("%w: %v: %s", ErrLinked, h.from, why)
	})
}

// deliverStop ends an actor that the sender watches, is linked to or has spawned: behind what is queued, or at once.
func (s *System) deliverStop(e *Envelope) error {
	s.far.mu.Lock()
	h := s.far.held(e)
	if h == nil {
		s.far.mu.Unlock()
		return nil
	}
	target, again := h.target, h.taken
	h.stops, h.taken = true, target != nil
	s.far.mu.Unlock()
	switch {
	case target == nil: // it is being started
	case e.Type == stopNow:
		target.kill()
	case !again:
		target.shutdown()
	}
	return nil
}

// stopNow is the Type of a KindStop that does not wait for what is queued.
const stopNow = "now"
