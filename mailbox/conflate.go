package mailbox

import (
	"github.com/troupe-go/troupe/internal/queue"
	"github.com/troupe-go/troupe/internal/zmtp"
)

// conflatesSent says whether each peer's queue of what is to be sent keeps the newest message alone. (A SUB's and an
// XSUB's hold subscriptions, of which each counts.)
func (s *Socket) conflatesSent() bool {
	return s.cfg.Conflate && (s.typ == Push || s.typ == Pub || s.typ == Dealer)
}

// conflatesReceived says whether each connection's queue of what came in keeps the newest message alone.
func (s *Socket) conflatesReceived() bool {
	return s.cfg.Conflate && (s.typ == Pull || s.typ == Sub || s.typ == Dealer)
}

// newest puts msg in the place of what is in the inbox of in.
func (p *peer) newest(in *inlet, inbox *queue.Queue[[][]byte], msg [][]byte) {
	in.quota.used.Add(int64(zmtp.Footprint(msg)))
	old, wake, err := inbox.Replace(msg)
	if err != nil { // can't be: the reader closes it
		return
	}
	for _, msg := range old {
		in.quota.give(zmtp.Footprint(msg))
	}
	p.s.drop(p, Replaced, len(old))
	if wake {
		p.s.in.wake(in)
	}
}
