package actor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/codec"
)

// Pool says how a pool is made: an actor that hands each message on to one of its members, or to all. The members are its
// children, all made by one constructor.
type Pool[M any] struct {
	Size    int            // members; 0 = runtime.GOMAXPROCS
	Routing Routing        // to whom a message goes; zero = RoundRobin
	Key     func(M) string // what ConsistentHash looks at
	Within  time.Duration  // how long an Ask of a Broadcast waits for members; 0 = 1 s
	Member  []Option       // of each member
}

// SpawnPool starts a pool. It is addressed like any actor: what is sent to the Ref goes on to members, and an Ask is
// answered by the member that gets it. Opts are those of the pool itself: Supervise, for example, how it deals with members
// that fail. A member that stops itself, or is stopped, is replaced. Members call create at the same time.
//
// If the mailboxes of all members it could go to are full, a message waits in the pool, and those behind it in the pool's
// mailbox. Members may be on other nodes: create then returns NewProxy's. SpawnPool fails as SpawnNew does, and with
// ErrUsage if p makes no sense.
func SpawnPool[M any, A Receiver[M]](in Scope, name string, p Pool[M], create func() A, opts ...Option) (Ref[M], error) {
	switch {
	case create == nil:
		return Ref[M]{}, fmt.Errorf("%w: nil create function for pool %q", ErrUsage, name)
	case p.Size < 0 || p.Within < 0 || p.Routing > Broadcast:
		return Ref[M]{}, fmt.Errorf("%w: pool %q: Size, Within or Routing out of range", ErrUsage, name)
	case (p.Routing == ConsistentHash) != (p.Key != nil):
		return Ref[M]{}, fmt.Errorf("%w: pool %q: a Key goes with ConsistentHash, and only with it", ErrUsage, name)
	}
	if p.Size == 0 {
		p.Size = runtime.GOMAXPROCS(0)
	}
	if p.Within == 0 {
		p.Within = time.Second
	}
	size := new(atomic.Int64) // through restarts
	size.Store(int64(p.Size))
	opts = append(opts[:len(opts):len(opts)], func(o *options) { o.size = size })
	return spawn(in, name, nil, func() Receiver[M] {
		return &pool[M]{Pool: p, size: size, create: func() Receiver[M] { return create() }}
	}, opts)
}

// Resize sets the number of a pool's members, in the pool's turn. Those that are too many handle what they have got, then
// stop. It fails with ErrUsage if size is not positive or pid is no pool, or as Inspect does.
func Resize(in Scope, pid PID, size int) error {
	sc, err := scopeOf(in)
	if err != nil {
		return err
	}
	c, err := sc.sys.local(pid)
	if err != nil {
		return err
	}
	if c.set.size == nil || size < 1 {
		return fmt.Errorf("%w: Resize(%v, %d)", ErrUsage, pid, size)
	}
	c.call(nil, func() error {
		c.set.size.Store(int64(size))
		return c.box.resized()
	})
	return nil
}

func (b *inbox[M]) resized() error { return b.inst.(*pool[M]).fill(&b.life.Load().told) }

// pool is an instance of a pool.
type pool[M any] struct {
	Pool[M]
	size    *atomic.Int64
	create  func() Receiver[M]
	members []pooled[M]
	spawned int // members so far
	next    int // RoundRobin's
}

// pooled is a member.
type pooled[M any] struct {
	ref  Ref[M]
	cell *cell
	seed uint64 // ConsistentHash's
}

func (p *pool[M]) Start(c *Context) error { return p.fill(c) }

// fill makes the members as many as they should be.
func (p *pool[M]) fill(c *Context) error {
	for len(p.members) < int(p.size.Load()) {
		if err := p.add(c); err != nil {
			return err
		}
	}
	for len(p.members) > int(p.size.Load()) {
		last := len(p.members) - 1
		m := p.members[last]
		p.members = p.members[:last]
		c.Unwatch(m.ref.pid)
		m.cell.shutdown()
	}
	return nil
}

func (p *pool[M]) add(c *Context) error {
	p.spawned++
	ref, err := spawn(c, fmt.Sprint(p.spawned), nil, p.create, p.Member)
	if err != nil {
		return err
	}
	cell, err := c.life.cell.sys.find(ref.pid)
	if err != nil { // it is gone again
		return err
	}
	p.members = append(p.members, pooled[M]{ref, cell, uint64(p.spawned)})
	return c.Watch(ref.pid, func(end Terminated) error { return p.left(c, end) })
}

// left replaces a member that has stopped. One that its supervisor stopped is not replaced.
func (p *pool[M]) left(c *Context, end Terminated) error {
	for i, m := range p.members {
		if m.ref.pid == end.PID {
			p.members = append(p.members[:i:i], p.members[i+1:]...)
			break
		}
	}
	if end.Reason == Stopped {
		return p.fill(c)
	}
	p.size.Store(int64(max(1, len(p.members))))
	if len(p.members) == 0 {
		return errors.New("no member is left in the pool")
	}
	return nil
}

func (p *pool[M]) Receive(c *Context, m M) error {
	if p.Routing == Broadcast {
		return p.broadcast(c, m)
	}
	n := len(p.members)
	first := p.route(m)
	for i := range n {
		if p.Routing == ConsistentHash && i > 0 {
			break
		}
		err := give(c, p.members[(first+i)%n].cell, m, trial)
		if err == nil {
			return nil
		}
	}
	if err := give(c, p.members[first].cell, m, steady); err != nil {
		lose(c, m, err)
	}
	return nil
}

// lose is what becomes of m, which was to be passed on, if who was to have it did not take it.
func lose[M any](c *Context, m M, err error) {
	reason := NoActor
	switch {
	case c.Err() != nil: // it waited for room
		reason, err = Stopped, c.life.cell.stoppedError()
	case errors.Is(err, ErrFull):
		reason = Full
	case errors.Is(err, ErrUnreachable), errors.Is(err, ErrNoNode):
		reason = Unreachable
	case errors.Is(err, codec.ErrEncode):
		reason = Undecodable
	}
	c.life.cell.drop(message{value: m}, reason, err)
	_ = c.Reply(err)
}

// broadcast gives m to all members. Whoever asked gets the first reply.
func (p *pool[M]) broadcast(c *Context, m M) error {
	if c.turn.asker == nil {
		for _, member := range p.members {
			if err := give(c, member.cell, m, never); err != nil {
				lose(c, m, err)
			}
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(c, p.Within)
	g := &gather{later: c.ReplyLater(), left: len(p.members), cancel: cancel}
	for _, member := range p.members {
		ask := member.ref.beginAsk(ctx, c, m, true).ask
		ask.begun.then(ask, g.hear)
	}
	return nil
}

// gather is an Ask of a broadcast.
type gather struct {
	later  *Later
	left   int                // members that have not answered
	cancel context.CancelFunc // ends the Asks of the members; nil when it is over
}

// hear takes the first reply, or the last error.
func (g *gather) hear(r result) error {
	if g.left--; g.cancel == nil || r.err != nil && g.left > 0 {
		return nil
	}
	if r.err == nil {
		r.err = g.later.answer(r.answer)
	}
	if r.err != nil {
		g.later.fail(r.err)
	}
	g.cancel()
	g.cancel = nil
	return nil
}
