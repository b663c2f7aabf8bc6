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
	return part{role, func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

const ever = 1000 * time.Hour

func TestPlayEnds(t *testing.T) {
	stuck := part{"stuck", func(context.Context) error {
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
		{name: "at a panic", jobs: []part{{"a", func(context.Context) error { panic("oh") }}}, says: "role a: panic: oh"},
		{name: "at a nil panic", jobs: []part{{"a", func(context.Context) error { panic(nil) }}}, says: "role a: panic"},
		{name: "at a Goexit", jobs: []part{{"a", func(context.Context) error { runtime.Goexit(); return nil }}}, says: "Goexit"},
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
				err := play(ctx, quiet(), test.jobs, test.services)
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
		wait := part{"b", func(ctx context.Context) error {
			<-ctx.Done()
			told++
			return errOut // comes later, so it isn't the run's error
		}}
		err := play(t.Context(), quiet(), []part{lasts("a", time.Second, errBroken), wait}, nil)
		if told != 1 || !errors.Is(err, errBroken) || errors.Is(err, errOut) {
			t.Errorf("told %d others, got %v", told, err)
		}
	})
}
