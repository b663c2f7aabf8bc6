package actor

import (
	"iter"
	"sync/atomic"
	"time"
)

// Info is what an actor looks like at one moment; its numbers need not be of exactly the same one.
type Info struct {
	PID      PID
	Name     string // the registered name; "" = none
	Type     string // of its messages
	State    State
	Depth    int           // messages and callbacks that wait, those in hand and stashed included
	Handled  uint64        // messages whose handler returned nil, or that were stashed and are handled
	Failed   uint64        // failures
	Restarts uint64        // instances but the first that have started
	Took     time.Duration // a recent handler's time: one turn in 64 is measured
	Children int
}

// State says what an actor does.
type State uint8

// The states.
const (
	Starting State = iota // no instance has started yet
	Idle                  // nothing to do
	Running               // handles messages, or is about to
	Resting               // between two instances
	Stopping              // its last turn
)

func (s State) String() string {
	return [...]string{"starting", "idle", "running", "resting", "stopping"}[min(s, Stopping)]
}

// Inspect looks at an actor of this node, without waiting for it. It fails with ErrNoActor if there is no such actor, and
// with ErrUnreachable for one of another node.
func Inspect(in Scope, pid PID) (Info, error) {
	sc, err := scopeOf(in)
	if err != nil {
		return Info{}, err
	}
	c, err := sc.sys.local(pid)
	if err != nil {
		return Info{}, err
	}
	return c.info(), nil
}

// Tree looks at all actors of this node: each before its children, and those in the order in which they were spawned. It
// holds nothing up; actors that come and go meanwhile may be missing or seen.
func Tree(in Scope) iter.Seq[Info] {
	return func(yield func(Info) bool) {
		if sc, err := scopeOf(in); err == nil {
			sc.sys.root.walk(yield)
		}
	}
}

func (f *family) walk(yield func(Info) bool) bool {
	for _, c := range f.children() {
		if !yield(c.info()) || !c.family.walk(yield) {
			return false
		}
	}
	return true
}

// counts are an actor's counters, off what is written for each message.
type counts struct {
	state  atomic.Uint32
	other  atomic.Uint64 // turns that were not a message's being handled
	failed atomic.Uint64
	starts atomic.Int64 // instances that have started
	took   atomic.Int64 // ns
}

func (c *cell) info() Info {
	depth, done, idle := c.box.measure()
	info := Info{
		PID: c.self, Name: c.path, Type: c.box.messages(), Depth: depth,
		Handled: uint64(done) - min(uint64(done), c.counts.other.Load()),
		Failed:  c.counts.failed.Load(), Restarts: uint64(max(1, c.counts.starts.Load()) - 1),
		Took: time.Duration(c.counts.took.Load()), Children: len(c.children()),
	}
	if info.State = State(c.counts.state.Load()); info.State == Running && idle {
		info.State = Idle
	}
	return info
}

// begun notes that an instance has started.
func (c *cell) begun() {
	c.counts.state.Store(uint32(Running))
	first := c.counts.starts.Add(1) == 1
	if !c.sys.events.wanted() {
		return
	}
	if first {
		c.sys.events.publish(ActorStarted{c.self, c.path})
	} else {
		c.sys.events.publish(ActorRestarted{c.self, c.path})
	}
}
