package actor

import (
	"context"
	"fmt"
)

// tell gives m, of which more may be known, to an actor of this System.
func tell[M any](ctx context.Context, sc scope, may haste, c *cell, m M, x *more) error {
	if sc.cell == nil && sc.sys.closing.Load() {
		return fmt.Errorf("%w: node %s is stopping", ErrClosed, sc.sys.node)
	}
	if b, ok := c.box.(*inbox[M]); ok && !sc.sys.copying {
		return b.push(ctx, may, letter[M]{m, sc.cell, x})
	}
	return sc.put(ctx, may, c, message{m, sc.cell, x})
}

// tellUrgent is tell for what is urgent.
func tellUrgent[M any](sc scope, c *cell, m M) error {
	if sc.cell == nil && sc.sys.closing.Load() {
		return fmt.Errorf("%w: node %s is stopping", ErrClosed, sc.sys.node)
	}
	if b, ok := c.box.(*inbox[M]); ok && !sc.sys.copying {
		return b.pushUrgent(letter[M]{m, sc.cell, nil})
	}
	x, err := sc.copied(message{m, sc.cell, nil})
	if err != nil {
		return err
	}
	return c.box.putUrgent(x)
}

// put is tell for a message of another type than the actor's, or that has to be copied.
func (sc scope) put(ctx context.Context, may haste, c *cell, m message) error {
	m, err := sc.copied(m)
	if err != nil {
		return err
	}
	return c.box.put(ctx, may, m)
}

// copied is m after CopyMessages.
func (sc scope) copied(m message) (message, error) {
	if !sc.sys.copying {
		return m, nil
	}
	b, err := encode(m.value, sc.pid())
	if err != nil {
		return m, err
	}
	if m.value = nil; m.more == nil {
		m.more = new(more)
	}
	m.more.alien = b
	return m, nil
}

// find returns the local actor of a PID, nil for one of another node.
func (s *System) find(pid PID) (*cell, error) {
	if pid.at == s.self.at {
		if c := s.table.get(pid.id); c != nil {
			return c, nil
		}
	}
	return s.findByName(pid)
}

// findByName is find for a PID that has a name, or is none of an actor that is here.
func (s *System) findByName(pid PID) (*cell, error) {
	if pid.IsZero() {
		return nil, fmt.Errorf("%w: the zero PID", ErrNoActor)
	}
	at := pid.at.Value()
	switch {
	case pid.at == s.self.at:
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

// local is find for what concerns actors of this node only.
func (s *System) local(pid PID) (*cell, error) {
	c, err := s.find(pid)
	if err == nil && c == nil {
		err = fmt.Errorf("%w: %v is an actor of another node", ErrUnreachable, pid)
	}
	return c, err
}

func (s *System) noActor(pid PID) error {
	if s.closing.Load() {
		return &about{ErrClosed, pid, ""}
	}
	return &about{ErrNoActor, pid, ""}
}
