package actor

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
)

// events are the subscriptions of a System.
type events struct {
	mu   sync.Mutex // for changes
	subs atomic.Pointer[[]*Subscription]
	log  *slog.Logger
}

// wanted says whether anybody listens: what nobody hears need not be made.
func (e *events) wanted() bool { return e.subs.Load() != nil }

func (e *events) publish(event Event) {
	if subs := e.subs.Load(); subs != nil {
		for _, s := range *subs {
			s.offer(event)
		}
	}
}

func (e *events) add(s *Subscription) {
	e.change(func(subs []*Subscription) []*Subscription { return append(slices.Clone(subs), s) })
}

func (e *events) remove(s *Subscription) {
	e.change(func(subs []*Subscription) []*Subscription {
		return slices.DeleteFunc(slices.Clone(subs), func(other *Subscription) bool { return other == s })
	})
}

func (e *events) change(how func([]*Subscription) []*Subscription) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var subs []*Subscription
	if now := e.subs.Load(); now != nil {
		subs = *now
	}
	if subs = how(subs); len(subs) == 0 {
		e.subs.Store(nil)
		return
	}
	e.subs.Store(&subs)
}

// close ends all streams when their subscribers have heard what waits, or after a grace: one that blocks is left alone.
func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	subs := e.subs.Swap(nil)
	if subs == nil {
		return
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for _, s := range *subs {
			s.mu.Lock()
			for s.running && !s.over {
				s.idle.Wait()
			}
			s.mu.Unlock()
		}
	}()
	within(grace, heard)
	for _, s := range *subs {
		s.end()
	}
	<-heard
}
