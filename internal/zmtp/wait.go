package zmtp

import (
	"context"
	"slices"
)

// Wait waits until all messages are written. It fails with the cause of ctx's end, or with ErrClosed if Close came first.
func (o *Outbox) Wait(ctx context.Context) error {
	for {
		o.mu.Lock()
		if o.count == 0 {
			o.mu.Unlock()
			return nil
		}
		empty := make(chan struct{})
		o.waiters = append(o.waiters, empty)
		o.mu.Unlock()
		select {
		case <-empty:
		case <-o.closed:
			return ErrClosed
		case <-ctx.Done():
			o.forget(empty)
			return context.Cause(ctx)
		}
	}
}

func (o *Outbox) forget(waiter chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := slices.Index(o.waiters, waiter); i >= 0 {
		o.waiters = slices.Delete(o.waiters, i, i+1)
	}
}
