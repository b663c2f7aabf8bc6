package node

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/codec"
)

// remote is the node as its actor system sees it.
type remote struct{ n *Node }

// The kinds of envelopes on the wire, and the way back.
var (
	kindOf = [...]uint64{actor.Tell: kindTell, actor.Ask: kindAsk, actor.Reply: kindReply, actor.Fail: kindFail,
		actor.KindWatch: kindWatch, actor.KindUnwatch: kindUnwatch, actor.KindTerminated: kindTerminated,
		actor.KindLink: kindLink, actor.KindUnlink: kindUnlink,
		actor.KindSpawn: kindSpawn, actor.KindSpawned: kindSpawned, actor.KindStop: kindStop}
	envelope = reversed(kindOf[:])
)

func reversed(kinds []uint64) (envelopes [kindStop + 1]actor.Kind) {
	for e, k := range kinds {
		envelopes[k] = actor.Kind(e)
	}
	return envelopes
}

// Send encodes e into the outbox of its node.
func (r remote) Send(e *actor.Envelope) error {
	n, name := r.n, e.Target.Node()
	p := n.peers.get(name)
	if p == nil && begins(e.Kind) {
		p = n.enquiries.seek(e.Target)
	}
	if p == nil {
		return fmt.Errorf("%w: %q", actor.ErrNoNode, name)
	}
	switch e.Kind {
	case actor.KindWatch, actor.KindLink, actor.KindSpawn:
		if p.unreachable() {
			return fmt.Errorf("%w: node %q is down", actor.ErrUnreachable, name)
		}
	}
	buf := scratch.Get().(*[]byte)
	it, err := n.encode((*buf)[:0], e, p)
	if err == nil {
		to := e.Target
		if e.Kind != actor.Tell && e.Kind != actor.Ask {
			to = actor.PID{} // an answer is for no mailbox
		}
		err = p.out.push(it, to, e.Kind.Control(), e.Wait)
	}
	if len(it.frame) <= ownFrame { // else the outbox has it
		*buf = it.frame
		scratch.Put(buf)
	}
	if err != nil && !errors.Is(err, codec.ErrEncode) {
		return fmt.Errorf("%w (node %q)", err, name)
	}
	return err
}

// begins reports whether an envelope is reason enough to look for a node that is not known: it is no answer, and no end.
func begins(k actor.Kind) bool {
	switch k {
	case actor.Tell, actor.Ask, actor.KindWatch, actor.KindLink, actor.KindSpawn:
		return true
	}
	return false
}

// scratch is memory in which frames are made.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// errTooLarge is in the errors about a message that is more than the wire form or the receiver takes: as with other values
// that can't be encoded, an actor whose reply it is may give another one.
var errTooLarge = fmt.Errorf("node: %w: %w", codec.ErrEncode, codec.ErrLimit)

// encode makes the item for e, in the memory of buf. It can be sent to any incarnation of p that it may reach: the outbox gives it up when
// there is another one than its target's.
func (n *Node) encode(buf []byte, e *actor.Envelope, p *peer) (it item, err error) {
	now := ticks()
	it.frame, it.expires, it.exact = buf, now+n.cfg.Expire, e.Target.Incarnation()
	if plainTell(e) {
		if known := p.prefixes.find(e); known != nil {
			it.frame = append(it.frame, known...)
			return n.appendBody(it, e)
		}
	}
	h := header{kind: kindOf[e.Kind], correlation: e.Correlation, typ: e.Type, meta: e.Meta,
		target: n.address(e.Target, p.name, p.out.known()), sender: n.address(e.Sender, n.name, n.Incarnation())}
	if e.Kind.Control() && e.Kind != actor.KindSpawn {
		it.expires = never
	}
	if (e.Kind == actor.Ask || e.Kind == actor.KindSpawn) && !e.Deadline.IsZero() {
		left := max(0, time.Until(e.Deadline))
		h.deadline = uint64(left/time.Millisecond) + 1
		it.expires = min(it.expires, now+left-early(left))
	}
	if err := h.fits(); err != nil {
		return it, fmt.Errorf("%w: %w", errTooLarge, err)
	}
	it.frame = appendHeader(it.frame, &h)
	if plainTell(e) && (h.target.form != whole || h.target.node != p.name) { // that may have a shorter one soon
		p.prefixes.missing(e, it.frame)
	}
	return n.appendBody(it, e)
}

// appendBody makes the item for e whole.
func (n *Node) appendBody(it item, e *actor.Envelope) (_ item, err error) {
	value := e.Value
	if text, ok := value.(string); ok && e.Kind == actor.Fail {
		value = shortened(text)
	}
	if e.Body == nil {
		it.frame, err = codec.Msgpack.Append(it.frame, value)
	} else {
		it.frame = append(it.frame, e.Body...)
	}
	switch {
	case err != nil:
		return it, err
	case int64(len(it.frame)) > n.cfg.MaxMessage:
		return it, fmt.Errorf("%w: a message of %d bytes, Config.MaxMessage is %d", errTooLarge, len(it.frame), n.cfg.MaxMessage)
	}
	return it, nil
}

