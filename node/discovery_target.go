package node

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/zmtp"
	"github.com/troupe-go/troupe/mailbox"
)

const (
	selfPause      = 10 * time.Minute // until an address at which this node found itself is tried again
	duplicatePause = time.Minute      // and one at which an unknown node is that has a link
)

// target is a node that the Discovery lists, with its name, or only the endpoints at which somebody may be found; or one
// that peers have told of.
type target struct {
	node     *Node
	name     string // empty: found by endpoints alone
	peer     *peer  // of that name, or one that stands in until the name is known
	routes   routes
	kinds    []string
	dialling bool      // run was started
	secret   *dialling // nil: links are plain
	met      atomic.Pointer[meeting]
	log      *slog.Logger
	gone     chan struct{} // closed when it is not to be dialled any more
}

// meeting is a connection that a target has made last, and with whom.
type meeting struct {
	peer *peer
	conn *zmtp.Conn
}

// newTarget returns nil if the node closes.
func (n *Node) newTarget(name string) *target {
	if name == "" {
		return n.targetOf(n.unlisted(""))
	}
	p := n.peers.keep(name, n.unlisted)
	if p == nil {
		return nil
	}
	return n.targetOf(p)
}

func (n *Node) targetOf(p *peer) *target {
	t := &target{node: n, name: p.name, peer: p, log: n.log, gone: make(chan struct{})}
	t.routes.network = n.cfg.Network
	return t
}

// configured reports whether Config.Peers has this node, so that it is dialled already.
func (t *target) configured() bool { return t.peer.address != (mailbox.Endpoint{}) }

// remove lets the node be forgotten once its link, if there is one, has ended. It is not dialled any more.
func (t *target) remove() {
	close(t.gone)
	if t.name != "" {
		t.node.peers.drop(t.peer, t.node.cfg.Expire)
	}
}

// run dials until the target is gone or the node closes. A link that there is then lives on.
func (t *target) run(address string) {
	n := t.node
	cfg := n.zmtp(zmq4.Dealer)
	cfg.Network, cfg.Log = &t.routes, t.log
	if n.cfg.Security != nil {
		t.secret = n.dialling(t.name)
		cfg.Security = t.secret
	}
	d := zmtp.Dial(cfg, t.routes.kind(), address, t.serve)
	select {
	case <-t.gone:
		d.Rest()
		if m := t.met.Load(); m != nil {
			if l := m.peer.present(); l != nil && l.conn == m.conn {
				n.await(l)
			}
		}
	case <-n.closing:
	}
	d.Close()
}

// serve serves a connection to the target.
func (t *target) serve(conn *zmtp.Conn) {
	n, p := t.node, t.peer
	name := string(conn.Peer().Identity)
	if err := t.secret.met(name); err != nil {
		n.complain(conn.Peer().Address, err)
		conn.Close()
		return
	}
	if t.name == "" {
		p = n.named(name, p)
		defer n.peers.forgetAfter(p, n.cfg.Expire)
	}
	if l := p.present(); l != nil { // another connection is
		conn.Close()
		t.await(l)
	} else {
		before := p.acceptedLinks()
		t.met.Store(&meeting{p, conn})
		n.dialler(p)(conn)
		if p.acceptedLinks() > before {
			t.routes.stay()
		}
	}
	if t.name == "" {
		t.rest(t.peer.respite())
	}
}

// await returns when a link is over, or the target gone.
func (t *target) await(l *link) {
	select {
	case <-l.done:
	case <-t.gone:
	case <-t.node.closing:
	}
}

// named returns the peer that calls itself by a name in the handshake, or else the one that stands in.
func (n *Node) named(name string, standIn *peer) *peer {
	if name == n.name || checkNode(name) != nil {
		return standIn
	}
	p := n.peers.claimed(name, n.unlisted)
	if p == nil { // the node closes
		return standIn
	}
	p.mu.Unlock()
	return p
}

// rest waits for a time, or until the target is gone.
func (t *target) rest(d time.Duration) {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-late.C:
	case <-t.gone:
	case <-t.node.closing:
	}
}
