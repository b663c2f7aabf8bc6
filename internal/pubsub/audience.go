package pubsub

import (
	"context"
	"fmt"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

// audience is the subscribers that are there and have subscribed to something. The zero value is nobody.
type audience[K comparable] struct {
	mu    sync.Mutex
	ids   map[K]struct{}
	grown chan struct{} // closed when one comes; nil: nobody waits for that
}

func (a *audience[K]) enter(who K) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ids == nil {
		a.ids = make(map[K]struct{})
	}
	a.ids[who] = struct{}{}
	if a.grown != nil {
		close(a.grown)
		a.grown = nil
	}
}

func (a *audience[K]) leave(who K) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.ids, who)
}

// look returns how many are there, and what is closed when one comes.
func (a *audience[K]) look() (n int, grown <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.grown == nil {
		a.grown = make(chan struct{})
	}
	return len(a.ids), a.grown
}

// wait waits until n are there, or one of the contexts ends.
func (a *audience[K]) wait(ctx, open context.Context, n int) error {
	for {
		there, grown := a.look()
		switch {
		case open.Err() != nil:
			return mailbox.ErrClosed
		case there >= n:
			return nil
		}
		select {
		case <-grown:
		case <-open.Done():
		case <-ctx.Done():
			return fmt.Errorf("pubsub: %d of %d subscribers are there: %w", there, n, ctx.Err())
		}
	}
}
