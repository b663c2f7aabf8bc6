package zmtp

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// errNoBytes is wrapped by Open's error when the peer closed the connection before it sent anything: a port scan, a
// health check, a probe. That is no reason to disturb anybody.
var errNoBytes = errors.New("zmtp: closed without a byte")

const (
	refusalWindow = 10 * time.Second // in which
	refusalLines  = 10               // so many refusals get a line of their own
	refusalQuiet  = 10 * time.Minute // in which one for the same reason, from the same host, is no news
	refusalsKept  = 64               // that are remembered
)

// refusals logs connections that were refused or that ended because the peer broke the protocol: within ten seconds
// the first few each in a line, the rest in one line with their number. A peer that comes over and over, and is refused
// for the same reason, gets its line once in ten minutes. One is shared by all connections of a listener.
type refusals struct {
	log *slog.Logger

	mu     sync.Mutex
	timer  *time.Timer // ends the window; nil: none is open
	lines  int         // written in this window
	hidden int         // not written in this window
	last   error       // the last of those
	told   map[string]time.Time
}

func newRefusals(log *slog.Logger) *refusals {
	if log == nil {
		log = slog.Default()
	}
	return &refusals{log: log}
}

// refused reports a connection that ended in its handshake.
func (r *refusals) refused(remote string, err error) {
	if errors.Is(err, errNoBytes) {
		r.log.Debug("connection closed without a byte", "remote", remote, "reason", err)
		return
	}
	r.report("connection refused", remote, err)
}

// ended reports a connection that was ended after its handshake because of what the peer sent.
func (r *refusals) ended(remote string, err error) {
	r.report("connection ended", remote, err)
}

func (r *refusals) report(what, remote string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, _, _ := net.SplitHostPort(remote)
	reason, now := from+" "+err.Error(), time.Now()
	if now.Sub(r.told[reason]) < refusalQuiet {
		r.log.Debug(what+" again", "remote", remote, "reason", err)
		return
	}
	if r.timer == nil {
		r.timer = time.AfterFunc(refusalWindow, r.close)
	}
	if r.lines == refusalLines {
		r.hidden++
		r.last = err
		return
	}
	r.lines++
	if r.told == nil || len(r.told) == refusalsKept {
		r.told = make(map[string]time.Time)
	}
	r.told[reason] = now
	r.log.Warn(what, "remote", remote, "reason", err)
}

// close ends the window and says how many refusals had no line of their own. The next refusal opens a new window.
func (r *refusals) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		return
	}
	r.timer.Stop()
	if r.hidden > 0 {
		r.log.Warn("more connections refused", "count", r.hidden, "last_reason", r.last)
	}
	r.timer, r.lines, r.hidden, r.last = nil, 0, 0, nil
}
