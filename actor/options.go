package actor

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// Option sets up an actor when it is spawned.
type Option func(*options)

type options struct {
	hwm      int
	wait     time.Duration
	policy   Policy
	rules    *Supervision
	restart  RestartType
	shutdown time.Duration
	around   []Middleware
	size     *atomic.Int64 // of a pool
	sources  []*source
	socket   mailbox.Config
	err      error
}

func (o *options) refuse(format string, args ...any) {
	o.err = errors.Join(o.err, fmt.Errorf("%w: "+format, append([]any{ErrUsage}, args...)...))
}

// Policy is what becomes of a message to a full mailbox.
type Policy uint8

// The policies.
const (
	// WaitForRoom lets a sender from outside wait, up to Wait, then refuses with ErrFull. From a *Context it refuses at
	// once. It is the default.
	WaitForRoom Policy = iota
	// Reject refuses with ErrFull at once.
	Reject
	// DropNewest accepts the message and makes it a dead letter; an Ask gets ErrFull.
	DropNewest
	// DropOldest accepts the message and makes a dead letter of the oldest one that waits and is not urgent; if that is an
	// Ask, it gets ErrFull. If all are in hand or stashed it refuses.
	DropOldest
)

// Wait is how long a Tell or an Ask from outside waits for room in the mailbox before it fails with ErrFull. Zero means
// not at all. The default is Config.Wait.
func Wait(d time.Duration) Option {
	return func(o *options) {
		if d < 0 {
			o.refuse("Wait(%v): negative", d)
		}
		o.wait = d
	}
}

// HWM is the high-water mark: how many messages the mailbox holds, the one in hand included. The default is Config.HWM.
// What was on its way from other nodes when that was reached is let in beyond it, up to as much again.
func HWM(n int) Option {
	return func(o *options) {
		if n < 1 {
			o.refuse("HWM(%d): at least 1", n)
		}
		o.hwm = n
	}
}

// refuses says whether a full mailbox makes senders go slower.
func (p Policy) refuses() bool { return p == WaitForRoom || p == Reject }

// OnFull chooses what becomes of a message to the mailbox when it is full.
func OnFull(p Policy) Option {
	return func(o *options) {
		if p > DropOldest {
			o.refuse("OnFull(%d): no such policy", p)
		}
		o.policy = p
	}
}
