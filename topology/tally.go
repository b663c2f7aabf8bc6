package topology

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// tally counts what one instance of a role has done with what came to it, or what it has sent.
type tally struct {
	role     string
	class    class
	instance int // from 0 on

	Done    atomic.Int64 // handled, sent or received
	Failed  atomic.Int64 // the role's function returned an error, or panicked
	Retried atomic.Int64 // given out again
	Dropped atomic.Int64 // lost, with a line in the log that says why
	Over    atomic.Bool  // nothing more is to come: it is a source that has ended
}

// line is the tally's text form, by which a child process tells its parent.
func (t *tally) line() string {
	return fmt.Sprint(t.Done.Load(), t.Failed.Load(), t.Retried.Load(), t.Dropped.Load(), t.Over.Load())
}

// read takes over what line gave.
func (t *tally) read(line string) error {
	var done, failed, retried, dropped int64
	var over bool
	if _, err := fmt.Sscan(line, &done, &failed, &retried, &dropped, &over); err != nil {
		return err
	}
	t.Done.Store(done)
	t.Failed.Store(failed)
	t.Retried.Store(retried)
	t.Dropped.Store(dropped)
	t.Over.Store(over)
	return nil
}

// tallies are those of a run.
type tallies struct {
	mu  sync.Mutex
	all []*tally
}

// add returns a new tally for an instance. An instance that is run again in another process gets another.
func (ts *tallies) add(r *role, instance int) *tally {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := &tally{role: r.name, class: r.class, instance: instance}
	ts.all = append(ts.all, t)
	return t
}

// sum is what all instances of a role have done.
type sum struct {
	role                           string
	class                          class
	done, failed, retried, dropped int64
	over                           bool    // of all
	each                           []int64 // done, by instance
}

// sums returns a sum for each role, in the order in which they were opened.
func (ts *tallies) sums() (sums []sum) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.all {
		i := slices.IndexFunc(sums, func(s sum) bool { return s.role == t.role })
		if i < 0 {
			i = len(sums)
			sums = append(sums, sum{role: t.role, class: t.class, over: true})
		}
		s := &sums[i]
		s.done += t.Done.Load()
		s.failed += t.Failed.Load()
		s.retried += t.Retried.Load()
		s.dropped += t.Dropped.Load()
		s.over = s.over && t.Over.Load()
		for len(s.each) <= t.instance {
			s.each = append(s.each, 0)
		}
		s.each[t.instance] += t.Done.Load()
	}
	return sums
}

// String says what they have done, as in "100 done, 2 failed, by each 51 49".
func (s sum) String() string {
	text := fmt.Sprintf("%s %d done", s.role, s.done)
	for _, more := range []struct {
		n    int64
		what string
	}{{s.failed, "failed"}, {s.retried, "retried"}, {s.dropped, "dropped"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	if len(s.each) > 1 {
		text += fmt.Sprintf(" (%s)", each(s.each))
	}
	return text
}

// summarise tells what was done, as o has it: as one line of text, or in the log.
func (ts *tallies) summarise(o Options, name string) {
	var texts []string
	for _, s := range ts.sums() {
		if s.done+s.failed+s.retried+s.dropped == 0 {
			continue
		}
		if o.summary == nil {
			o.Log.Info("summary", "role", s.role, "instances", len(s.each), "done", s.done, "failed", s.failed,
				"retried", s.retried, "dropped", s.dropped, "each", s.each)
		}
		texts = append(texts, s.String())
	}
	if o.summary != nil && len(texts) > 0 {
		fmt.Fprintf(o.summary, "%s: %s\n", name, strings.Join(texts, "; "))
	}
}
