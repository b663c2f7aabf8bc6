package node

import (
	"context"
	"log/slog"
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
// counted.
func (n *Node) complain(remote string, err error) {
	if hidden, ok := n.complaints.spend(); ok {
		n.log.Warn("link refused", "remote", remote, "reason", err, "not_logged_before", hidden)
	}
}

// tell logs what happens to a link. Of nodes that are not in Config.Peers, which may come and go as they like, only so
// much is of interest.
func (l *link) tell(what string, args ...any) {
	n, level := l.node, slog.LevelInfo
	if !l.peer.expected() {
		if _, ok := n.strangers.spend(); !ok {
			level = slog.LevelDebug
		}
	}
	n.log.Log(context.Background(), level, what, append(args, "peer", l.peer.name, "remote", l.conn.Peer().Address)...)
}
