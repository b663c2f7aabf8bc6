package topology

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// errStuck marks a run that ended without waiting any longer for some of its roles.
var errStuck = errors.New("topology: roles don't end")

// part is one role instance as play sees it: it runs until it is done, or until its context ends.
type part struct {
	role string
	run  func(ctx context.Context) error
}

// ended is a part that has ended.
type ended struct {
	part
	job bool
	err error
}

// play runs jobs and services to the rule of "When it ends": until all jobs are done, the first error, or the end of ctx;
// without jobs until one of the last two. Then it tells all others to end and waits for them, at most o.Grace. The end of
// ctx is an error only if jobs were at work then.
func play(ctx context.Context, o Options, jobs, services []part) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ends := make(chan ended, len(jobs)+len(services))
	left := map[string]int{} // instances that have not ended, by role
	start := func(p part, job bool) {
		left[p.role]++
		go func() {
			e := ended{p, job, errors.New("ended by runtime.Goexit")}
			defer func() { ends <- e }()
			e.err = perform(running, p, o.Log)
		}()
	}
	for _, p := range services {
		start(p, false)
	}
	for _, p := range jobs {
		start(p, true)
	}

	var result error
	atWork, stopped := len(jobs), false
	halt := running.Done()
	var late <-chan time.Time
	end := func(err error) {
		if !stopped {
			stopped, result = true, err
			stop(nil)
			late = time.After(o.Grace)
		}
	}
	for open := len(jobs) + len(services); open > 0; {
		select {
		case e := <-ends:
			open--
			left[e.role]--
			if e.job {
				atWork--
			}
			switch {
			case e.err != nil && ctx.Err() != nil:
				end(interruption(ctx))
			case e.err != nil:
				end(fmt.Errorf("topology: role %s: %w", e.role, e.err))
			case e.job && atWork == 0:
				end(nil)
			}
		case <-halt:
			halt = nil
			if atWork > 0 {
				end(interruption(ctx))
			}
			end(nil)
		case <-late:
			return errors.Join(result, fmt.Errorf("%w: still running %v after they were told to end: %s", errStuck, o.Grace,
				stillOpen(left)))
		}
	}
	return result
}

func interruption(ctx context.Context) error {
	return fmt.Errorf("topology: interrupted: %w", context.Cause(ctx))
}

func stillOpen(left map[string]int) string {
	var all []string
	for role, n := range left {
		if n > 0 {
			all = append(all, fmt.Sprintf("%s (%d)", role, n))
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// perform runs a part and turns a panic into an error.
func perform(ctx context.Context, p part, log *slog.Logger) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log.Error("panic", "role", p.role, "value", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return p.run(ctx)
}
