package topology

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errBroken = errors.New("broken")
	errOut    = errors.New("out")
)

func quiet() Options { return Options{Log: slog.New(slog.DiscardHandler)}.withDefaults() }

// lasts returns a part that takes d, unless its context ends before, and then returns err.
func lasts(role string, d time.Duration, err error) part {
	return part{role: role, run: func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

// parts returns jobs and services as play takes them.
func parts(jobs, services []part) (all []part) {
	for _, p := range jobs {
		p.class = finishing
		all = append(all, p)
	}
	for _, p := range services {
		p.class = serving
		all = append(all, p)
	}
	return all
}

const ever = 1000 * time.Hour

func TestPlayEnds(t *testing.T) {
	stuck := part{role: "stuck", run: func(context.Context) error {
		time.Sleep(time.Hour)
		return nil
	}}
	tests := []struct {
		name     string
		jobs     []part
		services []part
		cancel   time.Duration // 0: never
		after    time.Duration
		is       error
		says     string
	}{
		{name: "when all jobs are done", jobs: []part{lasts("a", time.Second, nil), lasts("b", time.Minute, nil)},
			services: []part{lasts("s", ever, nil)}, after: time.Minute},
		{name: "at the first error of a job", jobs: []part{lasts("a", time.Second, errBroken), lasts("b", time.Minute, errOut)},
			services: []part{lasts("s", ever, nil)}, after: time.Second, is: errBroken, says: "role a"},
		{name: "at an error of a service", jobs: []part{lasts("a", time.Minute, nil)},
			services: []part{lasts("s", time.Second, errBroken)}, after: time.Second, is: errBroken, says: "role s"},
		{name: "not at the end of a service", jobs: []part{lasts("a", time.Minute, nil)},
			services: []part{lasts("s", time.Second, nil)}, after: time.Minute},
		{name: "services alone when told", services: []part{lasts("s", ever, nil)}, cancel: time.Minute, after: time.Minute},
		{name: "an interrupted job with the cause", jobs: []part{lasts("a", ever, nil)}, services: []part{lasts("s", ever, nil)},
			cancel: time.Minute, after: time.Minute, is: errOut, says: "interrupted"},
		{name: "without who doesn't end", jobs: []part{stuck}, cancel: time.Second, after: 1500 * time.Millisecond,
			is: errOut, says: "stuck (1)"},
		{name: "without a service that doesn't end", jobs: []part{lasts("a", time.Second, nil)}, services: []part{stuck, stuck},
			after: 1500 * time.Millisecond, says: "stuck (2)"},
		{name: "at a panic", jobs: []part{{role: "a", run: func(context.Context) error { panic("oh") }}}, says: "role a: panic: oh"},
		{name: "at a nil panic", jobs: []part{{role: "a", run: func(context.Context) error { panic(nil) }}}, says: "role a: panic"},
		{name: "at a Goexit", jobs: []part{{role: "a", run: func(context.Context) error { runtime.Goexit(); return nil }}}, says: "Goexit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if test.cancel > 0 {
					time.AfterFunc(test.cancel, func() { cancel(errOut) })
				}
				began := time.Now()
				err := play(ctx, quiet(), parts(test.jobs, test.services))
				if took := time.Since(began); took != test.after {
					t.Errorf("took %v, want %v", took, test.after)
				}
				if (err == nil) != (test.is == nil && test.says == "") || test.is != nil && !errors.Is(err, test.is) {
					t.Errorf("got %v, want %v", err, test.is)
				}
				if err != nil && !strings.Contains(err.Error(), test.says) {
					t.Errorf("%q doesn't say %q", err, test.says)
				}
				time.Sleep(2 * time.Hour) // until the stuck ones are gone
			})
		})
	}
}

func TestPlayTellsTheOthersToEndAtAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		wait := part{role: "b", run: func(ctx context.Context) error {
			<-ctx.Done()
			told++
			return errOut // comes later, so it isn't the run's error
		}}
		err := play(t.Context(), quiet(), []part{lasts("a", time.Second, errBroken), wait})
		if told != 1 || !errors.Is(err, errBroken) || errors.Is(err, errOut) {
			t.Errorf("told %d others, got %v", told, err)
		}
	})
}

// drain returns a source that ends d after it was told to, and a sink that ends when it has.
func drain(d time.Duration) (from, to part) {
	over := make(chan struct{})
	from = part{"source", source, true, func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(d)
		close(over)
		return nil
	}}
	to = part{"sink", finishing, true, func(ctx context.Context) error {
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	return from, to
}

func TestPlayFinishesWhatIsUnderWayWhenItIsToldToEnd(t *testing.T) {
	for _, test := range []struct {
		name  string
		takes time.Duration
		is    error
	}{{"in time", 3 * time.Second, nil}, {"not in time", 5 * time.Second, errOut}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Minute, func() { cancel(errOut) })
				from, to := drain(test.takes)
				stage := lasts("stage", ever, nil)
				stage.class, stage.drains = serving, true
				began := time.Now()
				err := play(ctx, quiet(), []part{from, stage, to})
				if !errors.Is(err, test.is) {
					t.Errorf("got %v, want %v", err, test.is)
				}
				if took := time.Since(began) - time.Minute; took != test.takes {
					t.Errorf("took %v after it was told, want %v", took, test.takes)
				}
			})
		})
	}
}

func TestASourceAloneEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := lasts("source", time.Minute, nil)
		p.class, p.drains = source, true
		if err := play(t.Context(), quiet(), []part{p, parts(nil, []part{lasts("s", ever, nil)})[0]}); err != nil {
			t.Error(err)
		}
	})
}
