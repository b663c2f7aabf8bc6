package actor

import (
	"fmt"
	"log/slog"
	"time"
)

// Context is what a handler or hook gets: its actor's view of the runtime. It is a Scope: messages sent through it come
// from the actor and never wait for room, and actors spawned in it are its children. It is also a context.Context that
// ends when this instance of the actor ends, by a stop or a restart, just before the stop hook runs; a Stop whose own
// ctx has ended ends it at once. In a stop hook, give what must still block another context.
//
// Everything may be used from any goroutine, also after the handler has returned, except that Reply then fails: an Ask has
// a Context of its own.
type Context struct {
	life *life
	turn turn // of the Ask in hand
}

func (c *Context) scope() scope { return scope{c.life.cell.sys, c.life.cell, c.life} }

// Self returns the exact PID of the actor. It stays the same when the actor restarts.
func (c *Context) Self() PID { return c.life.cell.self }

// Reply answers the Ask in hand. An error as v is a refusal: the asker's Ask returns it, and nothing restarts. An Ask
// must be answered before its handler returns, or the asker gets ErrNoReply; see ReplyLater for one that takes longer.
//
// Nil means that the answer is on its way; one that comes too late, or finds the way to its node gone, is a dead letter.
// Reply fails with ErrNotAsked if the message in hand is a Tell, or has been answered, or its handler has returned, and
// with codec.ErrEncode if v can't travel to where the asker is. A handler may return Reply's result in any case: the
// ErrNotAsked of a Tell does not count as a failure.
func (c *Context) Reply(v any) error {
	if c.turn.asker == nil {
		return errTold
	}
	return c.turn.reply(v)
}

// errTold is ErrNotAsked because there is no Ask.
var errTold = fmt.Errorf("%w: the message in hand is not an Ask", ErrNotAsked)

// Stop ends the actor after the message in hand: what is queued becomes dead letters, its children stop, its stop hook
// runs. It does not wait.
func (c *Context) Stop() { c.life.quit() }

// Log returns the System's logger with the actor's name, or its PID if it has none.
func (c *Context) Log() *slog.Logger { return c.life.logger() }

// Deadline reports that there is none.
func (c *Context) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done returns a channel that is closed when this instance of the actor ends.
func (c *Context) Done() <-chan struct{} { return c.life.context().Done() }

// Err returns context.Canceled once Done is closed, nil before.
func (c *Context) Err() error { return c.life.err() }

// Value returns nil: an actor carries no values but its own.
func (c *Context) Value(key any) any { return c.life.context().Value(key) } // lets contexts derived from c find its canceller
