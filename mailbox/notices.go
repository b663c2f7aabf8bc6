package mailbox

import "container/list"

// notice is what an XPUB's Recv gets to know: that somebody subscribed to a topic, or that nobody is left who did.
type notice struct {
	topic  string
	on     bool
	first  bool          // nobody had subscribed before
	before *notice       // the one before it for its topic
	at     *list.Element // nil once it was received or removed
}

// notify lets an XPUB's Recv know about topic. The first RecvHWM notices are kept as they come. Beyond that, a
// subscription that was taken back before it was received leaves nothing, and one that only repeats another is dropped:
// so a socket that does not Recv keeps no more of them than there are topics, and one that does still ends up with the
// truth. The caller holds the lock.
func (p *publisher) notify(topic string, on, first bool) {
	if !p.x || p.s.closed.Load() {
		return
	}
	if p.notices.Len() >= p.s.cfg.RecvHWM && p.shorten(topic, on) {
		return
	}
	n := &notice{topic: topic, on: on, first: first, before: p.latest[topic]}
	n.at = p.notices.PushBack(n)
	if p.latest == nil {
		p.latest = make(map[string]*notice)
	}
	p.latest[topic] = n
	p.s.in.waiting.wake()
}

// shorten removes what the notice to come makes needless, and reports whether that one is needless too.
func (p *publisher) shorten(topic string, on bool) bool {
	n := p.latest[topic]
	switch {
	case n == nil:
		return false
	case on && n.on:
		return true
	case on:
		p.take(n)
		return true
	}
	for n != nil && n.on {
		first := n.first
		p.take(n)
		if first {
			return true
		}
		n = p.latest[topic]
	}
	return false
}

// notice returns the oldest notice as a message, nil if there is none.
func (p *publisher) notice() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := p.notices.Front()
	if oldest == nil {
		return nil
	}
	n := oldest.Value.(*notice)
	p.take(n)
	return subscription(n.on, n.topic)
}

// take removes n, the oldest notice, or the latest for its topic.
func (p *publisher) take(n *notice) {
	p.notices.Remove(n.at)
	n.at = nil
	if p.latest[n.topic] == n {
		if n.before != nil && n.before.at != nil {
			p.latest[n.topic] = n.before
		} else {
			delete(p.latest, n.topic)
		}
	}
	n.before = nil
}

// subscription returns the message that says that topic is subscribed to from now on, or not.
func subscription(on bool, topic string) [][]byte {
	frame := make([]byte, 1, 1+len(topic))
	if on {
		frame[0] = 1
	}
	return [][]byte{append(frame, topic...)}
}
