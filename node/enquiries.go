package node

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/mailbox"
)

const (
	featureResolve = "resolve"       // of the peers that can be asked
	resolveTime    = 2 * time.Second // that they have for their answers
	unknownPause   = time.Second     // in which one that nobody knew is not asked for again
	maxSought      = 64              // nodes that are asked for at the same time, or were and nobody knew them
	maxResolved    = 1000            // nodes that are dialled where peers say that they are
	maxRoutes      = 64              // endpoints of one of these
	maxTold        = 8               // of them that one peer has told
)

// enquiries finds the nodes of which this one knows nothing but a PID, which came in a message: it asks all peers where they
// are. What is told to such a node waits in its outbox meanwhile.
type enquiries struct {
	node *Node

	mu       sync.Mutex
	closed   bool
	sought   map[string]*enquiry
	number   uint64 // of the last question
	resolved int    // nodes that are dialled because of an answer
}

// enquiry is where a node is.
type enquiry struct {
	number      uint64
	peer        *peer              // the node
	incarnation uuid.UUID          // in the PID; zero if that is a named one
	open        map[*peer]struct{} // those who have not answered
	endpoints   []mailbox.Endpoint
	unknown     bool // it is over: nobody knew
	timer       *time.Timer
}

// seek returns the peer for the node of a PID, about which others are asked; nil if they were lately and did not know it, or
// there is nobody to ask.
func (r *enquiries) seek(pid actor.PID) *peer {
	name := pid.Node()
	q, peers := r.ask(name, pid.Incarnation())
	for _, p := range peers {
		it := item{frame: appendResolve(nil, q.number, name), expires: ticks() + resolveTime}
		if p.out.push(it, actor.PID{}, false, 0) != nil {
			r.answered(p, q.number, &whereabouts{node: name})
		}
	}
	if q == nil {
		return nil
	}
	return q.peer
}

// ask returns the question about a node, and whom to ask if it is a new one.
func (r *enquiries) ask(name string, incarnation uuid.UUID) (*enquiry, []*peer) {
	n := r.node
	r.mu.Lock()
	defer r.mu.Unlock()
	if q := r.sought[name]; q != nil {
		if q.unknown {
			return nil, nil
		}
		return q, nil
	}
	if r.closed || len(r.sought) == maxSought || checkNode(name) != nil || n.peers.crowded(name, len(n.cfg.peers)) {
		return nil, nil
	}
	peers := n.able(featureResolve)
	if len(peers) == 0 {
		return nil, nil
	}
	p := n.peers.claimed(name, n.unlisted)
	if p == nil { // the node closes
		return nil, nil
	}
	p.mu.Unlock()
	r.number++
	q := &enquiry{number: r.number, peer: p, incarnation: incarnation, open: make(map[*peer]struct{}, len(peers))}
	for _, p := range peers {
		q.open[p] = struct{}{}
	}
	r.sought[name] = q
	q.timer = time.AfterFunc(resolveTime, func() { r.end(q) })
	return q, peers
}

// able returns the peers whose link is up and that have a feature.
func (n *Node) able(feature string) (peers []*peer) {
	for _, p := range n.peers.all() {
		if l := p.present(); l != nil && slices.Contains(l.hello.features, feature) {
			peers = append(peers, p)
		}
	}
	return peers
}

// answered is told what a peer says. It counts if that was asked, and as long as nothing else is known of the node.
func (r *enquiries) answered(by *peer, number uint64, where *whereabouts) {
	r.mu.Lock()
	q := r.sought[where.node]
	if q == nil || q.unknown || q.number != number {
		r.mu.Unlock()
		return
	}
	if _, asked := q.open[by]; asked {
		delete(q.open, by)
		r.learn(q, by, where)
	}
	all := len(q.open) == 0
	r.mu.Unlock()
	if all {
		r.end(q)
	}
}

// learn adds the endpoints of an answer to those at which the node is dialled: a wrong answer is no worse than none. Those
// of the incarnation that is wanted come first.
func (r *enquiries) learn(q *enquiry, by *peer, where *whereabouts) {
	var list []mailbox.Endpoint
	for _, text := range where.endpoints {
		e, err := r.node.dialable(where.node, text)
		if err != nil {
			r.node.log.Debug("endpoint of a node left out", "name", where.node, "told_by", by.name, "reason", err)
		} else if !slices.Contains(q.endpoints, e) && len(list) < min(maxTold, maxRoutes-len(q.endpoints)) {
			list = append(list, e)
		}
	}
	if len(list) == 0 || r.closed {
		return
	}
	if where.incarnation == q.incarnation {
		list = append(list, q.endpoints...)
	} else {
		list = slices.Concat(q.endpoints, list)
	}
	if r.dial(q.peer, list) {
		q.endpoints = list
	}
}

// dial has a node dialled until it is forgotten, unless more is known of it by now. False: too many are already.
func (r *enquiries) dial(p *peer, endpoints []mailbox.Endpoint) bool {
	n, met := r.node, p.met()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.resolved != nil:
		p.resolved.routes.set(endpoints)
	case met || p.kept || p.link != nil:
	case r.resolved == maxResolved:
		return false
	default:
		t := n.targetOf(p)
		t.log = slog.New(modest{n.log.Handler(), &n.complaints})
		t.routes.set(endpoints)
		p.resolved = t
		r.resolved++
		n.search.wg.Go(func() {
			t.run(p.name)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.resolved--
		})
	}
	return true
}

// end ends a question. If nobody knew the node it is forgotten, and what was told to it is given up.
func (r *enquiries) end(q *enquiry) {
	name := q.peer.name
	r.mu.Lock()
	if r.closed || r.sought[name] != q || q.unknown {
		r.mu.Unlock()
		return
	}
	q.timer.Stop()
	found := len(q.endpoints) > 0
	if found {
		delete(r.sought, name)
	} else {
		q.unknown = true
		q.timer = time.AfterFunc(unknownPause, func() { r.forget(name, q) })
	}
	r.mu.Unlock()
	if found {
		r.node.peers.forgetAfter(q.peer, r.node.cfg.Expire)
	} else if r.node.peers.disown(q.peer) {
		q.peer.out.strand()
	}
}

func (r *enquiries) forget(name string, q *enquiry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sought[name] == q {
		delete(r.sought, name)
	}
}

// close lets nobody be sought any more.
func (r *enquiries) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, q := range r.sought {
		q.timer.Stop()
	}
	r.sought = nil
}

// met reports whether there was ever a link with the peer since it is known.
func (p *peer) met() bool { return p.out.known() != uuid.Nil }

// unresolve leaves it to others to dial the peer. Its mutex is held.
func (p *peer) unresolve() {
	if p.resolved != nil {
		close(p.resolved.gone)
		p.resolved = nil
	}
}

// disown forgets a peer of which nothing but its name was ever known, and reports whether it was one.
func (ps *peers) disown(p *peer) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if ps.closed.Load() || ps.table[p.name] != p || p.link != nil || p.kept || p.listed() || p.met() {
		return false
	}
	p.silence.Stop()
	delete(ps.table, p.name)
	return true
}

// strand closes the outbox of a node that nobody knows.
func (o *outbox) strand() {
	o.mu.Lock()
	o.closed = fmt.Errorf("%w: nor does any peer know it", actor.ErrNoNode)
	rest := o.remove(func(*item) bool { return true })
	if o.timer != nil {
		o.timer.Stop()
	}
	o.mu.Unlock()
	o.dropped(rest, uuid.Nil, actor.NoNode)
}
