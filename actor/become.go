package actor

import (
	"fmt"
	"reflect"
)

// Become has the actor's messages, from the next on, handled by f instead; nil is what handled them first, and so does a
// restart. It must be called by a handler, hook or callback of the actor. It fails with ErrType if M is not the type that
// the actor was spawned for.
func Become[M any](c *Context, f func(c *Context, m M) error) error {
	b, ok := c.life.cell.box.(*inbox[M])
	if !ok {
		return fmt.Errorf("%w: %s does not take %v", ErrType, c.life.cell.label(), reflect.TypeFor[M]())
	}
	b.become(f)
	return nil
}

// become makes f what handles messages; nil is what handles them by itself.
func (b *inbox[M]) become(f func(*Context, M) error) {
	plain, ok := b.inst.(function[M])
	switch {
	case f != nil:
	case ok:
		f = plain
	default:
		f = b.inst.Receive
	}
	b.receive = wrap(b.set.around, f)
}
