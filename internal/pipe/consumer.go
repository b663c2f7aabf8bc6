package pipe

import (
	"context"
	"sync"
	"time"
)

// Uplink is a producer as its consumer sees it: what the consumer has to say. Its methods may be called from any goroutine,
// but not while the consumer's lock is held.
type Uplink[B any] interface {
	Credit(limit int64)
	Done(tasks []*Delivery[B])
	Back(tasks []*Delivery[B])
	Fail(task *Delivery[B], reason string)
	Heard(id ID)
	Lost() // the consumer has left
}

// ConsumerConfig sets up a Consumer.
type ConsumerConfig struct {
	// Once lets each ID through only once: a task that comes again is done without being seen. For the end of a stream.
	Once bool
	// Returns lets the consumer give back what it has not begun when a task turns out long. It is of use if the producer
	// has other consumers.
	Returns bool
	// Expect says of which roles how many instances give tasks: when so many have ended, and all their tasks are done, the
	// stream is over. nil: never. The ends of other roles' sources are of no interest.
	Expect map[string]int
	// End is told that a source has ended, instead; heard is to be told once that has come to the end of all edges.
	// Gone is told that it may be forgotten: nobody is left who said so.
	End  func(id ID, role string, heard Origin)
	Gone func(id ID)
}

// Consumer is the end of an edge at which tasks are taken, one at a time. Take and the first of Finish and Fail for what
// it returned belong to one goroutine; everything else may be called from any.
type Consumer[B any] struct {
	cfg ConsumerConfig

	out sync.Mutex // held while uplinks are told, so that they hear things in order; taken before mu

	mu         sync.Mutex
	links      []*Inlink[B]
	busy       deque[*Inlink[B]] // those with something in their queue
	queued     int               // in all of these
	dirty      []*Inlink[B]      // those with something to tell
	hand       *Delivery[B]
	looked     *Delivery[B] // what was in hand when tick looked last
	mark       time.Time    // since when it is at work on that, and so many before it
	unmeasured int
	pace       pace
	accepted   accepted
	endings    map[ID]map[*Inlink[B]]struct{}
	ended      map[string]int
	open       int  // taken and not done
	eager      bool // Take was called: there is credit
	stopped    bool
	waiting    bool
	ticking    bool
	wake       chan struct{}
	settled    chan struct{} // closed when open is 0; nil: nobody waits
}

// NewConsumer returns a Consumer that has no producer yet.
func NewConsumer[B any](cfg ConsumerConfig) *Consumer[B] {
	return &Consumer[B]{
		cfg:     cfg,
		endings: make(map[ID]map[*Inlink[B]]struct{}),
		ended:   make(map[string]int),
		wake:    make(chan struct{}, 1),
	}
}

// Take returns the next task. It returns nil when the stream is over, after Stop, or when ctx ends.
func (c *Consumer[B]) Take(ctx context.Context) *Delivery[B] {
	c.mu.Lock()
	if !c.eager {
		c.eager, c.mark = true, time.Now()
		for _, l := range c.links {
			c.topUp(l)
		}
	}
	for !c.stopped {
		if d := c.next(); d != nil {
			c.hand = d
			c.open++
			urgent := len(c.dirty) > 0 && c.queued == 0
			c.mu.Unlock()
			if urgent { // it may be a long one
				c.flush()
			}
			return d
		}
		if len(c.dirty) > 0 {
			c.mu.Unlock()
			c.flush()
			c.mu.Lock()
			continue
		}
		if c.over() {
			break
		}
		c.waiting = true
		c.mu.Unlock()
		select {
		case <-c.wake:
		case <-ctx.Done():
			c.mu.Lock()
			c.waiting = false
			c.mu.Unlock()
			return nil
		}
		c.mu.Lock()
		c.mark, c.unmeasured = time.Now(), 0
	}
	c.mu.Unlock()
	c.flush()
	return nil
}

// next takes a task from the next producer in turn that has one.
func (c *Consumer[B]) next() *Delivery[B] {
	for c.busy.len() > 0 {
		l := c.busy.popFront()
		if l.queue.len() == 0 { // it gave all back, or is lost
			l.busy = false
			continue
		}
		d := l.queue.popFront()
		c.queued--
		l.bytes -= int64(d.size)
		if l.busy = l.queue.len() > 0; l.busy {
			c.busy.pushBack(l)
		}
		if c.cfg.Once && c.accepted.has(d.ID) {
			c.tell(l, d)
			c.topUp(l)
			continue
		}
		return d
	}
	return nil
}

// expects says whether the end of a source of that role matters.
func (c *Consumer[B]) expects(role string) bool {
	_, named := c.cfg.Expect[role]
	return named || c.cfg.Expect == nil
}

