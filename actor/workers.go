package actor

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// workers are the goroutines that run actors. An actor that is woken gets an idle one, or a new one if none is idle, so
// that handlers that block starve nobody. A worker whose actor has nothing to do becomes idle: warm, its stack grown.
type workers struct {
	mu      sync.Mutex
	idle    []*worker // the one idle for the shortest time last
	count   int       // all, idle or not
	closed  bool
	empty   chan struct{} // made by close; closed once count has become zero
	linger  atomic.Int32  // workers that stay with an actor that ran dry
	maxIdle int
}

type worker struct {
	next chan *cell
}

func (p *workers) init() { p.maxIdle = 64 * runtime.GOMAXPROCS(0) }

// run gets a goroutine to run c, which the caller has claimed by a wake of its queue.
func (p *workers) run(c *cell) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		w.next <- c
		return
	}
	p.count++
	p.mu.Unlock()
	go p.work(c)
}

func (p *workers) work(c *cell) {
	w := &worker{next: make(chan *cell, 1)}
	defer func() {
		if c != nil { // a handler or hook ended the goroutine (runtime.Goexit, as by t.FailNow): another goes on
			go p.work(c)
		}
	}()
	for c != nil {
		c.run()
		c = nil // a stopped actor is not kept
		c = p.rest(w)
	}
}

// rest waits for the next actor to run; nil means that this worker ends.
func (p *workers) rest(w *worker) *cell {
	p.mu.Lock()
	if p.closed || len(p.idle) >= p.maxIdle {
		p.count--
		p.settle()
		p.mu.Unlock()
		return nil
	}
	p.idle = append(p.idle, w)
	p.mu.Unlock()
	if c, ok := <-w.next; ok {
		return c
	}
	return p.rest(w)
}

// close ends the idle workers, and the others when they have run their actor. The channel is closed when all are gone.
func (p *workers) close() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.empty = make(chan struct{})
		for _, w := range p.idle {
			close(w.next)
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

// turns is how often a worker lets others run and looks again before it leaves an actor that ran dry: waking a
// goroutine costs more.
const turns = 20

// stay waits a little for ready. Only a few workers do so at a time: it is a game for actors that talk to each other
// now, and many would stand in each other's way.
func (p *workers) stay(ready func() bool) bool {
	defer p.linger.Add(-1)
	if int(p.linger.Add(1)) > 2*runtime.GOMAXPROCS(0) {
		return false
	}
	for range turns {
		runtime.Gosched()
		if ready() {
			return true
		}
	}
	return false
}
