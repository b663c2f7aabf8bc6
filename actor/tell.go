package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/troupe-go/troupe/internal/queue"
)

func (sc scope) tell(to PID, v any) error {
	c, err := sc.sys.find(to)
	if err != nil {
		return err
	}
	if c == nil {
		return sc.tellRemote(to, v)
	}
	return sc.put(context.Background(), c, message{value: v, from: sc.cell})
}

// find returns the local actor of a PID, nil for one of another node.
func (s *System) find(pid PID) (*cell, error) {
	if pid.at == s.self.at {
		if c := s.table.get(pid.id); c != nil {
			return c, nil
		}
		return nil, s.noActor(pid)
	}
	if pid.IsZero() {
		return nil, fmt.Errorf("%w: the zero PID", ErrNoActor)
	}
	at := pid.at.Value()
	switch {
	case at.node == "":
		_, err := ParsePID(at.name)
		if err == nil { // "": made by ExactPID
			err = fmt.Errorf("%w: a PID without a node", ErrName)
		}
		return nil, err
	case at.node != s.node:
		return nil, nil
	case at.name != "":
		if c, ok := s.names.Load(at.name); ok {
			return c.(*cell), nil
		}
	}
	return nil, s.noActor(pid)
}

func (s *System) noActor(pid PID) error {
	if s.closing.Load() {
		return fmt.Errorf("%w: %v", ErrClosed, pid)
	}
	return fmt.Errorf("%w: %v", ErrNoActor, pid)
}

// put gives m to c by the rules of its mailbox.
func (sc scope) put(ctx context.Context, c *cell, m message) (err error) {
	s := sc.sys
	if sc.cell == nil && s.closing.Load() {
		return fmt.Errorf("%w: node %s is stopping", ErrClosed, s.node)
	}
	if s.copying {
		if m.value, err = encode(m.value, sc.pid()); err != nil {
			return err
		}
	}
	wake, err := c.queue.Push(m)
	if err != nil {
		return sc.putFull(ctx, c, m, err)
	}
	if wake {
		s.workers.run(c)
	}
	return nil
}

// spins is how often a sender lets others run and tries again before it waits: being woken costs more.
const spins = 16

// putFull is put when the queue did not take m at once.
func (sc scope) putFull(ctx context.Context, c *cell, m message, err error) error {
	var wake bool
	if errors.Is(err, queue.ErrFull) && c.policy == WaitForRoom && sc.cell == nil && c.wait > 0 {
		wake, err = c.pushWhenRoom(ctx, m)
	}
	switch {
	case err == nil:
		if wake {
			sc.sys.workers.run(c)
		}
		return nil
	case errors.Is(err, queue.ErrClosed):
		return c.stoppedError()
	case ctx.Err() != nil:
		return timeout(ctx, c.self)
	}
	err = fmt.Errorf("%w: %s", ErrFull, c.label())
	if c.policy == DropNewest {
		c.drop(&m, Full, err)
		return nil
	}
	return err
}

// pushWhenRoom waits for room until ctx or the mailbox's own wait ends, with one of the queue's errors.
func (c *cell) pushWhenRoom(ctx context.Context, m message) (wake bool, err error) {
	deadline := time.Now().Add(c.wait)
	for range spins {
		runtime.Gosched()
		if wake, err = c.queue.Push(m); !errors.Is(err, queue.ErrFull) {
			return wake, err
		}
		if !time.Now().Before(deadline) {
			break
		}
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return c.queue.Wait(ctx, m)
}
