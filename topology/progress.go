package topology

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress shows how far a run is, on a terminal: one line, drawn over itself. What is logged goes through it, so that
// the two don't mix.
type progress struct {
	terminal io.Writer

	mu    sync.Mutex
	shown string // the line that is drawn
}

// drawEvery is how often the line is drawn.
const drawEvery = 200 * time.Millisecond

// eraseLine is what makes a terminal forget the line that its cursor is in.
const eraseLine = "\r\x1b[K"

// isTerminal reports whether a file is one that somebody looks at, and not a file or pipe.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Write writes what is logged, above the line.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown != "" {
		io.WriteString(p.terminal, eraseLine)
	}
	n, err := p.terminal.Write(b)
	io.WriteString(p.terminal, p.shown)
	return n, err
}

// draw replaces the line.
func (p *progress) draw(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if line == p.shown {
		return
	}
	p.shown = line
	io.WriteString(p.terminal, eraseLine+line)
}

// show draws the state of a run until stop is called.
func (p *progress) show(ts *tallies) (stop func()) {
	over, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		defer p.draw("")
		ticks := time.NewTicker(drawEvery)
		defer ticks.Stop()
		var r rate
		for {
			select {
			case <-over:
				return
			case now := <-ticks.C:
				p.draw(state(ts.sums(), &r, now))
			}
		}
	}()
	return func() {
		close(over)
		<-gone
	}
}

// rate is how many are done per second, over the last few draws.
type rate struct {
	at   [6]time.Time
	done [6]int64
	n    int
}

func (r *rate) add(now time.Time, done int64) float64 {
	i := r.n % len(r.at)
	since, before := r.at[i], r.done[i]
	if r.n < len(r.at) {
		since, before = r.at[0], r.done[0]
	}
	r.at[i], r.done[i] = now, done
	r.n++
	if since.IsZero() || !now.After(since) {
		return 0
	}
	return float64(done-before) / now.Sub(since).Seconds()
}

// state is the line: what the finishing roles have of what the sources sent, how fast, and what each worker did.
func state(sums []sum, r *rate, now time.Time) string {
	var sent, done int64
	over, finishers := true, false
	var workers []string
	for _, s := range sums {
		switch s.class {
		case source:
			sent += s.done
			over = over && s.over
		case finishing:
			done += s.done
			finishers = true
		default:
			workers = append(workers, s.role+" "+each(s.each))
		}
	}
	if !finishers || sent == 0 {
		return ""
	}
	line := fmt.Sprintf("%d of %d+", done, sent)
	if over {
		line = fmt.Sprintf("%s %d of %d", bar(done, sent), done, sent)
	}
	line += fmt.Sprintf("  %.0f/s", r.add(now, done))
	for _, w := range workers {
		line += "  " + w
	}
	return line
}

// bar is twenty signs, of which as many are full as of all are done.
func bar(done, all int64) string {
	const width = 20
	full := int(min(done, all) * width / max(all, 1))
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", width-full) + "]"
}

// each is what the instances of a role did: one by one if they are few.
func each(done []int64) string {
	if len(done) <= 8 {
		return strings.Trim(fmt.Sprint(done), "[]")
	}
	least, most := done[0], done[0]
	for _, n := range done {
		least, most = min(least, n), max(most, n)
	}
	return fmt.Sprintf("%d to %d each of %d", least, most, len(done))
}
