package mailbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// subscriber is SUB and XSUB: what is received comes from the peers in turn.
//
// The set of topics is sent to each new connection, and then what changes in it. Nothing waits for a peer that is not
// connected: a change from before a connection must not come after the set that has it already.
type subscriber struct {
	s *Socket
	x bool // XSUB

	all    atomic.Bool // the empty topic is in the set
	hinted atomic.Bool // that the set is empty

	mu    sync.Mutex
	set   map[string]int    // how many times each topic is subscribed to
	match topics[struct{}]  // the same topics
	links map[*inlet]*inlet // the connections; to a publisher in this process, with its end
}

var errUnread = errors.New("mailbox: it does not read our subscriptions")

func newSubscriber(s *Socket, x bool) *subscriber {
	return &subscriber{s: s, x: x, set: make(map[string]int), links: make(map[*inlet]*inlet)}
}

func (*subscriber) join(*peer)  {}
func (*subscriber) leave(*peer) {}

// up queues the whole set, unless the publisher is in this process: then meet follows. It goes from the last topic in
// order to the first: so protocols can have a first topic that says that the others are there.
func (b *subscriber) up(in *inlet, _ []byte) error {
	if !in.wire {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, topic := range b.backward() {
		in.peer.send(nil, subscription(true, topic))
	}
	b.links[in] = nil
	return nil
}

// meet tells a publisher in this process, whose end is other, the whole set.
func (b *subscriber) meet(in, other *inlet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, topic := range b.backward() {
		other.publisher().subscribe(other, true, topic)
	}
	b.links[in] = other
}

// backward returns the set, the last in order first.
func (b *subscriber) backward() []string {
	all := slices.Sorted(maps.Keys(b.set))
	slices.Reverse(all)
	return all
}

// publisher is the pattern of in's end, which is a PUB's or XPUB's.
func (in *inlet) publisher() *publisher { return in.peer.s.pattern.(*publisher) }

func (b *subscriber) down(in *inlet) {
	b.mu.Lock()
	delete(b.links, in)
	b.mu.Unlock()
	if !in.peer.dials {
		return
	}
	if n := in.peer.out.Purge(); b.x { // a SUB's are subscriptions, which the next connection gets
		b.s.drop(in.peer, Lost, n)
	}
}

// restored waits until the publisher at the other end of in has acted upon the set, as far as that can be known; but not
// for ever, if it does not answer. It reports false if the connection ended first.
func (b *subscriber) restored(in *inlet) bool {
	ctx, cancel := context.WithTimeout(in.peer.at.ctx, cmp.Or(b.s.cfg.Handshake, 10*time.Second))
	defer cancel()
	in.answered(ctx)
	return in.conn.Err() == nil
}

// change adds topics to the set, or takes them from it, and tells that to all publishers. It returns the connections
// over which it is on its way.
func (b *subscriber) change(on bool, topics ...string) (told []*inlet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, topic := range topics {
		if b.count(on, topic) {
			b.tell(on, topic)
		}
	}
	for in, other := range b.links {
		if other == nil {
			told = append(told, in)
			if in.peer.out.Len() > max(b.s.cfg.SendHWM, 2*len(b.set)) {
				in.conn.Refuse(errUnread)
			}
		}
	}
	return told
}

// count reports whether topic was not in the set before, or, if on is false, is not any more.
func (b *subscriber) count(on bool, topic string) bool {
	n := b.set[topic]
	switch {
	case on:
		b.set[topic] = n + 1
		if n > 0 {
			return false
		}
		b.match.add(topic, struct{}{})
	case n == 1:
		delete(b.set, topic)
		b.match.remove(topic, struct{}{})
	case n > 1:
		b.set[topic] = n - 1
		return false
	default:
		return false
	}
	if topic == "" {
		b.all.Store(on)
	}
	return true
}

func (b *subscriber) tell(on bool, topic string) {
	msg := subscription(on, topic)
	for in, other := range b.links {
		if other == nil {
			in.peer.send(nil, msg)
		} else {
			other.publisher().subscribe(other, on, topic)
		}
	}
}

func (b *subscriber) recv() ([][]byte, bool, error) {
	for range patience {
		in, msg := b.s.in.pop()
		if msg == nil {
			b.hint()
			return nil, false, nil
		}
		if b.wants(msg) {
			return msg, true, nil
		}
		b.s.reject(in, msg, Unexpected)
	}
	b.s.in.waiting.wake()
	return nil, false, nil
}

// wants says whether msg is one to be received: publishers may send others, for a while after Unsubscribe for instance.
func (b *subscriber) wants(msg [][]byte) bool {
	if b.x || b.all.Load() {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	found := false
	b.match.match(msg[0], func(struct{}) { found = true })
	return found
}

// hint says once why nothing is received, if that is plain.
func (b *subscriber) hint() {
	if b.x || b.hinted.Load() {
		return
	}
	b.mu.Lock()
	none := len(b.set) == 0
	b.mu.Unlock()
	if !b.hinted.Swap(true) && none {
		b.s.cfg.Log.Warn("a SUB receives nothing before it subscribes to something: Subscribe(ctx, \"\") is for all messages")
	}
}

func (b *subscriber) send(frames [][]byte) (bool, error) {
	if !b.x {
		return false, fmt.Errorf("%w: a SUB only receives, besides Subscribe and Unsubscribe", ErrUnsupported)
	}
	if on, ok := isSubscription(frames); ok {
		b.change(on, string(frames[0][1:]))
		return true, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for in, other := range b.links {
		switch {
		case other != nil && !other.publisher().x:
			other.peer.s.drop(other.peer, Unexpected, 1)
		case in.peer.out.Len() >= b.s.cfg.SendHWM:
			b.s.drop(in.peer, Full, 1)
		default:
			in.peer.send(nil, frames)
		}
	}
	return true, nil
}
