package node

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/mailbox"
)

// peer is another node: configured, or known because it dialled us.
type peer struct {
	name    string
	address mailbox.Endpoint // zero: not configured, it dials us
	out     outbox

	prefixes prefixes
	parts    assembly // of the reader of its link

	verdict sync.Mutex // held while the System is told that the peer is up or down

	mu       sync.Mutex
	link     *link       // the one that is up, or being set up
	pending  bool        // our HELLO is on the way
	kept     bool        // the Discovery lists it
	resolved *target     // dials it where other peers say that it is
	refused  string      // why the peer refused us last, so that it is logged once
	links    int         // that it has accepted
	linked   bool        // link is up
	up       bool        // there is a link, or was one lately
	missing  bool        // there has been none for too long
	silence  *time.Timer // until it is missing
}

// listed reports whether the peer is configured.
func (p *peer) listed() bool { return p.address != (mailbox.Endpoint{}) }

// expected reports whether the peer is configured, or listed by the Discovery.
func (p *peer) expected() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept || p.listed()
}

// beginHello notes that our HELLO is on the way, unless there is a link or it is on the way on another connection.
func (p *peer) beginHello() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link != nil || p.pending {
		return false
	}
	p.pending = true
	return true
}

func (p *peer) endHello() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending = false
}

// present returns the link that there is, if any.
func (p *peer) present() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.link
}

// accepted notes that the peer has accepted a link.
func (p *peer) accepted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = ""
	p.links++
}

// acceptedLinks returns how many links the peer has accepted.
func (p *peer) acceptedLinks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links
}

// refusedAgain notes that it refused one, and reports whether it did so for the same reason before.
func (p *peer) refusedAgain(reason string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	again := p.refused == reason
	p.refused = reason
	return again
}

// respite returns, once, for how long a peer without a name need not be dialled, because of how it was refused.
func (p *peer) respite() (d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.refused {
	case byeSelf:
		d = selfPause
	case byeDuplicate:
		d = duplicatePause
	}
	if d > 0 {
		p.refused = ""
	}
	return d
}

// part takes leave of the peer, which has until ctx ends, and a little more, to read what was written.
func (p *peer) part(ctx context.Context) {
	p.out.close()
	if l := p.present(); l != nil {
		l.part(ctx)
	}
}

// peers is the table of the nodes that are known, by name.
type peers struct {
	mu     sync.RWMutex
	table  map[string]*peer
	leaves map[*peer]*time.Timer // those that are about to be forgotten
	closed atomic.Bool

	forgetful atomic.Bool // one was forgotten that something has come from
}

func (ps *peers) init() {
	ps.table = make(map[string]*peer)
	ps.leaves = make(map[*peer]*time.Timer)
}

// get returns nil if no such node is known.
func (ps *peers) get(name string) *peer {
	ps.mu.RLock()
	defer ps.mu.RUnlock()
	return ps.table[name]
}

// all returns every peer.
func (ps *peers) all() []*peer {
	ps.mu.RLock()
	defer ps.mu.RUnlock()
	return ps.list()
}

// claimed returns the peer of that name with its mutex locked, made with create if it is not known. It returns nil
// once the table is closed.
func (ps *peers) claimed(name string, create func(name string) *peer) *peer {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.closed.Load() {
		return nil
	}
	p := ps.table[name]
	if p == nil {
		p = create(name)
		ps.table[name] = p
	}
	if t := ps.leaves[p]; t != nil {
		t.Stop()
		delete(ps.leaves, p)
	}
	p.mu.Lock()
	return p
}

// keep is like claimed, but the peer is not locked: it is not forgotten until it is dropped.
func (ps *peers) keep(name string, create func(name string) *peer) *peer {
	p := ps.claimed(name, create)
	if p != nil {
		p.kept = true
		p.unresolve()
		p.mu.Unlock()
	}
	return p
}

// drop lets a peer be forgotten.
func (ps *peers) drop(p *peer, d time.Duration) {
	p.mu.Lock()
	p.kept = false
	p.mu.Unlock()
	ps.forgetAfter(p, d)
}

// forgetAfter removes a peer that is not configured or kept, and that has no link and nothing queued by then, and is down. While there
// is a link nothing needs to be done: it is called again when that ends.
func (ps *peers) forgetAfter(p *peer, d time.Duration) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p.mu.Lock()
	stays := p.kept || p.link != nil
	p.mu.Unlock()
	if stays || p.listed() || ps.closed.Load() || ps.table[p.name] != p {
		return
	}
	if t := ps.leaves[p]; t != nil {
		t.Stop()
	}
	ps.leaves[p] = time.AfterFunc(d, func() { ps.forget(p, d) })
}

func (ps *peers) forget(p *peer, d time.Duration) {
	ps.mu.Lock()
	p.mu.Lock()
	gone := ps.table[p.name] == p && p.link == nil && !p.kept && !p.up && p.out.retire()
	if gone {
		if !p.out.unheard {
			ps.forgetful.Store(true)
		}
		p.silence.Stop()
		p.unresolve()
		delete(ps.table, p.name)
		delete(ps.leaves, p)
	}
	p.mu.Unlock()
	ps.mu.Unlock()
	if !gone { // it is looked at again then
		ps.forgetAfter(p, d)
	}
}

// close lets no peer be added or forgotten any more, and returns those there are.
func (ps *peers) close() []*peer {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.closed.Store(true)
	for _, t := range ps.leaves {
		t.Stop()
	}
	ps.leaves = nil
	list := ps.list()
	for _, p := range list {
		p.mu.Lock()
		p.silence.Stop()
		p.mu.Unlock()
	}
	return list
}

func (ps *peers) list() []*peer { return slices.Collect(maps.Values(ps.table)) }
