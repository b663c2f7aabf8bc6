package mailbox

import "sync/atomic"

// Reason says why a message was dropped.
type Reason string

// Why messages are dropped.
const (
	NoPeer     Reason = "no peer"         // nobody has the identity that it is for, or its requester is gone
	Full       Reason = "full"            // the peer had no room
	Lost       Reason = "connection lost" // it was queued for a connection, or left behind by one, that ended
	Unexpected Reason = "unexpected"      // it is no reply, no request, or nothing that was subscribed to
	Skipped    Reason = "skipped"         // Skip
	Replaced   Reason = "replaced"        // a newer one took its place: Config.Conflate
)

// drops counts dropped messages.
type drops struct {
	noPeer, full, lost, unexpected, skipped, replaced atomic.Uint64
}

func (d *drops) of(r Reason) *atomic.Uint64 {
	switch r {
	case NoPeer:
		return &d.noPeer
	case Full:
		return &d.full
	case Lost:
		return &d.lost
	case Unexpected:
		return &d.unexpected
	case Skipped:
		return &d.skipped
	}
	return &d.replaced
}

// addTo adds those that are not zero to all.
func (d *drops) addTo(all map[Reason]uint64) {
	for _, r := range []Reason{NoPeer, Full, Lost, Unexpected, Skipped, Replaced} {
		if n := d.of(r).Load(); n > 0 {
			all[r] += n
		}
	}
}

// drop counts n messages to or from p, which may be nil, as dropped.
func (s *Socket) drop(p *peer, r Reason, n int) {
	if n == 0 {
		return
	}
	s.dropped.of(r).Add(uint64(n))
	if p != nil {
		p.dropped.of(r).Add(uint64(n))
	}
}
