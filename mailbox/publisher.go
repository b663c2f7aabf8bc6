package mailbox

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// topicCost is about how much memory a subscription takes, besides its topic.
const topicCost = 100

// publisher is PUB and XPUB: what is sent goes to every peer that subscribed to a prefix of its first frame.
//
// Subscriptions are acted upon by the goroutine that reads them, and those of a socket in this process by the call that
// makes them: they are active whether anybody calls Recv or not.
type publisher struct {
	s *Socket
	x bool // XPUB

	mu     sync.Mutex
	topics topics[*follower]
	active int           // followers with at least one topic
	grown  chan struct{} // closed when active grows; nil: nobody waits for that

	pick  func(*follower) // adds one to to
	to    []*follower     // whom the message in hand is for
	round uint64          // number of that message
	last  time.Time       // when one was sent to several peers

	notices list.List          // of *notice, for an XPUB's Recv
	latest  map[string]*notice // the last of those for each topic
	row     atomic.Int32       // notices since Recv looked for a message
}

// follower is a peer with subscriptions. Its connection's inlet says whether it is still there.
type follower struct {
	peer   *peer
	topics map[string]struct{}
	memory int64  // that topics take
	near   bool   // it is in this process
	round  uint64 // of the message that it was picked for last
	gone   bool
}

func newPublisher(s *Socket, x bool) *publisher {
	p := &publisher{s: s, x: x}
	p.pick = func(f *follower) {
		if f.round != p.round && !f.gone {
			f.round = p.round
			p.to = append(p.to, f)
		}
	}
	return p
}

func (*publisher) join(*peer)              {}
func (*publisher) leave(*peer)             {}
func (*publisher) up(*inlet, []byte) error { return nil }

// down forgets what the peer subscribed to. It holds the lock for moments only, however much that is. What is left for
// the peer is dropped: whoever connects next has not subscribed to it.
func (p *publisher) down(in *inlet) {
	p.mu.Lock()
	f := in.peer.follower
	in.peer.follower = nil
	if f != nil {
		f.gone = true
		p.active--
	}
	p.mu.Unlock()
	if f != nil {
		p.fewer()
		p.forget(f)
	}
	if in.peer.dials {
		p.s.drop(in.peer, Lost, in.peer.out.Purge())
	}
}

// forget removes the topics of f, which is gone.
func (p *publisher) forget(f *follower) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for topic := range f.topics { // nobody changes them: in has ended
		if n++; n%64 == 0 {
			p.mu.Unlock()
			p.mu.Lock()
		}
		if last, _ := p.topics.remove(topic, f); last {
			p.notify(topic, false, false)
		}
	}
}

func (p *publisher) took(in *inlet, msg [][]byte) bool {
	on, ok := isSubscription(msg)
	if !ok {
		if !p.x {
			p.s.drop(in.peer, Unexpected, 1)
		}
		return !p.x
	}
	if !p.subscribe(in, on, string(msg[0][1:])) {
		in.conn.Refuse(fmt.Errorf("%w: it subscribed to more than %d bytes of topics", zmtp.ErrProtocol, p.s.cfg.memory))
	}
	return true
}

// isSubscription says whether msg is a subscription, on, or an end of one: a frame that starts with one or zero.
func isSubscription(msg [][]byte) (on, ok bool) {
	if len(msg) != 1 || len(msg[0]) == 0 || msg[0][0] > 1 {
		return false, false
	}
	return msg[0][0] == 1, true
}

// subscribe notes that the other end of in wants topic from now on, or does not. It reports false if it wants too much.
func (p *publisher) subscribe(in *inlet, on bool, topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in.ended.Load() { // and down perhaps has been here
		return true
	}
	f := in.peer.follower
	if !on {
		defer p.fewer()
		if f != nil {
			p.unsubscribe(f, topic)
		}
		return true
	}
	if f == nil {
		f = &follower{peer: in.peer, near: !in.wire, topics: make(map[string]struct{})}
		in.peer.follower = f
		p.grow()
	}
	if _, had := f.topics[topic]; !had {
		cost := int64(len(topic) + topicCost)
		if in.wire && f.memory+cost > p.s.cfg.memory {
			return false
		}
		f.memory += cost
		f.topics[topic] = struct{}{}
	}
	if first, _ := p.topics.add(topic, f); first || p.s.cfg.Verbose {
		p.notify(topic, true, first)
	}
	return true
}

func (p *publisher) unsubscribe(f *follower, topic string) {
	if _, had := f.topics[topic]; !had {
		return
	}
	delete(f.topics, topic)
	f.memory -= int64(len(topic) + topicCost)
	if len(f.topics) == 0 {
		f.peer.follower = nil
		p.active--
	}
	if last, _ := p.topics.remove(topic, f); last {
		p.notify(topic, false, false)
	}
}

// fewer lets Sends that wait look again for whom they do.
func (p *publisher) fewer() {
	if p.s.cfg.NoDrop {
		p.s.room.wakeAll()
	}
}

// grow counts one follower more.
func (p *publisher) grow() {
	p.active++
	if p.grown != nil {
		close(p.grown)
		p.grown = nil
	}
}

// WaitSubscribers waits until at least n peers of a PUB or XPUB are connected and have subscribed to something: what is
// sent from then on reaches them. It is how a publisher that starts first does not talk to nobody (the Guide's slow
// joiner). A peer that subscribes to several topics counts from the first that has come; the others follow it. (The peer
// itself knows when all are active: its Subscribe returns, or its Monitor has Connected.)
//
// It fails with ErrClosed, with an error that wraps ctx.Err() and says how many there are, or, on other patterns, with
// one that wraps ErrUnsupported.
func (s *Socket) WaitSubscribers(ctx context.Context, n int) error {
	if ctx == nil {
		return errNoContext
	}
	p, ok := s.pattern.(*publisher)
	if !ok {
		return fmt.Errorf("%w: a %s has no subscribers", ErrUnsupported, s.typ)
	}
	for {
		p.mu.Lock()
		active := p.active
		if p.grown == nil {
			p.grown = make(chan struct{})
		}
		grown := p.grown
		p.mu.Unlock()
		switch {
		case s.closed.Load():
			return ErrClosed
		case active >= n:
			return nil
		}
		select {
		case <-grown:
		case <-s.ctx.Done():
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("mailbox: %d of %d subscribers are there: %w", active, n, ctx.Err())
		}
	}
}
