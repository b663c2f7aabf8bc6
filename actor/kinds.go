package actor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// kinds are the actors that other nodes may start here, by name.
type kinds struct {
	mu     sync.Mutex
	starts map[string]starter
}

// starter starts an actor of one kind. Arg is a value, or a *body.
type starter func(in Scope, name string, arg any) (PID, error)

// RegisterKind lets actors of a kind be started from other nodes, and from this one: by SpawnOn and NewProxy, with the name
// that the actor gets ("" = none) and an argument, which is encoded as messages are. Start spawns the actor in the scope
// that it is given and returns its PID. It may be called by several goroutines at one time.
//
// RegisterKind fails with ErrNameTaken if this System has such a kind, ErrName for what is no name, and ErrUsage for a nil
// function or Scope.
func RegisterKind[A any](in Scope, kind string, start func(in Scope, name string, arg A) (PID, error)) error {
	sc, err := scopeOf(in)
	switch {
	case err != nil:
		return err
	case start == nil:
		return fmt.Errorf("%w: nil function for kind %q", ErrUsage, kind)
	}
	if err := checkName("kind", kind); err != nil {
		return err
	}
	typeName := typeNameOf[A]()
	return sc.sys.kinds.add(kind, func(in Scope, name string, arg any) (pid PID, err error) {
		a, err := open[A](arg, typeName)
		if bad, ok := err.(*misfit); ok {
			err = fmt.Errorf("the argument of kind %q: %w", kind, bad.err)
		}
		if err != nil {
			return PID{}, err
		}
		err = apart(func() (err error) {
			pid, err = start(in, name, a)
			return err
		})
		return pid, err
	})
}

// Kinds returns which kinds of actors can be started on this node, sorted.
func (s *System) Kinds() []string {
	s.kinds.mu.Lock()
	defer s.kinds.mu.Unlock()
	return slices.Sorted(maps.Keys(s.kinds.starts))
}

func (k *kinds) add(kind string, start starter) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.starts[kind] != nil {
		return fmt.Errorf("%w: kind %q", ErrNameTaken, kind)
	}
	if k.starts == nil {
		k.starts = map[string]starter{}
	}
	k.starts[kind] = start
	return nil
}

// start starts an actor of a kind here, and returns it.
func (s *System) start(kind, name string, arg any) (*cell, error) {
	s.kinds.mu.Lock()
	start := s.kinds.starts[kind]
	s.kinds.mu.Unlock()
	switch {
	case s.closing.Load():
		return nil, fmt.Errorf("%w: node %s is stopping", ErrClosed, s.node)
	case start == nil:
		return nil, fmt.Errorf("%w: %q on node %s", ErrNoKind, clip(kind), s.node)
	}
	pid, err := start(s, name, arg)
	if err != nil {
		return nil, err
	}
	c, err := s.local(pid)
	if err != nil {
		return nil, fmt.Errorf("kind %q has started %v: %w", kind, pid, err)
	}
	return c, nil
}

// deliverSpawn starts an actor for another node.
func (s *System) deliverSpawn(e *Envelope) error {
	asker := &farAsker{sys: s, asker: e.Sender, target: s.self, correlation: e.Correlation}
	h := &hold{kind: KindSpawn, from: e.Sender, mute: true}
	h.number = e.Correlation
	h.away = func(why Reason) { s.over(h, why) }
	err := s.admit(h)
	switch {
	case errors.Is(err, ErrUsage): // which is answered already
		return err
	case err != nil:
		asker.fail(err)
		return err
	}
	kind, name, argument := e.Meta[MetaKind], e.Target.Name(), &body{typeName: e.Type, data: e.Body, sender: e.Sender}
	ok := s.far.spare(func() {
		c, err := s.start(kind, name, argument)
		if s.spawned(h, c); err != nil {
			asker.fail(err)
		}
	})
	if !ok {
		s.spawned(h, nil)
		asker.fail(fmt.Errorf("%w: node %s is stopping", ErrClosed, s.node))
	}
	return nil
}

// spawned answers for h if there is an actor now. Nobody may be left who wants it.
func (s *System) spawned(h *hold, c *cell) {
	s.far.mu.Lock()
	h.guest.starting--
	if c == nil {
		s.far.forget(h)
		s.far.mu.Unlock()
		return
	}
	h.target = c
	unwanted := h.stops
	h.taken = h.taken || unwanted
	s.far.mu.Unlock()
	if h.begin(); !unwanted {
		e := &Envelope{Kind: KindSpawned, Target: h.from, Sender: s.self, Correlation: h.number, Value: c.self}
		e.Type = typeNameOf[PID]()
		unwanted = s.send(e) != nil
	}
	if unwanted {
		c.shutdown()
	}
}

// nobody is the PID of a node of which only the name is known.
func nobody(node string) PID { return ExactPID(node, uuid.Nil, 0) }
