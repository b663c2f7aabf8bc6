package node

import (
	"log/slog"
	"sync"
	"time"
)

const (
	complaintWindow = 10 * time.Second // in which
	complaintLines  = 5                // so many connections that were refused or ended get a line of their own
)

// complaints logs connections that were ended because of what the peer sent. When there are many of them most are only
// counted.
type complaints struct {
	log *slog.Logger

	mu     sync.Mutex
	since  time.Time // when the window began
	lines  int       // written in it
	hidden int       // not written since the last line
}

func (c *complaints) report(remote string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.since.IsZero() || now.Sub(c.since) >= complaintWindow {
		c.since, c.lines = now, 0
	}
	if c.lines == complaintLines {
		c.hidden++
		return
	}
	c.lines++
	c.log.Warn("link refused", "remote", remote, "reason", err, "not_logged_before", c.hidden)
	c.hidden = 0
}
