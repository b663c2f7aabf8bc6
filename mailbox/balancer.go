package mailbox

import "sync"

// balancer gives messages to peers in turn, passing over those without room, and, with Config.Immediate, those without
// a connection.
type balancer struct {
	mu    sync.Mutex
	peers []*peer
	turn  int
}

func (b *balancer) add(p *peer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.peers = append(b.peers, p)
}

func (b *balancer) remove(p *peer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, other := range b.peers {
		if other == p {
			b.peers = append(b.peers[:i], b.peers[i+1:]...)
			if b.turn > i {
				b.turn--
			}
			return
		}
	}
}

// send returns the peer that took the message, nil if none has room.
func (b *balancer) send(head, frames [][]byte) *peer {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range b.peers {
		if b.turn >= len(b.peers) {
			b.turn = 0
		}
		p := b.peers[b.turn]
		b.turn++
		if p.present() && p.send(head, frames) {
			return p
		}
	}
	return nil
}

// present says whether p counts for Send.
func (p *peer) present() bool { return !p.s.cfg.Immediate || p.live.Load() != nil }
