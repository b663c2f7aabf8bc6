package zmtp

import "context"

// Wait waits until all messages are written, or, if the outbox is lent, taken and done. It fails with the cause of
// ctx's end, or with ErrClosed if Close came first.
func (o *Outbox) Wait(ctx context.Context) error {
	for o.Len() > 0 {
		empty := make(chan struct{})
		o.waiting.Lock()
		o.waiters = append(o.waiters, empty)
		o.waiting.Unlock()
		if o.Len() == 0 {
			o.tellEmpty()
		}
		select {
		case <-empty:
		case <-o.closed:
			return ErrClosed
		case <-ctx.Done():
			o.forget(empty)
			return context.Cause(ctx)
		}
	}
	return nil
}

func (o *Outbox) tellEmpty() {
	o.waiting.Lock()
	defer o.waiting.Unlock()
	for _, w := range o.waiters {
		close(w)
	}
	o.waiters = nil
}

func (o *Outbox) forget(waiter chan struct{}) {
	o.waiting.Lock()
	defer o.waiting.Unlock()
	for i, w := range o.waiters {
		if w == waiter {
			o.waiters = append(o.waiters[:i], o.waiters[i+1:]...)
			return
		}
	}
}
