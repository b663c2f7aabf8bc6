package actor

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/internal/queue"
)

// cell is one actor: its mailbox, and what is done with a message from it. One worker at a time runs it: the one that
// claimed it by a wake of its queue.
type cell struct {
	sys    *System
	self   PID
	path   string // its registered name: its parents' names and its own, joined by "/"; "" = none
	create func() behaviour
	wait   time.Duration
	policy Policy
	queue  queue.Queue[message]
	flags  atomic.Uint32
	life   atomic.Pointer[life] // of the present instance; nil before the first

	// The worker's alone.
	inst    behaviour // nil before it is started and after it is stopped
	batch   []message
	next    int      // index in batch
	hand    *Context // of the message in hand
	stage   stage
	ending  bool
	sources []*source // not changed after Spawn

	parent *cell   // nil at the top
	home   *family // the parent's children, or the System's
	family
	older, younger *cell         // siblings
	gone           chan struct{} // guarded by family.mu; nil until somebody waits
	left           bool          // guarded by family.mu
}

// behaviour is an instance of an actor: the type of its messages and values is known to it alone.
type behaviour interface {
	start(c *Context) error
	receive(c *Context, value any) error
	stop(c *Context) error
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

// run handles messages until there are none. Then another worker may have it: nothing of c is the caller's any more.
func (c *cell) run() {
	if !c.resume() {
		return
	}
	for {
		for c.next < len(c.batch) {
			if c.flags.Load() != 0 {
				c.end()
				return
			}
			m := &c.batch[c.next]
			c.next++
			if _, ok := m.value.(stopMark); ok {
				c.end()
				return
			}
			if !c.handle(m) {
				return
			}
			c.done()
		}
		if !c.ready() {
			c.sys.workers.stay(c.ready)
		}
		done := c.batch
		c.batch, c.next = nil, 0
		if batch := c.queue.Take(done); batch != nil {
			c.batch = batch
			continue
		}
		// The queue is parked, and c no longer this worker's, unless it claims it again.
		if c.flags.Load() == 0 || !c.queue.Wake() {
			return
		}
		c.end()
		return
	}
}

// ready reports whether there is something to do.
func (c *cell) ready() bool { return c.flags.Load() != 0 || c.queue.Ready() }

// resume starts the first instance, or goes on where a worker was ended by runtime.Goexit. False: the actor is gone.
func (c *cell) resume() bool {
	stage := c.stage
	c.stage = inNone
	switch {
	case stage == inReceive:
		return c.resumed(c.settle(&c.batch[c.next-1], errGoexit))
	case stage == inStart:
		return c.started(errGoexit)
	case stage == inStop && c.ending:
		c.leave()
		return false
	case stage == inStop:
		return c.resumed(c.begin())
	case c.flags.Load() != 0:
		c.end()
		return false
	case c.life.Load() == nil:
		return c.begin()
	}
	return true
}

// resumed is the end of a message whose failure another worker has dealt with.
func (c *cell) resumed(alive bool) bool {
	if alive {
		c.done()
	}
	return alive
}

// done makes room for another message, and keeps nothing of the one in hand.
func (c *cell) done() {
	c.batch[c.next-1] = message{}
	c.hand = nil
	c.queue.Done(1)
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
	err := c.start(life.told)
	c.stage = inNone
	return c.started(err)
}

func (c *cell) start(ctx *Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = sane(panicked(r))
		}
	}()
	c.inst = c.create()
	return sane(c.inst.start(ctx))
}

func (c *cell) started(err error) bool {
	if err == nil {
		return true
	}
	c.complain("actor's start failed", err)
	c.inst = nil // an instance that did not start is not stopped
	c.end()
	return false
}

// handle gives m to the instance. False: the actor is gone.
func (c *cell) handle(m *message) bool {
	life := c.life.Load()
	c.hand = life.told
	if m.asker != nil {
		c.hand = &Context{life: life, turn: turn{asker: m.asker}}
	}
	c.stage = inReceive
	err := c.receive(c.hand, m)
	c.stage = inNone
	if err == nil && m.asker == nil {
		return true
	}
	return c.settle(m, err)
}

func (c *cell) receive(ctx *Context, m *message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = sane(panicked(r))
		}
	}()
	return sane(c.inst.receive(ctx, m.value))
}

// settle tells the asker, if it was not answered, what became of m, and restarts the actor if it failed.
func (c *cell) settle(m *message, err error) bool {
	told := m.asker == nil
	m.asker = c.hand.turn.end()
	if err == nil || told && errors.Is(err, errTold) {
		if m.asker != nil {
			m.asker.fail(ErrNoReply)
		}
		return true
	}
	if bad, ok := err.(*misfit); ok {
		c.drop(m, bad.reason, bad.err)
		return true
	}
	c.complain("actor failed", err)
	c.drop(m, Failed, &failedError{err})
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
	if inst := c.inst; inst != nil {
		c.inst = nil
		c.stage = inStop
		err := stopHook(inst, life.told)
		c.stage = inNone
		if err != nil {
			c.complain("actor's stop hook failed", err)
		}
	}
}

func stopHook(inst behaviour, ctx *Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = sane(panicked(r))
		}
	}()
	return sane(inst.stop(ctx))
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
