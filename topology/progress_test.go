package topology

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressShowsWhatIsDoneOfHowMuchHowFastAndByWhom(t *testing.T) {
	var ts tallies
	vent := ts.add(&role{name: "vent", class: source}, 0)
	sink := ts.add(&role{name: "sink", class: finishing}, 0)
	one, two := ts.add(&role{name: "work", class: serving}, 0), ts.add(&role{name: "work", class: serving}, 1)
	var r rate
	now := time.Now()
	see := func(want string) {
		t.Helper()
		if got := state(ts.sums(), &r, now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		now = now.Add(time.Second)
	}
	see("")
	vent.Done.Store(100)
	see("0 of 100+  0/s  work 0 0")
	sink.Done.Store(50)
	one.Done.Store(20)
	two.Done.Store(30)
	vent.Over.Store(true)
	see("[##########----------] 50 of 100  50/s  work 20 30")
}

func TestProgressGivesWayToTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var terminal bytes.Buffer
		p := &progress{terminal: &terminal}
		log := slog.New(slog.NewTextHandler(p, nil))
		var ts tallies
		ts.add(&role{name: "vent", class: source}, 0).Done.Store(5)
		ts.add(&role{name: "sink", class: finishing}, 0)
		stop := p.show(&ts)
		time.Sleep(drawEvery + 1)
		log.Info("a line")
		stop()
		parts := strings.Split(terminal.String(), eraseLine)
		if len(parts) != 4 || parts[1] != "0 of 5+  0/s" || !strings.HasSuffix(parts[2], "\"a line\"\n0 of 5+  0/s") || parts[3] != "" {
			t.Errorf("the terminal got %q", parts)
		}
	})
}

func TestATallyIsReadAsItWasWritten(t *testing.T) {
	var a, b tally
	a.Done.Store(1)
	a.Failed.Store(2)
	a.Retried.Store(3)
	a.Dropped.Store(4)
	a.Over.Store(true)
	if err := b.read(a.line()); err != nil || b.line() != a.line() {
		t.Errorf("%q is read as %q, %v", a.line(), b.line(), err)
	}
	if b.read("1 2 x") == nil {
		t.Error("nonsense is read")
	}
}
