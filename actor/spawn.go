package actor

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/troupe-go/troupe/mailbox"
)

// Receiver is an actor with state, which lives in the value. It may also have the hooks
//
//	Start(c *Context) error // runs before the first message of this value
//	Stop(c *Context) error  // runs once after its last, if Start did not fail
//
// A Start that fails stops the actor. The error of a Stop is logged.
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
	f := &function[M]{receive, typeNameOf[M]()}
	pid, err := spawn(in, name, reflect.TypeFor[M](), false, func() behaviour { return f }, opts)
	return Ref[M]{pid}, err
}

// SpawnNew starts an actor whose state lives in the value that create returns. create is called on the actor's own
// goroutine, for the first value and again at every restart; a nil value or a panic there counts as a failed start.
// Everything else is as with Spawn.
func SpawnNew[M any, A Receiver[M]](in Scope, name string, create func() A, opts ...Option) (Ref[M], error) {
	if create == nil {
		return Ref[M]{}, fmt.Errorf("%w: nil create function for actor %q", ErrUsage, name)
	}
	typeName := typeNameOf[M]()
	pid, err := spawn(in, name, reflect.TypeFor[M](), true, func() behaviour { return &object[M]{create(), typeName} }, opts)
	return Ref[M]{pid}, err
}

// function is the behaviour of Spawn.
type function[M any] struct {
	call     func(*Context, M) error
	typeName string
}

func (f *function[M]) start(*Context) error { return nil }
func (f *function[M]) stop(*Context) error  { return nil }

func (f *function[M]) receive(c *Context, value any) error {
	m, err := open[M](value, f.typeName)
	if err != nil {
		return err
	}
	return f.call(c, m)
}

// object is the behaviour of SpawnNew.
type object[M any] struct {
	value    Receiver[M]
	typeName string
}

func (o *object[M]) start(c *Context) error {
	if v := reflect.ValueOf(o.value); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("%w: create returned nil", ErrUsage)
	}
	if hook, ok := o.value.(interface{ Start(*Context) error }); ok {
		return hook.Start(c)
	}
	return nil
}

func (o *object[M]) stop(c *Context) error {
	if hook, ok := o.value.(interface{ Stop(*Context) error }); ok {
		return hook.Stop(c)
	}
	return nil
}

func (o *object[M]) receive(c *Context, value any) error {
	m, err := open[M](value, o.typeName)
	if err != nil {
		return err
	}
	return o.value.Receive(c, m)
}

// spawn makes an actor of messages of type t. An eager one starts now, others when their first message comes.
func spawn(in Scope, name string, t reflect.Type, eager bool, create func() behaviour, opts []Option) (PID, error) {
	sc, err := scopeOf(in)
	if err != nil {
		return PID{}, err
	}
	path, err := sc.path(name)
	if err != nil {
		return PID{}, err
	}
	s := sc.sys
	o := options{hwm: s.hwm, wait: s.wait}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	for _, src := range o.sources {
		o.err = errors.Join(o.err, src.check(t))
	}
	if o.err != nil {
		return PID{}, fmt.Errorf("actor %q: %w", name, o.err)
	}

	c := &cell{sys: s, path: path, create: create, wait: o.wait, policy: o.policy, parent: sc.cell, home: sc.home()}
	c.self.at = s.self.at
	c.queue.Init(o.hwm)
	c.sources = o.sources
	if eager = eager || len(c.sources) > 0; eager {
		c.queue.Wake() // claimed until its name is sure and its sockets are open
	}
	s.table.add(c)
	if path != "" {
		if _, taken := s.names.LoadOrStore(path, c); taken {
			s.table.remove(c)
			return PID{}, fmt.Errorf("%w: %s", ErrNameTaken, path)
		}
	}
	err = c.settleIn(sc.life, o.socket)
	if err != nil {
		c.kill() // what it was told in the meantime becomes dead letters
	}
	if eager {
		s.workers.run(c)
	}
	if err != nil {
		<-c.goneChan()
		return PID{}, fmt.Errorf("actor %q: %w", name, err)
	}
	return c.self, nil
}

// settleIn gives c its place among its siblings and its sockets.
func (c *cell) settleIn(in *life, cfg mailbox.Config) error {
	switch {
	case c.home.add(c, in):
	case c.parent != nil:
		return fmt.Errorf("%w: %s is stopping or restarting", ErrClosed, c.parent.label())
	default:
		return fmt.Errorf("%w: node %s is stopping", ErrClosed, c.sys.node)
	}
	for _, src := range c.sources {
		if err := src.open(c, cfg); err != nil {
			return err
		}
	}
	for _, src := range c.sources {
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
