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

	mu    sync.Mutex
	ended bool
	extra *extra // made when first needed
}

// extra is what few instances need.
type extra struct {
	inner  context.Context // nil: not needed yet
	cancel context.CancelFunc
	log    *slog.Logger
	wants  *wants // nil: nothing
}

func newLife(c *cell) *life {
	l := &life{cell: c}
	l.told.life = l
	return l
}

// more returns extra. The caller holds mu.
func (l *life) more() *extra {
	if l.extra == nil {
		l.extra = new(extra)
	}
	return l.extra
}

func (l *life) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.more()
	if x.inner == nil {
		x.inner, x.cancel = context.WithCancel(context.Background())
		if l.ended {
			x.cancel()
		}
	}
	return x.inner
}

func (l *life) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.extra != nil && l.extra.cancel != nil {
		l.extra.cancel()
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
	x := l.more()
	if x.log == nil {
		x.log = l.cell.sys.log.With("actor", l.cell.label())
	}
	return x.log
}
