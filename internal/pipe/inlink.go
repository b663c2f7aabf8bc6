package pipe

import "time"

// Inlink is a consumer's way to one producer: what the producer says arrives by its methods, which may be called from any
// goroutine.
type Inlink[B any] struct {
	c    *Consumer[B]
	up   Uplink[B]
	heir *Inlink[B] // what is said in place of this one, which is lost

	// guarded by the consumer
	queue    deque[*Delivery[B]]
	bytes    int64 // in it
	limit    int64 // how many tasks it was ready to get, since the beginning, told or about to be
	received int64
	most     int64          // the highest limit there was
	done     []*Delivery[B] // to be told
	spare    []*Delivery[B]
	back     []*Delivery[B]
	heard    []ID
	credit   bool // limit is to be told
	dirty    bool // it is in the consumer's dirty
	busy     bool // it is in the consumer's busy
	lost     bool
}

// Delivery is a task that a Consumer has.
type Delivery[B any] struct {
	ID      ID
	Attempt int // 1; more if it was given to a consumer before
	Body    B

	size int
	link *Inlink[B]
	task *Task[B] // the producer's, if that is in this process
}

// Link returns the way to a producer, which is not there before Open.
func (c *Consumer[B]) Link(up Uplink[B]) *Inlink[B] { return &Inlink[B]{c: c, up: up} }

// Open adds the producer, which gets credit once Take is called. What was taken from another link that is lost is told
// to this one if that is its heir.
func (l *Inlink[B]) Open() {
	c := l.c
	c.mu.Lock()
	c.links = append(c.links[:len(c.links):len(c.links)], l)
	c.topUp(l)
	c.mu.Unlock()
	c.flush()
}

// Push adds tasks that the producer gave to the consumer's queue.
func (l *Inlink[B]) Push(tasks []Delivery[B]) {
	c := l.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.lost {
		return
	}
	for i := range tasks {
		d := &tasks[i]
		d.link = l
		l.queue.pushBack(d)
		l.bytes += int64(d.size)
	}
	l.received += int64(len(tasks))
	c.queued += len(tasks)
	if c.stopped {
		c.giveBack(l)
		return
	}
	if !l.busy && len(tasks) > 0 {
		l.busy = true
		c.busy.pushBack(l)
	}
	c.tickLater()
	c.alert()
}

// fits says whether the producer may send so many tasks.
func (l *Inlink[B]) fits(tasks int) bool {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	return l.received+int64(tasks) <= l.most && l.bytes < maxHeld
}

// inherit lets another link tell of what was taken from this one.
func (l *Inlink[B]) inherit(heir *Inlink[B]) {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	l.heir = heir
}

// End says that a source has ended.
func (l *Inlink[B]) End(id ID, role string) {
	c := l.c
	c.mu.Lock()
	if l.lost {
		c.mu.Unlock()
		return
	}
	from, known := c.endings[id]
	if !known {
		if !c.expects(role) {
			l.heard = append(l.heard, id)
			c.soil(l)
			c.mu.Unlock()
			return
		}
		if len(c.endings) >= maxSources {
			c.mu.Unlock()
			return
		}
		from = make(map[*Inlink[B]]struct{})
		c.endings[id] = from
		c.ended[role]++
	}
	from[l] = struct{}{}
	if c.cfg.End == nil {
		l.heard = append(l.heard, id)
		c.soil(l)
		c.alert()
	}
	c.mu.Unlock()
	if c.cfg.End != nil {
		c.cfg.End(id, role, &heard[B]{l, id})
	}
}

// Gone says that a source which has ended is gone. Whoever passes its end on forgets it once no producer knows of it; a
// stream that is over by it stays so.
func (l *Inlink[B]) Gone(id ID) {
	c := l.c
	c.mu.Lock()
	gone := c.cfg.Gone != nil && c.forget(id, l)
	c.mu.Unlock()
	if gone {
		c.cfg.Gone(id)
	}
}

// forget notes that l no longer tells of a source's end. It reports whether nobody does any more, who did.
func (c *Consumer[B]) forget(id ID, l *Inlink[B]) bool {
	from := c.endings[id]
	if _, told := from[l]; !told {
		return false
	}
	delete(from, l)
	if len(from) > 0 {
		return false
	}
	delete(c.endings, id)
	return true
}

// heard is the Origin of an ending that was passed on.
type heard[B any] struct {
	l  *Inlink[B]
	id ID
}

func (h *heard[B]) Done() {
	h.l.c.mu.Lock()
	defer h.l.c.mu.Unlock()
	h.l.heard = append(h.l.heard, h.id)
	h.l.c.soil(h.l)
}

func (h *heard[B]) Flush() { h.l.c.flush() }

// Lose says that the producer is gone: it gives the tasks to others. What was taken may still be finished.
func (l *Inlink[B]) Lose() {
	c := l.c
	c.mu.Lock()
	if l.lost {
		c.mu.Unlock()
		return
	}
	l.lost = true
	c.queued -= l.queue.len()
	l.queue, l.bytes = deque[*Delivery[B]]{}, 0
	for i, other := range c.links {
		if other == l {
			c.links = append(c.links[:i:i], c.links[i+1:]...)
			break
		}
	}
	var gone []ID
	if c.cfg.Gone != nil {
		for id := range c.endings {
			if c.forget(id, l) {
				gone = append(gone, id)
			}
		}
	}
	c.mu.Unlock()
	for _, id := range gone {
		c.cfg.Gone(id)
	}
}

// Finish says that the consumer is through with d, whose result is not yet accepted: it is ready for the next.
func (d *Delivery[B]) Finish() {
	c := d.link.c
	c.mu.Lock()
	c.finish(d)
	c.mu.Unlock()
}

// finish takes d out of the hand.
func (c *Consumer[B]) finish(d *Delivery[B]) {
	if c.hand != d {
		return
	}
	c.hand = nil
	c.unmeasured++
	c.pace.weigh(d.size)
	if c.pace.took < shortTask && c.unmeasured < severalTasks && c.queued > 0 {
		c.topUp(d.link)
		return
	}
	now := time.Now()
	c.pace.note(now.Sub(c.mark), c.unmeasured)
	c.mark, c.unmeasured = now, 0
	c.topUp(d.link)
}

// Done says that d's result was accepted.
func (d *Delivery[B]) Done() {
	c := d.link.c
	c.mu.Lock()
	c.finish(d)
	if c.cfg.Once {
		c.accepted.add(d.ID)
	}
	c.tell(d.link, d)
	c.close(d)
	full := len(d.link.done) >= maxBatch
	c.mu.Unlock()
	if full {
		c.flush()
	}
}

// Flush tells of what is done, unless the consumer is at it anyway.
func (d *Delivery[B]) Flush() {
	c := d.link.c
	c.mu.Lock()
	dirty := len(c.dirty) > 0
	c.mu.Unlock()
	if dirty {
		c.flush()
	}
}

// Fail says that d could not be done.
func (d *Delivery[B]) Fail(reason string) {
	c := d.link.c
	c.mu.Lock()
	c.finish(d)
	c.close(d)
	lost := d.link.lost
	c.mu.Unlock()
	if !lost {
		c.out.Lock()
		d.link.up.Fail(d, reason)
		c.out.Unlock()
	}
	c.flush()
}

// close counts a task less that was taken and is not done.
func (c *Consumer[B]) close(*Delivery[B]) {
	c.open--
	if c.open == 0 && c.settled != nil {
		close(c.settled)
		c.settled = nil
	}
}
