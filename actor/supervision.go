package actor

import (
	"fmt"
	"math"
	"time"
)

// Supervision says how an actor, or the System, deals with the failures of the actors spawned in it: its children. It is
// given to Supervise, or is Config.Supervision. Its zero value is useful.
//
// A child fails when a handler, callback or start hook of it returns an error or panics, or when it escalates a failure
// of its own children. Decide chooses what comes of it. A restart gives the child a fresh value from its constructor, and
// keeps its PID, its name and its queue; only the message that failed is lost, as a dead letter.
//
// Restarts are paused: the first within Period by about Backoff, each further one by twice as much, at most MaxBackoff. A
// random part of up to half is taken off each, so that actors that failed together don't come back together. More
// restarts than Intensity within Period, of all children together, are too many: the supervisor gives up. An actor then
// fails in its turn, with an error that wraps ErrEscalated; the System, which is nobody's child, stops the child.
type Supervision struct {
	Strategy   Strategy                 // whom a restart concerns; zero = OneForOne
	Intensity  int                      // restarts within Period; 0 = 10, negative = none, Unlimited = no bound
	Period     time.Duration            // 0 = 10 s
	Backoff    time.Duration            // 0 = 10 ms, negative = no pauses
	MaxBackoff time.Duration            // 0 = 1 s
	Decide     func(err error) Decision // nil, or a panic in it, = DecideRestart; called by any goroutine
}

// Unlimited as Intensity means restarts without end.
const Unlimited = math.MaxInt

// Strategy says whom the restart of a child concerns.
type Strategy uint8

// The strategies, as in OTP.
const (
	OneForOne  Strategy = iota // the child that failed
	OneForAll                  // all children
	RestForOne                 // the child that failed and those spawned after it
)

// Decision is what comes of a failure.
type Decision uint8

// The decisions.
const (
	DecideRestart  Decision = iota // a fresh value, after a pause
	DecideResume                   // the value goes on as if nothing had happened; of a failed start: restart
	DecideStop                     // the child stops
	DecideEscalate                 // the child stops, and its parent has failed
)

// RestartType says when a child is restarted, see Restart.
type RestartType uint8

// The restart types, as in OTP.
const (
	Transient RestartType = iota // after a failure
	Permanent                    // after a failure, and after Context.Stop
	Temporary                    // never
)

// Supervise sets how the actor deals with the failures of its children. The default is Config.Supervision.
func Supervise(how Supervision) Option {
	return func(o *options) {
		rules, err := how.withDefaults()
		if err != nil {
			o.refuse("Supervise: %v", err)
		}
		o.rules = &rules
	}
}

// Restart sets when the actor is restarted by its supervisor. The default is Transient. Stop ends an actor of any type
// for good.
func Restart(t RestartType) Option {
	return func(o *options) {
		if t > Temporary {
			o.refuse("Restart(%d): no such type", t)
		}
		o.restart = t
	}
}

// Shutdown sets how long the actor's parent, when it stops or restarts, lets it handle what is queued and run its stop
// hook. Then it is stopped at once, as by a Stop whose ctx has ended, and after another second its parent goes on without
// it. The default is 5 s.
func Shutdown(d time.Duration) Option {
	return func(o *options) {
		if d < 0 {
			o.refuse("Shutdown(%v): negative", d)
		}
		o.shutdown = d
	}
}

const (
	defaultIntensity  = 10
	defaultPeriod     = 10 * time.Second
	defaultBackoff    = 10 * time.Millisecond
	defaultMaxBackoff = time.Second
	defaultShutdown   = 5 * time.Second
)

func (s Supervision) withDefaults() (Supervision, error) {
	if s.Strategy > RestForOne {
		return s, fmt.Errorf("no strategy %d", s.Strategy)
	}
	if s.Period < 0 || s.MaxBackoff < 0 {
		return s, fmt.Errorf("negative Period or MaxBackoff")
	}
	switch {
	case s.Intensity == 0:
		s.Intensity = defaultIntensity
	case s.Intensity < 0:
		s.Intensity = 0
	}
	if s.Period == 0 {
		s.Period = defaultPeriod
	}
	if s.Backoff == 0 {
		s.Backoff = defaultBackoff
	}
	if s.MaxBackoff == 0 {
		s.MaxBackoff = max(defaultMaxBackoff, s.Backoff)
	}
	return s, nil
}
