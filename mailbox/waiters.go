package mailbox

import (
	"sync"
	"sync/atomic"
)

// waiters are the goroutines that wait for the same thing to change, in the order in which they came. Its lock is held
// for moments and calls nothing: it may be taken under any other.
//
// A waiter enters, tries once more what it waits for, and then sleeps. Whoever made a change wakes one; a waiter that
// found what it waited for wakes the next if there is more.
type waiters struct {
	n     atomic.Int64 // len(line): a look without the lock
	mu    sync.Mutex
	line  []chan struct{}
	spare chan struct{} // of the waiter that left last, to be used again
	poke  func()        // called after a turn was given; may be nil
}

// enter joins the line. The result is sent to once, at the waiter's turn.
func (w *waiters) enter() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	turn := w.spare
	w.spare = nil
	if turn == nil {
		turn = make(chan struct{}, 1)
	}
	w.line = append(w.line, turn)
	w.n.Store(int64(len(w.line)))
	return turn
}

// leave ends a wait whose turn did not come, or was not received from turn. If it did come, the next in line gets it.
func (w *waiters) leave(turn chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, t := range w.line {
		if t == turn {
			w.line = append(w.line[:i], w.line[i+1:]...)
			w.n.Store(int64(len(w.line)))
			w.spare = turn
			return
		}
	}
	<-turn
	w.spare = turn
	w.wakeLocked()
}

// had ends a wait whose turn was received.
func (w *waiters) had(turn chan struct{}) {
	w.mu.Lock()
	w.spare = turn
	w.mu.Unlock()
}

// wake gives the first in line its turn.
func (w *waiters) wake() {
	if w.n.Load() == 0 {
		return
	}
	w.mu.Lock()
	w.wakeLocked()
	w.mu.Unlock()
}

// wakeAll gives everybody in line a turn.
func (w *waiters) wakeAll() {
	if w.n.Load() == 0 {
		return
	}
	w.mu.Lock()
	for len(w.line) > 0 {
		w.wakeLocked()
	}
	w.mu.Unlock()
}

func (w *waiters) wakeLocked() {
	if len(w.line) == 0 {
		return
	}
	w.line[0] <- struct{}{}
	w.line = append(w.line[:0], w.line[1:]...)
	w.n.Store(int64(len(w.line)))
	if w.poke != nil {
		w.poke()
	}
}
