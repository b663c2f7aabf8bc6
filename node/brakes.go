package node

import (
	"fmt"

	"github.com/troupe-go/troupe/actor"
)

// brakes is what two nodes tell each other about full mailboxes. What the peer has said holds until there is another
// connection, on which it says it anew.
type brakes struct {
	paused map[actor.PID]struct{} // actors of the peer that are not to be sent to
	halted map[address]func()     // actors of this node, as the peer calls them, that it is not to send to; how to wait no more for their room
	news   map[address]struct{}   // those about which the peer is to be told
}

const maxPaused = 1 << 16 // a peer that names more actors is not believed

// halt has the peer told that the mailbox of an actor of this node is full, and later that there is room again, unless it is
// about to be told so.
func (o *outbox) halt(a address, mailbox *actor.Crowded) {
	if !o.noteHalt(a) {
		return
	}
	cancel := mailbox.Low(func() { o.unhalt(a) })
	o.mu.Lock()
	_, halted := o.brakes.halted[a]
	if halted {
		o.brakes.halted[a] = cancel
	}
	o.mu.Unlock()
	if !halted {
		cancel()
	}
}

func (o *outbox) noteHalt(a address) (news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := &o.brakes
	if _, known := b.halted[a]; known || o.closed != nil {
		return false
	}
	if b.halted == nil {
		b.halted = make(map[address]func())
	}
	b.halted[a] = func() {}
	o.tell(a)
	return true
}

// release waits for nobody's room any more.
func (b *brakes) release() {
	for _, cancel := range b.halted {
		cancel()
	}
	b.halted = nil
}

// unhalt has the peer told that there is room again.
func (o *outbox) unhalt(a address) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.brakes.halted, a)
	o.tell(a)
}

func (o *outbox) tell(a address) {
	if o.conn == nil {
		return
	}
	if o.brakes.news == nil {
		o.brakes.news = make(map[address]struct{})
	}
	o.brakes.news[a] = struct{}{}
	o.rouse()
}

// renew is called when there is a connection: nothing is known of the peer's mailboxes, and it knows nothing of ours.
func (b *brakes) renew() {
	b.paused, b.news = nil, make(map[address]struct{}, len(b.halted))
	for a := range b.halted {
		b.news[a] = struct{}{}
	}
}

// announce adds the news to what is written.
func (b *brakes) announce(to *batch) {
	for a := range b.news {
		h := header{kind: kindResume, sender: a}
		if _, halted := b.halted[a]; halted {
			h.kind = kindPause
		}
		to.add(appendHeader(nil, &h))
	}
	clear(b.news)
}

// pause stops the messages to an actor of the peer, or lets them go on.
func (o *outbox) pause(pid actor.PID, stop bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := &o.brakes
	if !stop {
		delete(b.paused, pid)
		o.roomy()
		return
	}
	if b.paused == nil {
		b.paused = make(map[actor.PID]struct{})
	}
	if len(b.paused) < maxPaused {
		b.paused[pid] = struct{}{}
	}
}

// stops returns an error if pid is not to be sent to.
func (b *brakes) stops(pid actor.PID) error {
	if len(b.paused) == 0 {
		return nil
	}
	if _, paused := b.paused[pid]; paused {
		return fmt.Errorf("%w: the mailbox of %v is", actor.ErrFull, pid)
	}
	return nil
}
