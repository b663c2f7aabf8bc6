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

// errOver is the cause of the end of roles' contexts when the run needs them no longer.
var errOver = fmt.Errorf("topology: the run is over: %w", context.Canceled)

// part is one role instance as play sees it: it runs until it is done, or until its context ends.
type part struct {
	role   string
	class  class
	drains bool
	run    func(ctx context.Context) error
}

// ended is a part that has ended.
type ended struct {
	part
	err error
}

// cast is the parts of a run, and how far they are.
type cast struct {
	ctx     context.Context
	options Options
	ends    chan ended
	open    int
	left    map[string]int // instances that have not ended, by role
	atWork  int            // of those whose end is the run's
	sources int            // that have not ended
	drains  int            // parts that drain and have not ended
	job     class          // which end a run: finishing, or source if there are none
	lead    context.Context
	rest    context.Context
	halt    context.CancelCauseFunc // ends lead
	stop    context.CancelCauseFunc // ends both
}

// play runs parts to the rule of "When it ends": until all finishing ones are done (or, without any, all sources), the
// first error, or the end of ctx; without either until one of the last two. Then it tells all others to end and waits for
// them, at most o.Grace.
//
// When ctx ends while sources run, serving parts and those that drain are told only once what the sources had sent is
// finished, at most o.Drain later. The end of ctx is an error only if it kept finishing parts from their end.
func play(ctx context.Context, o Options, parts []part) error {
	c := &cast{ctx: ctx, options: o, ends: make(chan ended, len(parts)), left: map[string]int{}, job: source}
	c.rest, c.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	c.lead, c.halt = context.WithCancelCause(c.rest)
	defer c.stop(nil)
	if slices.ContainsFunc(parts, func(p part) bool { return p.class == finishing }) {
		c.job = finishing
	}
	for _, p := range parts {
		c.start(p)
	}
	return c.wait()
}

// start runs a part.
func (c *cast) start(p part) {
	c.count(p, 1)
	ctx := c.rest
	if p.class == source || p.class == finishing && !p.drains {
		ctx = c.lead
	}
	go func() {
		e := ended{p, errors.New("ended by runtime.Goexit")}
		defer func() { c.ends <- e }()
		e.err = perform(ctx, p, c.options.Log)
	}()
}

// count notes that n parts like p have started, or ended.
func (c *cast) count(p part, n int) {
	c.open += n
	c.left[p.role] += n
	if p.class == c.job {
		c.atWork += n
	}
	if p.class == source {
		c.sources += n
	}
	if p.drains {
		c.drains += n
	}
}

// wait is the rule.
func (c *cast) wait() error {
	var result error
	var late, drained <-chan time.Time
	stopped := false
	end := func(err error) {
		if stopped {
			return
		}
		stopped, result = true, err
		grace := c.options.Grace
		if c.drains > 0 {
			grace += c.options.Drain // for what they have in hand
		}
		late = time.After(grace)
		cause := context.Cause(c.ctx)
		if cause == nil {
			cause = errOver
		}
		c.stop(cause)
	}
	told := c.ctx.Done()
	for c.open > 0 {
		select {
		case e := <-c.ends:
			c.count(e.part, -1)
			switch {
			case e.err != nil && c.ctx.Err() != nil:
				end(interruption(c.ctx))
			case e.err != nil:
				end(fmt.Errorf("topology: role %s: %w", e.role, e.err))
			case e.class == c.job && c.atWork == 0:
				end(nil)
			}
		case <-told:
			told = nil
			switch {
			case c.sources > 0 && c.drains > 0:
				drained = time.After(c.options.Drain)
				c.halt(context.Cause(c.ctx))
			case c.atWork > 0:
				end(interruption(c.ctx))
			default:
				end(nil)
			}
		case <-drained:
			end(interruption(c.ctx))
		case <-late:
			return errors.Join(result, fmt.Errorf("%w: still running after they were told to end: %s", errStuck, c.stillOpen()))
		}
	}
	return result
}

func interruption(ctx context.Context) error {
	return fmt.Errorf("topology: interrupted: %w", context.Cause(ctx))
}

func (c *cast) stillOpen() string {
	var all []string
	for role, n := range c.left {
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
