package topology

import (
	"log/slog"
	"sync"
	"sync/atomic"
)

// tally counts what the instances of a role have done with what came to them.
type tally struct {
	Done    atomic.Int64 // handled, sent or received
	Failed  atomic.Int64 // the role's function returned an error, or panicked
	Retried atomic.Int64 // given out again
	Dropped atomic.Int64 // lost, with a line in the log that says why
}

// tallies are those of a run, by role.
type tallies struct {
	mu    sync.Mutex
	order []string
	of    map[string]*tally
}

// role returns the tally of a role.
func (ts *tallies) role(name string) *tally {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.of[name]
	if t == nil {
		if ts.of == nil {
			ts.of = map[string]*tally{}
		}
		t = new(tally)
		ts.of[name] = t
		ts.order = append(ts.order, name)
	}
	return t
}

// log writes a line for each role that has counted something.
func (ts *tallies) log(log *slog.Logger) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, name := range ts.order {
		t := ts.of[name]
		if t.Done.Load()+t.Failed.Load()+t.Retried.Load()+t.Dropped.Load() == 0 {
			continue
		}
		log.Info("summary", "role", name, "done", t.Done.Load(), "failed", t.Failed.Load(), "retried", t.Retried.Load(),
			"dropped", t.Dropped.Load())
	}
}
