package actor

import (
	"fmt"
	"reflect"
)

// Handler handles a message of any type.
type Handler func(c *Context, m any) error

// Middleware makes a Handler of another one, which it may call: to trace, to measure, to validate, to recover. The m that
// it hands on must be of the actor's type, or the message counts as one that the actor doesn't take.
type Middleware func(next Handler) Handler

// Use puts middleware around the actor's handler, the first outermost, inside of Config.Middleware. It is called for each
// message, not for callbacks; the functions that it returned are made anew with every instance.
func Use(around ...Middleware) Option {
	return func(o *options) {
		for _, m := range around {
			if m == nil {
				o.refuse("Use: nil Middleware")
				return
			}
		}
		o.around = append(o.around[:len(o.around):len(o.around)], around...)
	}
}

// Sending is called with each message before it is sent, by Tell, Ask and the like, by whatever goroutine sends. It returns
// the message that is sent instead, of the same type, or an error with which it is refused.
type Sending func(in Scope, to PID, m any) (any, error)

// wrap puts middleware around f.
func wrap[M any](around []Middleware, f func(*Context, M) error) func(*Context, M) error {
	if len(around) == 0 {
		return f
	}
	var h Handler = func(c *Context, m any) error {
		typed, ok := m.(M)
		if !ok && (m != nil || !nillable(reflect.TypeFor[M]())) {
			return misfitf(UnknownType, "%w: middleware made a %T of a %v", ErrType, m, reflect.TypeFor[M]())
		}
		return f(c, typed)
	}
	for i := len(around) - 1; i >= 0; i-- {
		h = around[i](h)
	}
	return func(c *Context, m M) error { return h(c, m) }
}

// outgoing is m after Sending.
func outgoing[M any](in Scope, sc scope, to PID, m M) (M, error) {
	if sc.sys.sending == nil {
		return m, nil
	}
	sent, err := sc.sys.sending(in, to, m)
	if err != nil {
		return m, err
	}
	typed, ok := sent.(M)
	if !ok && (sent != nil || !nillable(reflect.TypeFor[M]())) {
		return m, fmt.Errorf("%w: Sending made a %T of a %v", ErrType, sent, reflect.TypeFor[M]())
	}
	return typed, nil
}