// over says whether all sources have ended.
func (c *Consumer[B]) over() bool {
	if c.cfg.Expect == nil || c.cfg.End != nil {
		return false
	}
	for role, n := range c.cfg.Expect {
		if c.ended[role] < n {
			return false
		}
	}
	return true
}

// alert wakes Take if it waits.
func (c *Consumer[B]) alert() {
	if !c.waiting {
		return
	}
	c.waiting = false
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// topUp notes that l is to be given credit, if it has little.
func (c *Consumer[B]) topUp(l *Inlink[B]) {
	if l.lost || c.stopped || !c.eager {
		return
	}
	want := int64(c.pace.want(len(c.links)) - l.queue.len())
	if left := l.limit - l.received; left < want && left <= want/2 {
		l.limit = l.received + want
		l.most = max(l.most, l.limit)
		c.soil(l)
		l.credit = true
	}
}

// tell notes that l's producer is to be told that d is done.
func (c *Consumer[B]) tell(l *Inlink[B], d *Delivery[B]) {
	if l.lost {
		for l != nil && l.lost {
			l = l.heir
		}
		if l == nil {
			return
		}
	}
	l.done = append(l.done, d)
	c.soil(l)
}

// soil notes that l has something to tell, which is told at the latest when tick looks.
func (c *Consumer[B]) soil(l *Inlink[B]) {
	if !l.dirty {
		l.dirty = true
		c.dirty = append(c.dirty, l)
	}
	c.tickLater()
}

// Stop lets Take return nil from now on. Tasks that were not begun are given back.
func (c *Consumer[B]) Stop() {
	c.mu.Lock()
	c.stopped = true
	for _, l := range c.links {
		c.giveBack(l)
	}
	c.alert()
	c.mu.Unlock()
	c.flush()
}

// Settle waits until everything that was taken is done, or ctx ends; it reports which. It is called after Stop.
func (c *Consumer[B]) Settle(ctx context.Context) bool {
	c.mu.Lock()
	if c.open == 0 {
		c.mu.Unlock()
		return true
	}
	if c.settled == nil {
		c.settled = make(chan struct{})
	}
	settled := c.settled
	c.mu.Unlock()
	select {
	case <-settled:
		return true
	case <-ctx.Done():
		return false
	}
}

// Close leaves all producers, who give what was not done to others.
func (c *Consumer[B]) Close() {
	c.Stop()
	c.mu.Lock()
	links := c.links
	c.mu.Unlock()
	for _, l := range links {
		l.Lose()
		l.up.Lost()
	}
}

// tickLater has tick called in a while.
func (c *Consumer[B]) tickLater() {
	if !c.ticking {
		c.ticking = true
		time.AfterFunc(patience, c.tick)
	}
}

// tick looks whether a task takes long. Then it gives back what is behind it, and tells what was not told yet.
func (c *Consumer[B]) tick() {
	c.mu.Lock()
	c.ticking = false
	if c.hand != nil && c.hand == c.looked && c.cfg.Returns {
		for _, l := range c.links {
			if l.queue.len() > 0 {
				c.giveBack(l)
			}
		}
	}
	c.looked = c.hand
	if c.queued > 0 {
		c.tickLater()
	}
	c.mu.Unlock()
	c.flush()
}

// giveBack notes that what l has queued is to be given back, and withdraws its credit.
func (c *Consumer[B]) giveBack(l *Inlink[B]) {
	for l.queue.len() > 0 {
		l.back = append(l.back, l.queue.popFront())
		c.queued--
	}
	l.bytes = 0
	if l.limit > l.received || len(l.back) > 0 {
		l.limit = l.received
		l.credit = true
		c.soil(l)
	}
}

// flush tells the producers all there is to tell.
func (c *Consumer[B]) flush() {
	c.out.Lock()
	defer c.out.Unlock()
	for {
		c.mu.Lock()
		if len(c.dirty) == 0 {
			c.mu.Unlock()
			return
		}
		l := c.dirty[0]
		c.dirty = c.dirty[:copy(c.dirty, c.dirty[1:])]
		l.dirty = false
		done, back, heard, credit, limit, lost := l.done, l.back, l.heard, l.credit, l.limit, l.lost
		l.done, l.spare, l.back, l.heard, l.credit = l.spare[:0], nil, nil, nil, false
		c.mu.Unlock()
		if lost {
			continue
		}
		if len(back) > 0 {
			l.up.Back(back)
		}
		if len(done) > 0 {
			l.up.Done(done)
		}
		if credit {
			l.up.Credit(limit)
		}
		for _, id := range heard {
			l.up.Heard(id)
		}
		c.mu.Lock()
		clear(done)
		l.spare = done[:0]
		c.mu.Unlock()
	}
}
