package node

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Peer is what a node knows of another one.
type Peer struct {
	Name        string
	Up          bool      // there is a link, or there was one less than half of Config.Down ago
	Incarnation uuid.UUID // the last that is known; zero: none
	Address     string    // of the other end of the link; "" if there is none
	Queued      int       // messages that it has not acknowledged, those that are not sent among them
	Bytes       int64     // in these
}

// Peers returns the other nodes that this one knows, by name: those of Config.Peers, those with which there is or was a
// link until lately, and those that are looked for, because something was sent there. See also [actor.PeerUp] and [actor.PeerDown].
func (n *Node) Peers() []Peer {
	var list []Peer
	for _, p := range n.peers.all() {
		list = append(list, p.state())
	}
	slices.SortFunc(list, func(a, b Peer) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (p *peer) state() Peer {
	s := Peer{Name: p.name}
	p.out.mu.Lock()
	s.Incarnation, s.Queued, s.Bytes = p.out.incarnation, p.out.count, p.out.bytes
	p.out.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Up = p.up; p.link != nil {
		s.Address = p.link.conn.Peer().Address
	}
	return s
}

// arrived notes that there is a link with the peer.
func (n *Node) arrived(p *peer, incarnation uuid.UUID) {
	p.verdict.Lock()
	defer p.verdict.Unlock()
	p.mu.Lock()
	p.silence.Stop()
	already := p.up
	p.linked, p.up, p.missing = true, true, false
	p.mu.Unlock()
	if !already {
		n.system.NodeUp(p.name, incarnation)
	}
}

// expect has the peer taken for down unless there is a link within a time.
func (n *Node) expect(p *peer, within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silence != nil {
		p.silence.Stop()
	}
	if !p.missing && !n.peers.closed.Load() {
		p.silence = time.AfterFunc(within, func() { n.missed(p) })
	}
}

// missed is called when there was no link with the peer for too long.
func (n *Node) missed(p *peer) {
	p.verdict.Lock()
	defer p.verdict.Unlock()
	if p.present() == nil {
		n.log.Log(context.Background(), n.level(p, slog.LevelWarn, &n.complaints), "peer is down", "peer", p.name)
		n.taken(p, p.out.known())
	}
}

// down notes that an incarnation of the peer has ended, or is not to be reached. Those who watch its actors hear of it.
func (n *Node) down(p *peer, incarnation uuid.UUID) {
	p.verdict.Lock()
	defer p.verdict.Unlock()
	n.taken(p, incarnation)
}

func (n *Node) taken(p *peer, incarnation uuid.UUID) {
	p.mu.Lock()
	already, linked := p.missing, p.linked
	p.up, p.missing = linked, !linked
	p.mu.Unlock()
	if !already {
		n.system.NodeDown(p.name, incarnation)
	}
	if linked { // what was between the two is over, but they go on
		n.system.NodeUp(p.name, p.out.known())
	}
}

// unlink notes that l, if it is the link, is not up any more.
func (p *peer) unlink(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link == l {
		p.linked = false
	}
}

// unreachable reports whether the peer is down.
func (p *peer) unreachable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.missing
}
