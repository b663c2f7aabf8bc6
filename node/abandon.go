package node

import "github.com/troupe-go/troupe/actor"

// Abandon forgets an ask that was sent and whose asker has gone away.
func (r remote) Abandon(target actor.PID, correlation uint64) {
	if p := r.n.peers.get(target.Node()); p != nil {
		p.out.asks.done(correlation)
	}
}