// shortened cuts the text of a FAIL, which must not be too large to be sent, to maxText bytes.
func shortened(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "..."
}

// unreachableBefore is how long before its deadline an ask that could not be sent expires, at most.
const unreachableBefore = 100 * time.Millisecond

// address returns pid for a message between this node and another, of which node and incarnation are the end that pid
// is most likely of.
func (n *Node) address(pid actor.PID, node string, incarnation uuid.UUID) address {
	switch {
	case pid.Node() == "", // no PID, or one made of a peer's name that is none
		pid.Name() == "" && pid.Incarnation() == uuid.Nil: // only a node's
		return address{}
	case pid.Node() != node:
	case pid.Name() != "":
		return address{form: byName, name: pid.Name()}
	case pid.Incarnation() == incarnation:
		return address{form: byID, id: pid.ID()}
	}
	return address{form: whole, node: pid.Node(), incarnation: pid.Incarnation(), name: pid.Name(), id: pid.ID()}
}

// pid is the way back from address.
func (a *address) pid(node string, incarnation uuid.UUID) actor.PID {
	switch a.form {
	case byID:
		return actor.ExactPID(node, incarnation, a.id)
	case byName:
		return actor.Named(a.name + "@" + node)
	case whole:
		if a.name == "" {
			return actor.ExactPID(a.node, a.incarnation, a.id)
		}
		return actor.Named(a.name + "@" + a.node)
	}
	return actor.PID{}
}

// deliver hands an actor's message to the system.
func (n *Node) deliver(l *link, h *header, body []byte) {
	e, x := &l.envelope, &l.lexicon
	if h.looked && h.kind == kindTell {
		e.Full = nil // the rest is as in the message before
	} else {
		*e = actor.Envelope{
			Kind: envelope[h.kind], Target: x.pid(&h.target, x.here), Sender: x.pid(&h.sender, x.there),
			Correlation: h.correlation, Type: h.typ, Meta: h.meta,
		}
		h.looked = true
	}
	e.Body, e.Lent = body, !l.whole
	if h.deadline != 0 {
		e.Deadline = time.Now().Add(time.Duration(min(h.deadline, maxDeadline)) * time.Millisecond)
	}
	if e.Kind == actor.Reply || e.Kind == actor.Fail {
		l.peer.out.asks.done(e.Correlation)
	}
	if e.Kind != actor.Tell && e.Sender.Other(0) != x.there && (e.Kind.Control() || e.Sender.Name() == "" || e.Sender.Node() != l.peer.name) {
		e.Sender = x.there // it asks and answers for itself alone
	}
	if err := n.system.Deliver(e); err != nil {
		n.log.Debug("message not delivered", "peer", l.peer.name, "target", e.Target.String(), "reason", err)
	}
	if e.Full != nil {
		l.peer.out.halt(h.target, e.Full)
	}
}

// dropped makes dead letters of messages to p that were accepted and cannot be sent. Its incarnation was of at that time.
func (n *Node) dropped(p *peer, items []item, of uuid.UUID, reason actor.Reason) {
	own := false
	for i := range items {
		h, body, err := readHeader(items[i].frame)
		if err != nil || int(h.kind) >= len(envelope) || envelope[h.kind] == 0 {
			continue // not a message of an actor's
		}
		n.system.DeadLetter(&actor.Envelope{
			Kind: envelope[h.kind], Target: h.target.pid(p.name, items[i].exact), Sender: h.sender.pid(n.name, n.Incarnation()),
			Correlation: h.correlation, Type: h.typ, Body: body, Meta: h.meta,
		}, reason)
		own = own || items[i].stays()
	}
	if own && !n.peers.closed.Load() { // what each side knows of the other's watches has come apart
		n.down(p, of)
	}
}

// unanswered fails asks whose answer cannot come any more.
func (n *Node) unanswered(peer string, lost map[uint64]asked, what string) {
	if len(lost) == 0 {
		return
	}
	text, err := codec.Msgpack.Append(nil, fmt.Sprintf("%v: node %q %s", actor.ErrUnreachable, peer, what))
	if err != nil {
		n.log.Error("an error cannot be encoded", "reason", err)
		return
	}
	for correlation, ask := range lost {
		n.system.Deliver(&actor.Envelope{Kind: actor.Fail, Target: ask.by.pid(n.name, n.Incarnation()), Sender: actor.ExactPID(peer, uuid.Nil, 0),
			Correlation: correlation, Type: codec.ErrorName(actor.ErrUnreachable), Body: text})
	}
}

const maxDeadline = 365 * 24 * 3600 * 1000 // milliseconds; what is later is as good as this
