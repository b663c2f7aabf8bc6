package actor

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// workers are the goroutines that run actors. An actor that is woken queues up for one. Whenever one is queued, a worker
// is on its way to take it: one that searches, because its actor ran dry or because it was woken or started for that. A
// worker that takes an actor while another is queued sees to it that somebody else searches, so that handlers that block
// starve nobody, and a burst of wake-ups costs few wake-ups of goroutines.
type workers struct {
	mu         sync.Mutex
	head, tail *cell // queued, linked by cell.nextReady
	idle       []*worker
	count      int // all, idle or not
	closed     bool
	empty      chan struct{} // made by close; closed once count has become zero
	maxIdle    int

	queued    atomic.Int32 // how many are queued
	searching atomic.Int32 // workers that search, or stay with an actor that ran dry
	procs     int32
}

type worker struct {
	wake chan struct{}
}

func (p *workers) init() {
	p.procs = int32(runtime.GOMAXPROCS(0))
	p.maxIdle = 64 * int(p.procs)
}

// run gets a worker to run c, which the caller has claimed by a wake of its queue.
func (p *workers) run(c *cell) {
	p.mu.Lock()
	if p.tail == nil {
		p.head = c
	} else {
		p.tail.nextReady = c
	}
	p.tail = c
	p.queued.Add(1)
	p.mu.Unlock()
	p.recruit()
}

// recruit sees to it that a worker searches if an actor is queued. Who stops searching calls it afterwards, who queues
// an actor too: one of the two sees what the other did.
func (p *workers) recruit() {
	if p.queued.Load() == 0 || !p.searching.CompareAndSwap(0, 1) {
		return
	}
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		w.wake <- struct{}{}
		return
	}
	p.count++
	p.mu.Unlock()
	go p.work(nil)
}

// work is a worker that searches, or that goes on with c.
func (p *workers) work(c *cell) {
	w := &worker{wake: make(chan struct{}, 1)}
	defer func() {
		if c != nil { // a handler or hook ended the goroutine (runtime.Goexit, as by t.FailNow): another goes on
			go p.work(c)
		}
	}()
	searching := c == nil
	for {
		if c == nil {
			if c = p.next(w, searching); c == nil {
				return
			}
		}
		searching = c.box.run()
		c = nil // a stopped actor is not kept
	}
}

// next takes the actor that has been queued longest, or waits for one; nil means that this worker ends.
func (p *workers) next(w *worker, searching bool) *cell {
	for {
		p.mu.Lock()
		if c := p.head; c != nil {
			p.head, c.nextReady = c.nextReady, nil
			if p.head == nil {
				p.tail = nil
			}
			p.queued.Add(-1)
			p.mu.Unlock()
			if searching {
				p.searching.Add(-1)
			}
			p.recruit()
			return c
		}
		if searching {
			p.searching.Add(-1)
		}
		if p.closed || len(p.idle) >= p.maxIdle {
			p.count--
			p.settle()
			p.mu.Unlock()
			return nil
		}
		p.idle = append(p.idle, w)
		p.mu.Unlock()
		_, searching = <-w.wake
	}
}

// turns is how often a worker lets others run and looks again before it leaves an actor that ran dry: waking a
// goroutine costs more. Where there are several processors it looks that often in between, too.
const turns = 20

// stay searches, and waits a little for b to have something to do, which ends it too. Only a few workers do so at a
// time: it is a game for actors that talk to each other now, and many would stand in each other's way. If it returns
// true, the caller searches now; it has to call leave, or to go on to next.
func (p *workers) stay(b box) (searching bool) {
	if p.searching.Add(1) > 2*p.procs {
		p.leave()
		return false
	}
	for range turns {
		runtime.Gosched()
		for range p.glances() {
			if b.ready() || p.queued.Load() > 0 {
				return true
			}
		}
	}
	return true
}

// leave ends a search without having taken an actor.
func (p *workers) leave() {
	p.searching.Add(-1)
	p.recruit()
}

// glances is how often to look before another goroutine is let run.
func (p *workers) glances() int {
	if p.procs == 1 {
		return 1
	}
	return turns
}

// close ends the idle workers, and the others when they have run their actor. The channel is closed when all are gone.
func (p *workers) close() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.empty = make(chan struct{})
		for _, w := range p.idle {
			close(w.wake)
		}
		p.idle = nil
		p.settle()
	}
	return p.empty
}

// settle tells who waits in close that no worker is left. One may come yet, for an actor that was being spawned.
func (p *workers) settle() {
	if !p.closed || p.count > 0 {
		return
	}
	select {
	case <-p.empty:
	default:
		close(p.empty)
	}
}
