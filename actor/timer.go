package actor

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Timer is what After and Every return.
type Timer struct {
	life    *life
	call    func() error
	every   time.Duration // 0: not by itself
	repeats bool          // is not over after a call
	next    time.Time     // when Every's tick is due; guarded by life.mu
	timer   *time.Timer
	over    atomic.Bool // cancelled, or done
	waiting atomic.Bool // a tick is in the queue
}

// After has f called once, as one of the actor's turns, when d has passed. It waits for its turn behind what is queued
// then. An error from f is a failure of the actor. A timer ends with the instance of the actor that started it; in one
// that has ended, f is never called.
func (c *Context) After(d time.Duration, f func() error) *Timer {
	t := &Timer{life: c.life, call: f}
	t.start(d)
	return t
}

// Every has f called each time another d has passed, like After, until the timer is cancelled. While a call waits for its
// turn no other is added, so that an actor that falls behind misses calls. It panics if d is not positive, as
// time.NewTicker does.
func (c *Context) Every(d time.Duration, f func() error) *Timer {
	if d <= 0 {
		panic(fmt.Sprintf("actor: Every(%v): not positive", d))
	}
	t := &Timer{life: c.life, call: f, every: d, repeats: true}
	t.start(d)
	return t
}

// ReceiveTimeout has f called, as one of the actor's turns, whenever no message has been handled for d, counted from the
// call, the last message, or the last f. Callbacks are no messages. It ends with the instance, or when the Timer is
// cancelled. It must be called by a handler, hook or callback of the actor, and panics if d is not positive.
func (c *Context) ReceiveTimeout(d time.Duration, f func() error) *Timer {
	if d <= 0 {
		panic(fmt.Sprintf("actor: ReceiveTimeout(%v): not positive", d))
	}
	box := c.life.cell.box
	box.noteTime()
	var t *Timer
	quiet := func() error {
		if rest := d - time.Since(box.lastTime()); rest > 0 {
			t.rearm(rest)
			return nil
		}
		box.noteTime()
		t.rearm(d)
		return f()
	}
	t = &Timer{life: c.life, call: quiet, repeats: true}
	t.start(d)
	return t
}

// Cancel ends the timer. Called in a turn of the timer's actor it is exact: f is not called any more, even if its time has
// come and it waits for its turn. It reports whether the timer was still to call.
func (t *Timer) Cancel() bool {
	if t.over.Swap(true) {
		return false
	}
	return t.life.want(func(w *wants) {
		delete(w.timers, t)
		t.timer.Stop()
	}) == nil
}

func (t *Timer) start(d time.Duration) {
	err := t.life.want(func(w *wants) {
		w.timers[t] = struct{}{}
		t.next = time.Now().Add(d)
		t.timer = time.AfterFunc(d, t.tick)
	})
	if err != nil {
		t.over.Store(true)
	}
}

// rearm has another tick come after d.
func (t *Timer) rearm(d time.Duration) {
	_ = t.life.want(func(*wants) { // of an ended instance: no more
		if !t.over.Load() {
			t.timer.Reset(d)
		}
	})
}

// tick runs in a goroutine of its own.
func (t *Timer) tick() {
	if t.every > 0 {
		_ = t.life.want(t.again) // of an ended instance: no more
	}
	if !t.waiting.Swap(true) {
		t.life.cell.call(t.life, t.turn)
	}
}

// again sets the time of the next tick: ticks don't drift, and those that were missed are not made up for.
func (t *Timer) again(*wants) {
	now := time.Now()
	if t.next = t.next.Add(t.every); !t.next.After(now) {
		t.next = now.Add(t.every)
	}
	if !t.over.Load() {
		t.timer.Reset(t.next.Sub(now))
	}
}

func (t *Timer) turn() error {
	t.waiting.Store(false)
	if !t.repeats {
		if t.over.Swap(true) {
			return nil
		}
		_ = t.life.want(func(w *wants) { delete(w.timers, t) })
	} else if t.over.Load() {
		return nil
	}
	return t.call()
}
