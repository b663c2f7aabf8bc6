package pipe

import (
	"slices"
	"time"
)

// Taker is a consumer as its producer sees it. Its methods must not wait.
type Taker[B any] interface {
	// Give hands tasks over, in order; the slice is only lent. It reports false if they can't be handed over now. It is
	// called with the producer's lock held, and must not call the producer.
	Give(tasks []*Task[B]) bool
	// End tells that a source has ended, perhaps more than once, or after the end of the way to the consumer.
	End(id ID, role string)
	// Gone tells that a source of whose end it told is gone: consumers that come later are not to hear of that end.
	Gone(id ID)
}

// Outlink is a producer's way to one consumer: what the consumer says arrives by its methods. All of them may be called
// from any goroutine. After Lost they do nothing.
type Outlink[B any] struct {
	p     *Producer[B]
	taker Taker[B]

	// guarded by the producer
	held   held[B]
	limit  int64 // how many tasks it is ready to have been given, since the beginning
	given  int64
	alone  bool // it has one task, and gets no other before that is done
	queued bool // in the producer's waiting
	lost   bool
}

// Link returns the way to a consumer, which is not there before Open.
func (p *Producer[B]) Link(taker Taker[B]) *Outlink[B] { return &Outlink[B]{p: p, taker: taker} }

// Open adds the consumer, which gets tasks once it gives credit.
func (l *Outlink[B]) Open() {
	p := l.p
	p.telling.Lock()
	defer p.telling.Unlock()
	p.mu.Lock()
	p.links = append(p.links, l)
	endings := slices.Clone(p.endings)
	p.dispatch() // it may be the last of MinWorkers
	p.mu.Unlock()
	for _, e := range endings {
		l.taker.End(e.id, e.role)
	}
}

// Credit says how many tasks in all, since the beginning, the consumer is ready to have been given. Less than before
// withdraws what was not used.
func (l *Outlink[B]) Credit(limit int64) {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.lost {
		return
	}
	l.limit = limit
	l.enqueue()
	p.dispatch()
}

// enqueue puts l into line if it has credit.
func (l *Outlink[B]) enqueue() {
	if !l.queued && !l.lost && l.given < l.limit && !l.alone {
		l.queued = true
		l.p.waiting.pushBack(l)
	}
}

// dispatch gives out what it can. The lock is held.
func (p *Producer[B]) dispatch() {
	if !p.begun {
		if len(p.links) < max(1, p.cfg.MinWorkers) {
			return
		}
		p.begun = true
	}
	for passed := 0; passed < p.waiting.len(); {
		available := p.ready.len() + len(p.again) + p.suspects.len()
		if available == 0 {
			return
		}
		share := (available-1)/p.waiting.len() + 1
		l := p.waiting.popFront()
		l.queued = false
		if l.lost || l.given >= l.limit || l.alone {
			continue
		}
		p.choose(l, int(min(int64(min(share, maxBatch)), l.limit-l.given)))
		if len(p.batch) == 0 { // it should not have what there is
			passed++
		} else if passed = 0; !l.give(p.batch) {
			continue // it says when it has room again, by giving credit
		}
		l.enqueue()
	}
}

// choose fills batch with up to n tasks for l. Tasks that have failed take turns with the others.
func (p *Producer[B]) choose(l *Outlink[B], n int) {
	clear(p.batch)
	p.batch = p.batch[:0]
	if p.suspects.len() > 0 {
		p.chooseSuspect(l)
		return
	}
	if p.turn = !p.turn; p.turn {
		p.chooseAgain(l, n)
	}
	var bytes int64
	for len(p.batch) < n && p.ready.len() > 0 && bytes < maxBatchBytes {
		if t := p.ready.popFront(); !t.settled {
			p.batch = append(p.batch, t)
			bytes += t.size
		}
	}
	if len(p.batch) == 0 {
		p.chooseAgain(l, n)
	}
}

// chooseSuspect takes a task that may have killed its consumer, if l has no other: so it takes none with it, and it is sure
// that it was the one if it happens again. A consumer that has others gets nothing until they are done.
func (p *Producer[B]) chooseSuspect(l *Outlink[B]) {
	for l.held.n == 0 && p.suspects.len() > 0 {
		if t := p.suspects.popFront(); !t.settled {
			p.batch = append(p.batch, t)
			l.alone = true
			return
		}
	}
}

// chooseAgain takes up to n tasks that have failed, but not at l if there are others.
func (p *Producer[B]) chooseAgain(l *Outlink[B], n int) {
	kept := p.again[:0]
	for _, t := range p.again {
		switch {
		case t.settled:
		case len(p.batch) == n, t.avoid == l && len(p.links) > 1:
			kept = append(kept, t)
		default:
			p.batch = append(p.batch, t)
		}
	}
	clear(p.again[len(kept):])
	p.again = kept
}

