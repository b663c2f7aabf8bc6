package actor

import (
	"errors"
	"sync/atomic"
)

// cell is what there is to an actor besides its mailbox and the type of its messages: its place among the others, and its
// life, which the worker that runs it leads.
type cell struct {
	path string   // its registered name: its parents' names and its own, joined by "/"; "" = none
	set  *options // as Spawn's were; shared by actors without any

	counts  counts
	held    atomic.Pointer[member] // of a restart of several siblings, see flagHold
	failure atomic.Pointer[error]  // what a child escalated, see flagFail

	parent *cell   // nil at the top
	home   *family // the parent's children, or the System's
	family
	older, younger *cell               // siblings
	gone           chan struct{}       // guarded by family.mu; nil until somebody waits
	left           bool                // guarded by family.mu
	watches        map[*watch]struct{} // guarded by family.mu; of others that watch this actor

	// What a message needs comes last, next to the inbox's queue: in memory that is not in a processor's cache, that is
	// what handling it costs. What the worker looks at for every message comes first, apart from what senders write.
	flags     atomic.Uint32
	handling  bool                 // the worker's: it is in the program's handler, or was ended there by runtime.Goexit
	hooked    bool                 // may have hooks, or has sources; not changed after Spawn
	started   bool                 // the worker's: the start hook of the instance has returned, and its stop hook has not run
	life      atomic.Pointer[life] // of the present instance; nil before the first
	sys       *System
	box       box // the inbox that the cell is part of
	self      PID
	nextReady *cell // guarded by workers.mu
}

const (
	flagKill   uint32 = 1 << iota // stop now, children too
	flagQuit                      // stop after the message in hand
	flagHold                      // take part in a restart of several siblings
	flagFail                      // a child escalated its failure
	flagUrgent                    // look at what is urgent
)

// obey does what the flags ask for. False: the actor is gone.
func (c *cell) obey() (alive bool) {
	flags := c.flags.Load()
	switch {
	case flags&flagKill != 0:
		c.end(Stopped)
		return false
	case flags&flagHold != 0:
		return c.hold()
	case flags&flagFail != 0:
		c.flags.And(^flagFail)
		return c.failed(*c.failure.Load())
	case flags&flagQuit != 0:
		return c.failed(nil)
	}
	c.flags.And(^flagUrgent)
	c.box.takeUrgent()
	return true
}

// resume starts the first instance, or goes on where a worker was ended by runtime.Goexit. False: the actor is gone.
func (c *cell) resume() bool {
	switch {
	case c.handling:
		c.handling = false
		return c.box.settle(errGoexit)
	case c.life.Load() == nil:
		c.life.Store(newLife(c))
		return c.failedStart(c.begin())
	}
	return true
}

// begin makes an instance in a life that can be found by now, and runs its start hook. A nil instance: errKilled.
func (c *cell) begin() error {
	c.flags.And(^(flagQuit | flagFail)) // which concerned the instance before
	if c.doomed() {                     // a kill that did not find the life is seen here
		return errKilled
	}
	err := c.box.construct(&c.life.Load().told)
	if c.started = err == nil; c.started {
		c.begun()
	}
	return err
}

func (c *cell) killed() bool { return c.flags.Load()&flagKill != 0 }

// doomed reports whether c is killed, or about to be because its parent is.
func (c *cell) doomed() bool {
	for ; c != nil; c = c.parent {
		if c.killed() {
			return true
		}
	}
	return false
}

// retire ends the present instance, or the actor with it: its children first, then its Contexts, then its stop hook.
func (c *cell) retire(ending bool) {
	c.stopChildren()
	life := c.life.Load()
	if life == nil {
		return
	}
	life.end()
	life.callOff(ending)
	c.stopChildren() // the last, spawned in the meantime
	started := c.started
	c.started = false
	if err := c.box.destruct(&life.told, started); err != nil {
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

// String is label, for errors.
func (c *cell) String() string { return c.label() }

// label is what the log calls the actor.
func (c *cell) label() string {
	if c.path != "" {
		return c.path
	}
	return c.self.String()
}
