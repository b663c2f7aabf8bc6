package mailbox

import "github.com/troupe-go/troupe/internal/zmtp"

// conflatesSent says whether each peer's queue of what is to be sent keeps the newest message alone. (A SUB's and an
// XSUB's hold subscriptions, of which each counts.)
func (s *Socket) conflatesSent() bool {
	return s.cfg.Conflate && (s.typ == Push || s.typ == Pub || s.typ == Dealer)
}

// conflatesReceived says whether each connection's queue of what came in keeps the newest message alone.
func (s *Socket) conflatesReceived() bool {
	return s.cfg.Conflate && (s.typ == Pull || s.typ == Sub || s.typ == Dealer)
}

// newest puts the last message of batches in the place of what is in the inbox of in.
func (p *peer) newest(in *inlet, batches []zmtp.Batch) {
	old := count(batches) - 1
	var lists zmtp.Lists
	var newest [][]byte
	for i := range batches {
		for batches[i].Len() > 0 {
			newest = batches[i].Next(&lists, 0)
		}
	}
	older, wake := in.inbox.replace(zmtp.Single(newest))
	p.s.drop(p, Replaced, old+older)
	if wake {
		p.s.in.wake(in)
	}
}
