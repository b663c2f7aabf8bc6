package actor

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Context is what a handler or hook gets: its actor's view of the runtime. It is a Scope: messages sent through it come
// from the actor and never wait for room, and actors spawned in it are its children. It is also a context.Context that
// ends when this instance of the actor ends, by a stop or a restart, just before the stop hook runs; a Stop whose own
// ctx has ended ends it at once. In a stop hook, give what must still block another context.
//
// Reply belongs to the handler while it runs; everything else may be used from any goroutine.
type Context struct {
	cell    *cell
	asker   asker // of the message in hand, nil once it has been answered
	asked   bool  // the message in hand is an Ask
	unasked bool  // Reply was called although it is none

	mu     sync.Mutex
	inner  context.Context // made when first needed
	cancel context.CancelFunc
	ended  bool
	log    *slog.Logger
}

func (c *Context) scope() scope { return scope{c.cell.sys, c.cell} }

// Self returns the exact PID of the actor. It stays the same when the actor restarts.
func (c *Context) Self() PID { return c.cell.self }

// Reply answers the Ask in hand. An error as v is a refusal: the asker's Ask returns it, and nothing restarts. An Ask
// must be answered before its handler returns, or the asker gets ErrNoReply.
//
// Nil means that the answer is on its way; one that comes too late, or finds the way to its node gone, is a dead letter.
// Reply fails with ErrNotAsked if the message in hand is a Tell or has been answered, and with codec.ErrEncode if v
// can't travel to where the asker is. A handler may return Reply's result in any case: the ErrNotAsked of a Tell does
// not count as a failure.
func (c *Context) Reply(v any) error {
	if c.asker == nil {
		c.unasked = !c.asked
		return ErrNotAsked
	}
	if err, ok := v.(error); ok {
		c.asker.refuse(err)
	} else if err := c.asker.reply(v); err != nil {
		return err
	}
	c.asker = nil
	return nil
}

// Stop ends the actor after the message in hand: what is queued becomes dead letters, its children stop, its stop hook
// runs. It does not wait.
func (c *Context) Stop() { c.cell.quit() }

// Log returns the System's logger with the actor's name, or its PID if it has none.
func (c *Context) Log() *slog.Logger {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log == nil {
		c.log = c.cell.sys.log.With("actor", c.cell.label())
	}
	return c.log
}

// Deadline reports that there is none.
func (c *Context) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Done returns a channel that is closed when this instance of the actor ends.
func (c *Context) Done() <-chan struct{} { return c.context().Done() }

// Err returns context.Canceled once Done is closed, nil before.
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return context.Canceled
	}
	return nil
}

// Value returns nil: an actor carries no values but its own.
func (c *Context) Value(key any) any { return c.context().Value(key) } // lets contexts derived from c find its canceller

func (c *Context) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithCancel(context.Background())
		if c.ended {
			c.cancel()
		}
	}
	return c.inner
}

func (c *Context) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}
