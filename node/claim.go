package node

// claim is what a node knows when another one says HELLO to it: the state in which it decides whether that connection
// becomes their link. The rules are those of PROTOCOL.md, "One link per pair".
type claim struct {
	self, peer string // names of the two nodes
	pending    bool   // our HELLO to the peer is on the way, on a connection that we dialled
	live       bool   // there is a link with a node of that name
	same       bool   // and it is the same incarnation
	theirs     bool   // and the peer dialled it
}

type verdict int

const (
	accept    verdict = iota // this is the link
	duplicate                // another connection is
	replace                  // the present link is lost to the peer: end it, then decide again
	probe                    // see whether the present link lives; if so the name is taken, else decide again
)

func (c claim) decide() verdict {
	switch {
	case c.live && !c.same:
		return probe
	case c.live && (c.theirs || c.peer < c.self):
		return replace
	case c.live, c.pending && c.self < c.peer:
		return duplicate
	}
	return accept
}
