package actor

import (
	"errors"
	"fmt"
	"reflect"
)

// Receiver is an actor with state, which lives in the value. It may also have the hooks
//
//	Start(c *Context) error // runs before the first message of this value
//	Stop(c *Context) error  // runs once after its last, if Start did not fail
//
// A Start that fails is a failure of the actor, about which its supervisor decides; see Supervision. The error of a Stop
// is logged. Hooks and constructors run in goroutines of their own, one at a time and never beside a handler.
type Receiver[M any] interface {
	Receive(c *Context, m M) error
}

// Spawn starts an actor that handles each message with receive. It returns once the actor has its name and its sockets;
// messages may be sent from then on. An empty name means none: the actor is reached by the Ref only. In a *Context the
// actor becomes a child of that actor, and its name begins with its parent's: "parent/name".
//
// Spawn fails with ErrNameTaken, ErrName, ErrClosed (the system is stopping, or the parent is stopping or restarting),
// ErrUsage, or the error of binding a socket.
func Spawn[M any](in Scope, name string, receive func(*Context, M) error, opts ...Option) (Ref[M], error) {
	if receive == nil {
		return Ref[M]{}, fmt.Errorf("%w: nil receive function for actor %q", ErrUsage, name)
	}
	return spawn(in, name, function[M](receive), nil, opts)
}

// SpawnNew starts an actor whose state lives in the value that create returns. create is called for
// the first value, after SpawnNew has the name, and again at every restart; a nil value or a panic there counts as a failed
// start.
// Everything else is as with Spawn.
func SpawnNew[M any, A Receiver[M]](in Scope, name string, create func() A, opts ...Option) (Ref[M], error) {
	if create == nil {
		return Ref[M]{}, fmt.Errorf("%w: nil create function for actor %q", ErrUsage, name)
	}
	return spawn(in, name, nil, func() Receiver[M] { return create() }, opts)
}

// function is the Receiver of Spawn.
type function[M any] func(*Context, M) error

func (f function[M]) Receive(c *Context, m M) error { return f(c, m) }

// spawn makes an actor. One with a constructor, or with sockets, starts now, others when their first message comes.
func spawn[M any](in Scope, name string, f Receiver[M], create func() Receiver[M], opts []Option) (Ref[M], error) {
	sc, err := scopeOf(in)
	if err != nil {
		return Ref[M]{}, err
	}
	b := &inbox[M]{inst: f, create: create, typeName: typeNameOf[M]()}
	hwm, err := sc.prepare(&b.cell, name, reflect.TypeFor[M](), opts)
	if err != nil {
		return Ref[M]{}, err
	}
	b.box = b
	b.queue.Init(hwm)
	err = sc.enter(&b.cell, create != nil)
	return Ref[M]{b.self}, err
}

// prepare fills in c, which becomes the actor called name.
func (sc scope) prepare(c *cell, name string, t reflect.Type, opts []Option) (hwm int, err error) {
	s := sc.sys
	if c.path, err = sc.path(name); err != nil {
		return 0, err
	}
	c.set = &s.defaults
	if len(opts) > 0 {
		o := s.defaults
		for _, opt := range opts {
			if opt != nil {
				opt(&o)
			}
		}
		for _, src := range o.sources {
			src.config = o.socket
			o.err = errors.Join(o.err, src.check(t))
		}
		if o.err != nil {
			return 0, fmt.Errorf("actor %q: %w", name, o.err)
		}
		c.set = &o
	}
	c.sys, c.parent, c.home = s, sc.cell, sc.home()
	c.family.rules = c.set.rules
	c.self.at = s.self.at
	return c.set.hwm, nil
}

// enter makes c known, and starts it if it is eager.
func (sc scope) enter(c *cell, eager bool) error {
	s := sc.sys
	c.hooked = eager || len(c.set.sources) > 0
	claimed := c.hooked || c.path != ""
	if claimed {
		c.box.wake() // until its name is sure, it has its place among its siblings, and its sockets are open
	}
	s.table.add(c)
	if c.path != "" {
		if _, taken := s.names.LoadOrStore(c.path, c); taken {
			s.table.remove(c)
			return fmt.Errorf("%w: %s", ErrNameTaken, c.path)
		}
	}
	err := c.settleIn(sc.life)
	if err != nil {
		c.kill() // what it was told in the meantime becomes dead letters
	}
	if claimed && (c.hooked || !c.box.park()) {
		s.workers.run(c)
	}
	if err != nil {
		<-c.goneChan()
		return fmt.Errorf("actor %q: %w", c.path, err)
	}
	return nil
}

// settleIn gives c its place among its siblings and its sockets.
func (c *cell) settleIn(in *life) error {
	switch {
	case c.home.add(c, in):
	case c.parent != nil:
		return fmt.Errorf("%w: %s is stopping or restarting", ErrClosed, c.parent.label())
	default:
		return fmt.Errorf("%w: node %s is stopping", ErrClosed, c.sys.node)
	}
	for _, src := range c.set.sources {
		if err := src.open(c); err != nil {
			return err
		}
	}
	for _, src := range c.set.sources {
		src.run()
	}
	return nil
}

// home returns where the actors spawned in sc belong.
func (sc scope) home() *family {
	if sc.cell != nil {
		return &sc.cell.family
	}
	return &sc.sys.root
}

// path returns the registered name of an actor called name in sc.
func (sc scope) path(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	if err := checkName("name", name); err != nil {
		return "", err
	}
	if sc.cell == nil {
		return name, nil
	}
	path := sc.cell.path + "/" + name
	if sc.cell.path == "" {
		path = fmt.Sprintf("/%016x/%s", sc.cell.self.id, name)
	}
	return path, checkPath(path)
}
