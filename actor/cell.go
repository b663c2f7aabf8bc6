package actor

import (
	"errors"
	"sync/atomic"
	"time"
)

// cell is what there is to an actor besides its mailbox and the type of its messages: its place among the others, and its
// life, which the worker that runs it leads.
type cell struct {
	sys    *System
	box    box // the inbox that the cell is part of
	self   PID
	path   string // its registered name: its parents' names and its own, joined by "/"; "" = none
	wait   time.Duration
	policy Policy
	flags  atomic.Uint32
	life   atomic.Pointer[life] // of the present instance; nil before the first

	// The worker's alone.
	stage   stage
	ending  bool
	started bool      // the start hook of the present instance has returned, and its stop hook has not run
	sources []*source // not changed after Spawn
	hooked  bool      // may have hooks, or has sources; not changed after Spawn

	nextReady *cell   // guarded by workers.mu
	parent    *cell   // nil at the top
	home      *family // the parent's children, or the System's
	family
	older, younger *cell         // siblings
	gone           chan struct{} // guarded by family.mu; nil until somebody waits
	left           bool          // guarded by family.mu
}

const (
	flagKill uint32 = 1 << iota // stop now, children too
	flagQuit                    // stop after the message in hand
)

// stage says in which of the program's functions the worker is, for the one that takes over after runtime.Goexit.
type stage uint8

const (
	inNone stage = iota
	inStart
	inReceive
	inStop
)

// obey does what the flags ask for. False: the actor is gone.
func (c *cell) obey() (alive bool) {
	c.end()
	return false
}

// resume starts the first instance, or goes on where a worker was ended by runtime.Goexit. False: the actor is gone.
func (c *cell) resume() bool {
	stage := c.stage
	c.stage = inNone
	switch {
	case stage == inReceive:
		return c.box.settle(errGoexit)
	case stage == inStart:
		return c.begun(errGoexit)
	case stage == inStop && c.ending:
		c.leave()
		return false
	case stage == inStop:
		return c.begin()
	case c.life.Load() == nil:
		return c.begin()
	}
	return true
}

// begin makes an instance and runs its start hook.
func (c *cell) begin() bool {
	life := newLife(c)
	c.life.Store(life)
	if c.flags.Load() != 0 { // looked at after life can be found: a kill that did not find it is seen here
		life.end()
		c.end()
		return false
	}
	c.stage = inStart
	err := c.box.construct(&life.told)
	c.stage = inNone
	return c.begun(err)
}

func (c *cell) begun(err error) bool {
	if c.started = err == nil; c.started {
		return true
	}
	c.complain("actor's start failed", err)
	c.end()
	return false
}

// failed is what comes of a failure. False: the actor is gone.
func (c *cell) failed(err error) (alive bool) {
	c.complain("actor failed", err)
	c.retire()
	return c.begin()
}

// retire ends the present instance: its children first, then its Contexts, then its stop hook.
func (c *cell) retire() {
	c.stopChildren()
	life := c.life.Load()
	if life != nil {
		life.end()
		c.stopChildren() // the last, spawned in the meantime
	}
	if !c.started { // an instance that did not start is not stopped
		return
	}
	c.started = false
	c.stage = inStop
	err := c.box.destruct(&life.told)
	c.stage = inNone
	if err != nil {
		c.complain("actor's stop hook failed", err)
	}
}

// complain logs a failure.
func (c *cell) complain(what string, err error) {
	if p := (*panicError)(nil); errors.As(err, &p) {
		c.sys.log.Error(what, "actor", c.label(), "error", err, "stack", string(p.stack))
		return
	}
	c.sys.log.Error(what, "actor", c.label(), "error", err)
}

// label is what the log calls the actor.
func (c *cell) label() string {
	if c.path != "" {
		return c.path
	}
	return c.self.String()
}
