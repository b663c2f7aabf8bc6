package zmtp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// logbook is a log handler that keeps what it is told, one line per record.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (b *logbook) logger() *slog.Logger { return slog.New(b) }

func (b *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logbook) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b *logbook) WithGroup(string) slog.Handler            { return b }

func (b *logbook) Handle(_ context.Context, r slog.Record) error {
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
	return nil
}

// with returns the lines that contain all the texts.
func (b *logbook) with(texts ...string) (found []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, line := range b.lines {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}

func TestManyRefusalsAreAFewLinesAndACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		r := newRefusals(book.logger())
		for i := range 100 {
			r.refused("10.0.0.1:5", fmt.Errorf("no greeting %d", i))
		}
		if got := book.with("WARN", "remote=10.0.0.1:5", "reason=no greeting"); len(got) != refusalLines {
			t.Fatal(book.with())
		}
		time.Sleep(refusalWindow)
		synctest.Wait()
		if got := book.with("WARN", "count=90", "no greeting 99"); len(got) != 1 || len(book.with()) != refusalLines+1 {
			t.Fatal(book.with())
		}
		r.ended("10.0.0.2:6", errors.New("bad frame")) // a new window
		if got := book.with("WARN", "connection ended", "remote=10.0.0.2:6", "reason=bad frame"); len(got) != 1 {
			t.Fatal(book.with())
		}
		r.close()
		if len(book.with()) != refusalLines+2 {
			t.Fatal(book.with())
		}
	})
}

func TestCountOfRefusalsIsWrittenAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		r := newRefusals(book.logger())
		for i := range refusalLines + 3 {
			r.refused("x", fmt.Errorf("y %d", i))
		}
		r.close()
		r.close()
		if got := book.with("count=3"); len(got) != 1 {
			t.Fatal(book.with())
		}
	})
}

func TestSameRefusalIsAWarningOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		r := newRefusals(book.logger())
		defer r.close()
		for i := range 100 { // a peer that redials
			r.refused(fmt.Sprint("10.0.0.1:", i), errors.New("wrong key"))
			time.Sleep(5 * time.Second)
		}
		r.refused("10.0.0.2:1", errors.New("wrong key"))
		r.refused("10.0.0.1:1", errors.New("no greeting"))
		if len(book.with("WARN")) != 3 || len(book.with("DEBUG", "again")) != 99 {
			t.Fatal(book.with())
		}
		time.Sleep(refusalQuiet)
		r.refused("10.0.0.1:1", errors.New("wrong key"))
		if len(book.with("WARN")) != 4 {
			t.Fatal(book.with())
		}
		for i := range 1000 { // what is remembered is bounded
			r.refused("10.0.0.1:1", fmt.Errorf("no greeting %d", i))
			time.Sleep(time.Second)
		}
		if len(r.told) > refusalsKept {
			t.Errorf("%d remembered", len(r.told))
		}
	})
}

func TestClosedWithoutAByteIsNoWarning(t *testing.T) {
	var book logbook
	r := newRefusals(book.logger())
	for range 100 {
		r.refused("x", fmt.Errorf("open: %w", errNoBytes))
	}
	if len(book.with("DEBUG")) != 100 || len(book.with()) != 100 {
		t.Fatal(book.with())
	}
}
