package mailbox

import (
	"maps"
	"slices"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Traffic counts messages, and bytes: those in their frames, without what ZMTP adds. The empty frame of a REQ or REP and
// a SUB's subscriptions to another process count as sent; an XPUB's notices of subscriptions do not count as received.
type Traffic struct {
	Sent, SentBytes         uint64 // written to connections or, within the process, taken by the other end
	Received, ReceivedBytes uint64 // given to Recv
	Queued                  int    // messages that wait to be sent; also those for the other end in this process
	Waiting                 int    // messages that wait for Recv
}

// Stats is what a socket has done since it was made, with peers that are gone too.
type Stats struct {
	Traffic
	Dropped map[Reason]uint64 // messages, in both directions; a reason that did not occur is absent
	Peers   []PeerStats       // where Connect leads, and accepted connections, in no order
}

// PeerStats is what a socket has done with one peer.
type PeerStats struct {
	Endpoint  Endpoint   // where Connect leads; the zero value if the connection was accepted
	Remote    string     // the address of the other end of the last connection, if it has one
	Type      SocketType // of that one
	Identity  []byte     // of that one, if it gave itself one; at a ROUTER, what Recv puts before its messages
	Connected bool       // whether there is a connection
	Since     time.Time  // the connection was made, or lost; the zero value if there was none yet
	Traffic
	Dropped map[Reason]uint64
}

// Stats returns the socket's counters. It may be called at any time, and often: it stops nobody. Once nothing moves, what
// one end sent is what the other received, has waiting and has dropped, and what was given to Send is what was sent, is
// queued and was dropped. What had been written to a connection that broke is the exception: nobody knows.
func (s *Socket) Stats() Stats {
	st := Stats{Dropped: make(map[Reason]uint64)}
	s.mu.Lock()
	past := s.past
	peers := slices.Collect(maps.Keys(s.peers))
	st.Peers = make([]PeerStats, len(peers))
	for i, p := range peers {
		st.Peers[i] = p.stats()
	}
	s.mu.Unlock()
	st.Sent, st.SentBytes = past.sent, past.sentBytes
	s.dropped.addTo(st.Dropped)
	if past.replaced > 0 {
		st.Dropped[Replaced] += past.replaced
	}
	s.in.stats(&st, peers)
	for i := range st.Peers {
		ps := &st.Peers[i]
		st.Sent += ps.Sent
		st.SentBytes += ps.SentBytes
		st.Queued += ps.Queued
		if n := peers[i].out.Replaced(); n > 0 {
			st.Dropped[Replaced] += n
		}
	}
	return st
}

// past is what peers that are gone were sent.
type past struct{ sent, sentBytes, replaced uint64 }

// retire adds to what p was sent, which is gone. The socket's lock is held.
func (s *Socket) retire(p *peer) {
	sent, bytes := p.out.Sent()
	s.past.sent += sent
	s.past.sentBytes += bytes
	s.past.replaced += p.out.Replaced()
}

// stats is what is known of p, but for what the fair queue knows.
func (p *peer) stats() PeerStats {
	ps := PeerStats{Dropped: make(map[Reason]uint64)}
	if p.dials {
		ps.Endpoint = p.at.Endpoint
	}
	if l := p.link.Load(); l != nil {
		ps.Remote, ps.Type, ps.Identity = l.remote, l.typ, l.identity
		ps.Connected, ps.Since = l.up, l.since
	}
	ps.Sent, ps.SentBytes = p.out.Sent()
	ps.Queued = p.out.Len()
	if p.near != nil { // which has those in Len that the other end took and did not give to Recv
		ps.Queued = p.near.Queued()
	}
	p.dropped.addTo(ps.Dropped)
	if n := p.out.Replaced(); n > 0 {
		ps.Dropped[Replaced] += n
	}
	return ps
}

// link is what is known of a peer's connection, or, if that is not up, of the last one. It is not changed.
type link struct {
	remote   string
	typ      SocketType
	identity []byte
	up       bool
	since    time.Time
}

// linked notes that p has a connection: in is what comes in over it.
func (p *peer) linked(in *inlet, identity []byte) {
	l := &link{typ: in.typ, identity: identity, up: true, since: time.Now()}
	if in.wire {
		l.remote = in.conn.Peer().Address
	}
	p.link.Store(l)
}

// unlinked notes that p has none any more.
func (p *peer) unlinked() {
	if l := p.link.Load(); l != nil {
		last := *l
		last.up, last.since = false, time.Now()
		p.link.Store(&last)
	}
}

// receipts counts what Recv got.
type receipts struct{ messages, bytes uint64 }

func (r *receipts) add(messages int, bytes int) {
	r.messages += uint64(messages)
	r.bytes += uint64(bytes)
}

// stats completes st, whose Peers are those of peers.
func (q *fairQueue) stats(st *Stats, peers []*peer) {
	at := make(map[*peer]*PeerStats, len(peers))
	for i, p := range peers {
		at[p] = &st.Peers[i]
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	st.Received, st.ReceivedBytes = q.got.messages, q.got.bytes
	for p, ps := range at {
		ps.Received, ps.ReceivedBytes = p.got.messages, p.got.bytes
	}
	for in := range q.inlets {
		n := in.waiting()
		st.Waiting += n
		if ps := at[in.peer]; ps != nil {
			ps.Waiting += n
		}
	}
}

// reject drops msg, which Recv took from in and did not want.
func (s *Socket) reject(in *inlet, msg [][]byte, r Reason) {
	s.in.mu.Lock()
	n := zmtp.Payload(msg)
	s.in.got.add(-1, -n)
	in.peer.got.add(-1, -n)
	s.in.mu.Unlock()
	s.drop(in.peer, r, 1)
}