// give hands a batch over. If that is not possible now the tasks stay, and l has no credit until it gives some.
func (l *Outlink[B]) give(batch []*Task[B]) bool {
	p := l.p
	for _, t := range batch {
		t.attempt++
		if t.attempt > 1 {
			p.cfg.Retried.Add(1)
		}
		t.holder = l
		l.held.add(t)
	}
	l.given += int64(len(batch))
	if l.taker.Give(batch) {
		return true
	}
	l.given -= int64(len(batch))
	l.limit = l.given
	l.takeBack(batch)
	return false
}

// takeBack puts tasks that l has not begun before all others.
func (l *Outlink[B]) takeBack(tasks []*Task[B]) {
	for i := len(tasks) - 1; i >= 0; i-- {
		t := tasks[i]
		if t.holder != l {
			continue
		}
		l.p.release(t)
		t.attempt--
		if t.attempt > 0 {
			l.p.cfg.Retried.Add(-1)
		}
		if t.suspect {
			l.p.suspects.pushFront(t)
		} else {
			l.p.ready.pushFront(t)
		}
	}
	l.eased()
}

// eased is called when l has fewer tasks. If it has none it may get one that it is to have alone, or others after one.
func (l *Outlink[B]) eased() {
	if l.held.n == 0 {
		l.alone = false
		l.enqueue()
	}
}

// Done says that the results of tasks were accepted.
func (l *Outlink[B]) Done(tasks []*Task[B]) {
	p := l.p
	p.mu.Lock()
	n := 0
	for _, t := range tasks {
		if t.attempt > 0 && p.settle(t) {
			tasks[n] = t
			n++
		}
	}
	p.wakeSenders()
	if l.alone || p.lanes != nil || p.suspects.len() > 0 {
		l.eased()
		p.dispatch()
	}
	p.mu.Unlock()
	for _, t := range tasks[:n] {
		t.origin.Done()
	}
	for _, t := range tasks[:n] {
		t.origin.Flush()
	}
}

// Back returns tasks that the consumer has not begun.
func (l *Outlink[B]) Back(tasks []*Task[B]) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.takeBack(tasks)
	l.p.dispatch()
}

// Fail says that the consumer tried a task in vain.
func (l *Outlink[B]) Fail(t *Task[B], reason string) {
	p := l.p
	p.mu.Lock()
	if t.holder != l {
		p.mu.Unlock()
		return
	}
	p.release(t)
	l.eased()
	dead := p.failed(t)
	if !dead {
		t.suspect = false
		t.avoid = l
		p.again = append(p.again, t)
		if len(p.links) > 1 { // perhaps no other takes it in a while
			time.AfterFunc(avoidFor, func() { p.forgive(t) })
		}
		p.dispatch()
	}
	p.mu.Unlock()
	if dead {
		p.die(t, reason)
	}
}

// avoidFor is how long a task that has failed at a consumer waits for another one.
const avoidFor = time.Second

func (p *Producer[B]) forgive(t *Task[B]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.avoid = nil
	p.dispatch()
}

// failed counts a failure, and reports whether it was one too many.
func (p *Producer[B]) failed(t *Task[B]) (dead bool) {
	t.failures++
	return t.failures > p.cfg.Retries
}

// die tells of a dead task. The lock is not held.
func (p *Producer[B]) die(t *Task[B], reason string) {
	if p.cfg.Dead != nil {
		p.cfg.Dead(t, reason)
		return
	}
	p.cfg.Log.Warn("task given up", "task", t.ID, "attempts", t.attempt, "reason", reason)
	p.Bury(t)
}

// Lost says that the consumer is gone. Others get what it had, one at a time. It counts as a failure of a task that it had
// alone.
func (l *Outlink[B]) Lost() {
	p := l.p
	p.mu.Lock()
	if l.lost {
		p.mu.Unlock()
		return
	}
	l.lost = true
	for i, other := range p.links {
		if other == l {
			p.links = append(p.links[:i], p.links[i+1:]...)
			break
		}
	}
	var dead *Task[B]
	if l.held.n == 1 && p.failed(l.held.first) {
		dead = l.held.first
		p.release(dead)
	}
	for l.held.last != nil {
		t := l.held.last
		p.release(t)
		t.suspect = true
		p.suspects.pushFront(t)
	}
	p.dispatch()
	p.mu.Unlock()
	if dead != nil {
		p.die(dead, "its consumer died")
	}
}
