package actor

import "fmt"

// Scope is what one spawns under and sends from: a *System (from outside of any actor), a *Context (from inside of
// one), or a node that holds a System. An actor spawned in a *Context is a child of that actor.
//
// The interface is implemented by this package alone; other types get it by embedding a Scope.
type Scope interface{ scope() scope }

// scope is a system and, when the scope is a *Context, the actor inside of it and which instance.
type scope struct {
	sys  *System
	cell *cell
	life *life
}

// scopeOf refuses nil scopes, also those hidden in a non-nil interface, and those that the runtime didn't make.
func scopeOf(in Scope) (scope, error) {
	switch in := in.(type) {
	case *Context:
		if in != nil && in.life != nil {
			return in.scope(), nil
		}
	case *System:
		if in != nil && in.node != "" {
			return in.scope(), nil
		}
	}
	return foreignScope(in)
}

// foreignScope asks a type that embeds a Scope, which may be nil in its turn.
func foreignScope(in Scope) (sc scope, err error) {
	defer func() {
		if recover() != nil || sc.sys == nil || sc.sys.node == "" {
			sc, err = scope{}, fmt.Errorf("%w: nil or zero Scope, as a %T", ErrUsage, in)
		}
	}()
	return in.scope(), nil
}

// pid returns who sends: the actor, or the node itself.
func (sc scope) pid() PID {
	if sc.cell != nil {
		return sc.cell.self
	}
	return sc.sys.self
}
