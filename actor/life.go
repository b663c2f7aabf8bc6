package actor

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
)

// life is what the Contexts of one instance of an actor share, from before its start hook to after its stop hook.
type life struct {
	cell *cell
	told Context // for hooks and Tells; each Ask has one of its own

	mu     sync.Mutex
	inner  context.Context // made when first needed
	cancel context.CancelFunc
	ended  bool
	wants  *wants // nil: nothing
	log    *slog.Logger
}

func newLife(c *cell) *life {
	l := &life{cell: c}
	l.told.life = l
	return l
}

func (l *life) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inner == nil {
		l.inner, l.cancel = context.WithCancel(context.Background())
		if l.ended {
			l.cancel()
		}
	}
	return l.inner
}

func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.cancel != nil {
		l.cancel()
	}
}

func (l *life) endedError() error {
	return fmt.Errorf("%w: this instance of %s has ended", ErrClosed, l.cell.label())
}

func (l *life) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return context.Canceled
	}
	return nil
}

func (l *life) logger() *slog.Logger {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.log == nil {
		l.log = l.cell.sys.log.With("actor", l.cell.label())
	}
	return l.log
}
