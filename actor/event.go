package actor

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// Event is something that happened in a System: one of the types below. More may be added.
type Event interface{ event() }

// The events.
type (
	// ActorStarted: the actor's start hook has returned, the first time.
	ActorStarted struct {
		PID  PID
		Name string // the registered name; "" = none
	}
	// ActorRestarted: the start hook of a further instance has returned.
	ActorRestarted struct {
		PID  PID
		Name string
	}
	// ActorFailed: a handler, hook or callback failed, or a child escalated. What came of it is another event.
	ActorFailed struct {
		PID  PID
		Name string
		Err  error
	}
	// ActorStopped: the actor is gone for good.
	ActorStopped struct {
		PID    PID
		Name   string
		Reason Reason // Stopped or Failed
	}
	// DeadLetter: an accepted message, or a reply, was not handled.
	DeadLetter struct {
		Reason         Reason
		Target, Sender PID
		Type           string // of the message; "" = nil
	}
	// PeerUp: there is a link with another node, which was not there, or taken for down.
	PeerUp struct {
		Node        string
		Incarnation uuid.UUID
	}
	// PeerDown: an incarnation of another node has ended, or has given no sign of life for too long. Watches of its
	// actors are over.
	PeerDown struct {
		Node        string
		Incarnation uuid.UUID // zero: none has been met
	}
	// MailboxOverflow: a message found the mailbox full, and was refused or displaced another.
	MailboxOverflow struct {
		PID  PID
		Name string
	}
)

func (ActorStarted) event()    {}
func (ActorRestarted) event()  {}
func (ActorFailed) event()     {}
func (ActorStopped) event()    {}
func (DeadLetter) event()      {}
func (PeerUp) event()          {}
func (PeerDown) event()        {}
func (MailboxOverflow) event() {}

// eventsKept is how many events wait for a subscriber.
const eventsKept = 10_000

// Subscription is a stream of events.
type Subscription struct {
	events *events
	wants  func(Event) bool
	give   func(Event)
	missed atomic.Uint64

	mu      sync.Mutex
	waiting []Event
	running bool // a goroutine gives
	over    bool
	idle    sync.Cond // not running, or over
}

// Subscribe has f called with each event of type E, or with every event if E is Event, from now on. Calls come one at a
// time, in the order of the events, from a goroutine that exists only while there are some. F may do anything but wait for
// the System's Close. Who causes an event never waits for f: when 10,000 wait, further ones are missed. A panic in f is
// logged, and the stream goes on. It ends with Cancel, or when the System has closed.
//
// Subscribe fails with ErrUsage for a nil f or Scope.
func Subscribe[E Event](in Scope, f func(E)) (*Subscription, error) {
	sc, err := scopeOf(in)
	if err == nil && f == nil {
		err = fmt.Errorf("%w: nil function to Subscribe", ErrUsage)
	}
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		events: &sc.sys.events,
		wants:  func(e Event) bool { _, ok := e.(E); return ok },
		give:   func(e Event) { f(e.(E)) },
	}
	s.idle.L = &s.mu
	s.events.add(s)
	return s, nil
}

// Cancel ends the stream: f is not called any more, but a call under way goes on.
func (s *Subscription) Cancel() {
	s.events.remove(s)
	s.end()
}

// Missed returns how many events found too many waiting.
func (s *Subscription) Missed() uint64 { return s.missed.Load() }

func (s *Subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.waiting = nil
	s.idle.Broadcast()
}

func (s *Subscription) offer(e Event) {
	if !s.wants(e) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return
	case len(s.waiting) >= eventsKept:
		s.missed.Add(1)
		return
	}
	s.waiting = append(s.waiting, e)
	if !s.running {
		s.running = true
		go s.run()
	}
}

// run gives what waits.
func (s *Subscription) run() {
	var batch []Event
	done := false
	defer func() {
		if !done { // f has ended the goroutine: another goes on
			s.mu.Lock()
			s.waiting = append(batch, s.waiting...)
			s.mu.Unlock()
			go s.run()
		}
	}()
	for {
		s.mu.Lock()
		batch = s.waiting
		if s.waiting = nil; len(batch) == 0 {
			s.running = false
			s.idle.Broadcast()
			s.mu.Unlock()
			done = true
			return
		}
		s.mu.Unlock()
		for len(batch) > 0 && !s.ended() {
			e := batch[0]
			batch = batch[1:]
			s.safely(e)
		}
	}
}

func (s *Subscription) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

func (s *Subscription) safely(e Event) {
	defer func() {
		if r := recover(); r != nil {
			s.events.log.Error("a subscriber of events panicked", "event", fmt.Sprintf("%T", e), "error", panicked(r))
		}
	}()
	s.give(e)
}
