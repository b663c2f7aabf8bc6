package pubsub

import (
	"log/slog"
	"strings"
	"time"
)

// pauses is a log for what peers do, who may do it often: a line in ten seconds. Its user has a lock.
type pauses struct {
	log  *slog.Logger
	last time.Time
}

func (p *pauses) warn(what, why string) {
	const pause = 10 * time.Second
	now := time.Now()
	if p.last.IsZero() || now.Sub(p.last) >= pause {
		p.last = now
		p.log.Warn(what, "why", brief(why))
	}
}

// brief shortens what a peer said for a text.
func brief(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "?") + "..."
	}
	return strings.ToValidUTF8(s, "?")
}
