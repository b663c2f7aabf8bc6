package node

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	logWindow      = 10 * time.Second // in which
	complaintLines = 5                // so many connections that were refused or ended get a line of their own,
	strangerLines  = 50               // and so many come and go of nodes that are not in Config.Peers
)

// budget bounds what others can have written to the log.
type budget struct {
	lines int

	mu     sync.Mutex
	since  time.Time // when the window began
	spent  int       // lines in it
	hidden int       // not written since the last line
}

// spend reports whether a line may be written, and how many were not since the last one.
func (b *budget) spend() (hidden int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); b.since.IsZero() || now.Sub(b.since) >= logWindow {
		b.since, b.spent = now, 0
	}
	if b.spent == b.lines {
		b.hidden++
		return 0, false
	}
	b.spent++
	hidden, b.hidden = b.hidden, 0
	return hidden, true
}

// complain logs that a connection was ended because of what the peer sent. When there are many of them most are only
// counted, and a peer that comes again and again, and is refused for the same reason, is no news.
func (n *Node) complain(remote string, err error) {
	host, _, _ := net.SplitHostPort(remote)
	what := host + " " + err.Error()
	if !n.said.news(what) {
		n.log.Debug("link refused again", "remote", remote, "reason", err)
	} else if hidden, ok := n.complaints.spend(); ok {
		n.said.add(what)
		n.log.Warn("link refused", "remote", remote, "reason", err, "not_logged_before", hidden)
	}
}

// said is what the log has had lately.
type said struct {
	mu   sync.Mutex
	when map[string]time.Time
}

const (
	saidQuiet = 10 * time.Minute // in which it is not said again
	saidKept  = 64               // lines that are remembered; then it begins anew
)

func (s *said) news(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.when[what]) >= saidQuiet
}

func (s *said) add(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.when == nil || len(s.when) == saidKept {
		s.when = make(map[string]time.Time)
	}
	s.when[what] = time.Now()
}

// tell logs what happens to a link. Of nodes that are not in Config.Peers, which may come and go as they like, only so
// much is of interest.
func (l *link) tell(what string, args ...any) {
	n := l.node
	n.log.Log(context.Background(), n.level(l.peer, slog.LevelInfo, &n.strangers), what, append(args, "peer", l.peer.name, "remote", l.conn.Peer().Address)...)
}

// level is that of a line about a peer: it is for debugging if the peer is not expected and the budget is spent.
func (n *Node) level(p *peer, level slog.Level, b *budget) slog.Level {
	if p.expected() {
		return level
	}
	if _, ok := b.spend(); !ok {
		return slog.LevelDebug
	}
	return level
}

// modest is a log of what becomes of hearsay: beyond a budget all lines are for debugging.
type modest struct {
	slog.Handler
	budget *budget
}

func (m modest) Handle(ctx context.Context, r slog.Record) error {
	if r.Level <= slog.LevelDebug {
		return m.Handler.Handle(ctx, r)
	}
	if _, ok := m.budget.spend(); !ok {
		if r.Level = slog.LevelDebug; !m.Enabled(ctx, r.Level) {
			return nil
		}
	}
	return m.Handler.Handle(ctx, r)
}

func (m modest) WithAttrs(attrs []slog.Attr) slog.Handler {
	return modest{m.Handler.WithAttrs(attrs), m.budget}
}

func (m modest) WithGroup(name string) slog.Handler {
	return modest{m.Handler.WithGroup(name), m.budget}
}
