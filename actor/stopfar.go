package actor

import (
	"context"
	"fmt"
	"time"
)

// stopFar is Stop of an actor of another node: a watch of it, and the wish that it ends.
func (s *System) stopFar(ctx context.Context, pid PID) error {
	ended := make(chan Reason, 1)
	w := &watch{pid: pid, away: func(why Reason) { ended <- why }}
	s.number(w)
	if err := s.announce(w, KindWatch); err != nil {
		return err
	}
	defer w.callOff()
	there := remoteActor{pid, w.number}
	if ctx.Err() == nil {
		if err := s.halt(there, ""); err != nil {
			return err
		}
		select {
		case why := <-ended:
			return s.stoppedFar(pid, why)
		case <-ctx.Done():
		}
	}
	if err := s.halt(there, stopNow); err != nil {
		return err
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case why := <-ended:
		return s.stoppedFar(pid, why)
	case <-late.C:
		return fmt.Errorf("actor: %v does not return, or its node does not answer: %w", pid, context.Cause(ctx))
	}
}

// stoppedFar is what Stop returns when the actor's watch has ended.
func (s *System) stoppedFar(pid PID, why Reason) error {
	switch why {
	case NoActor:
		return &about{ErrNoActor, pid, ""}
	case NodeDown:
		return fmt.Errorf("%w: %v: %s", ErrUnreachable, pid, why)
	case Full:
		return fmt.Errorf("%w: node %s keeps no more watches", ErrFull, pid.Node())
	}
	return nil
}
