package mailbox

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// nap is how long a connection is not read after a Recv has read it, unless another does so.
const nap = 2 * time.Millisecond

// lead says who reads a connection: the goroutine that is there for that, or a Recv that would else wait for it to hand a
// message over, which takes longer than reading it. A Recv leads as long as it waits; the goroutine does when none has
// for a while, and answers PINGs and notices the end of the connection then.
type lead struct {
	mu     sync.Mutex
	held   bool          // somebody reads
	own    bool          // it is the goroutine
	wanted bool          // a Recv wants to
	uses   int           // by Recvs
	seen   int           // uses when the goroutine looked last
	wake   chan struct{} // it is to look again
	asleep bool          // it does so only if told, as a Recv reads for long
	timer  *time.Timer

	batches []zmtp.Batch // what a Recv reads into
}

// take lets a Recv read, if nobody does. If the goroutine does, it will stop.
func (l *lead) take(c *zmtp.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.held {
		l.held = c.Err() == nil
		l.uses++
		return l.held
	}
	if l.own && !l.wanted {
		l.wanted = true
		c.Interrupt()
	}
	return false
}

// give ends that. The goroutine looks for what follows, at once if the connection has ended.
func (l *lead) give(ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = false
	if l.asleep || ended {
		l.asleep = false
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// hold waits until no Recv has read for a nap, or the connection has ended, and lets the goroutine read.
func (l *lead) hold(c *zmtp.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := l.wanted; l.held || (rest || l.uses != l.seen) && c.Err() == nil; {
		l.asleep = l.held && l.uses == l.seen && !rest
		rest = l.asleep // it may be back soon
		l.seen = l.uses
		l.sleep()
	}
	l.held, l.own, l.wanted = true, true, false
}

// sleep waits for a nap, or, if asleep, until it is woken.
func (l *lead) sleep() {
	var over <-chan time.Time
	if !l.asleep {
		if l.timer == nil {
			l.timer = time.NewTimer(nap)
		} else {
			l.timer.Reset(nap)
		}
		over = l.timer.C
	}
	l.mu.Unlock()
	select {
	case <-l.wake:
	case <-over:
	}
	l.mu.Lock()
	l.asleep = false
}

// leave ends the goroutine's reading.
func (l *lead) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held, l.own = false, false
}

// sole finds the connection that all messages come over, if there is just one.
type sole struct {
	mu  sync.Mutex
	all []*inlet
	one atomic.Pointer[inlet]
}

func (s *sole) add(in *inlet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, in)
	s.find()
}

func (s *sole) remove(in *inlet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.all, in); i >= 0 {
		s.all = slices.Delete(s.all, i, i+1)
		s.find()
	}
}

func (s *sole) find() {
	s.one.Store(nil)
	if len(s.all) == 1 {
		s.one.Store(s.all[0])
	}
}

// read reads the one connection there is in the place of its goroutine, until something came over it, or it is the
// caller's turn, or ctx ended, and leaves the line. It reports false, and does nothing, if there is no such connection or
// its goroutine has to stop reading first: then the turn is to be waited for. So it does if Close has given the turns to
// those who were in line before.
func (s *Socket) read(ctx context.Context, turn chan struct{}) bool {
	in := s.in.sole.one.Load()
	if in == nil || s.closed.Load() || ctx.Err() != nil || in.inbox.Len() > 0 || !in.lead.take(in.conn) {
		return false
	}
	l := &in.lead
	s.in.leading.Store(in)
	err := zmtp.ErrInterrupted
	select {
	case <-turn:
		s.in.waiting.had(turn)
	default: // from now on, who gives it interrupts
		if ctx.Done() != nil {
			defer context.AfterFunc(ctx, in.conn.Interrupt)()
		}
		l.batches, err = in.conn.ReadBatches(l.batches[:0], in.inbox.all())
		s.in.waiting.leave(turn)
	}
	s.in.leading.Store(nil)
	if err == nil && in.inbox.put(l.batches...) {
		s.in.enlist(in)
	}
	clear(l.batches)
	l.give(err != nil && err != zmtp.ErrInterrupted)
	return true
}
