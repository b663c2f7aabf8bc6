package actor

import "time"

// failure is what a supervisor judges.
type failure struct {
	child   int           // who failed: the place in siblings
	among   []RestartType // all children, in the order in which they were spawned; with OneForOne the child alone
	err     error         // nil: the child stopped itself
	wish    Decision      // what Decide says to err
	running bool          // its instance could go on
}

// verdict is what a supervisor does about it.
type verdict struct {
	what  Decision
	again []int // DecideRestart: who starts again, in this order; they stop in the opposite one
	gone  []int // DecideRestart: who stops with them and does not come back
	pause time.Duration
}

// ledger is when a supervisor restarted children, within the last Period.
type ledger struct{ times []time.Time }

// ledgerMost is how many times are kept if there is no bound: enough for the longest pause.
const ledgerMost = 64

// judge is the pure part of supervision. Random is from [0, 1).
func (s *Supervision) judge(l *ledger, now time.Time, f failure, random float64) verdict {
	own, what := f.among[f.child], f.wish
	if what == DecideResume && (!f.running || f.err == nil) {
		what = DecideRestart
	}
	switch {
	case what != DecideRestart:
		return verdict{what: what}
	case own == Temporary, f.err == nil && own != Permanent:
		return verdict{what: DecideStop}
	}
	n := l.count(now, s.Period)
	if n >= s.Intensity {
		return verdict{what: DecideEscalate}
	}
	if len(l.times) < min(s.Intensity, ledgerMost) {
		l.times = append(l.times, now)
	}
	v := verdict{what: DecideRestart, pause: s.pause(n, random)}
	first, last := f.child, f.child
	switch s.Strategy {
	case OneForAll:
		first, last = 0, len(f.among)-1
	case RestForOne:
		last = len(f.among) - 1
	}
	for i := first; i <= last; i++ {
		if f.among[i] == Temporary {
			v.gone = append(v.gone, i)
		} else {
			v.again = append(v.again, i)
		}
	}
	return v
}

// decide asks Decide, which may do anything: the caller holds no lock.
func (s *Supervision) decide(err error) (what Decision) {
	if s.Decide == nil || err == nil {
		return DecideRestart
	}
	bad := apart(func() error {
		what = s.Decide(err)
		return nil
	})
	if bad != nil || what > DecideEscalate {
		return DecideRestart
	}
	return what
}

// count forgets what is past, and returns how many restarts are left.
func (l *ledger) count(now time.Time, period time.Duration) int {
	past := 0
	for past < len(l.times) && now.Sub(l.times[past]) >= period {
		past++
	}
	l.times = l.times[past:]
	return len(l.times)
}

// pause is how long to wait before a restart when there were n within the period.
func (s *Supervision) pause(n int, random float64) time.Duration {
	if s.Backoff < 0 {
		return 0
	}
	d := s.Backoff
	for ; n > 0 && d < s.MaxBackoff; n-- {
		d *= 2
	}
	d = min(d, s.MaxBackoff)
	return d - time.Duration(random*float64(d/2))
}
