package gossip

import (
	"bytes"
	"log"
	"log/slog"
	"sync"
	"time"
)

const (
	warnWindow = 10 * time.Second // in which
	warnLines  = 5                // so many of memberlist's warnings are logged as such
)

// logger writes what memberlist logs. Of many warnings most become debug lines: anybody who reaches the port can cause
// them.
type logger struct {
	log *slog.Logger

	mu    sync.Mutex
	since time.Time // when the window began
	lines int       // warnings in it
}

func newLogger(to *slog.Logger) *log.Logger { return log.New(&logger{log: to}, "", 0) }

// Write takes one line, "[WARN] memberlist: ...".
func (l *logger) Write(line []byte) (int, error) {
	text := bytes.TrimSpace(line)
	level, rest, ok := bytes.Cut(text, []byte("] "))
	if !ok {
		level, rest = nil, text
	}
	rest = bytes.TrimPrefix(rest, []byte("memberlist: "))
	warn := string(level) == "[WARN" || string(level) == "[ERR"
	if bytes.HasPrefix(rest, []byte("Conflicting address")) {
		warn = false // NotifyConflict says it
	}
	if warn && l.room() {
		l.log.Warn("gossip: " + string(rest))
	} else {
		l.log.Debug("gossip: " + string(rest))
	}
	return len(line), nil
}

func (l *logger) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= warnWindow {
		l.since, l.lines = now, 0
	}
	l.lines++
	return l.lines <= warnLines
}
