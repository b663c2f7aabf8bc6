package pipe

import "strconv"

// maxHeld is how many bytes of tasks of one producer may wait for a consumer. One that sends more ignores its credit, or
// its own bounds.
const maxHeld = 4 * defaultBytes

// Take takes tasks for c from a place on the network. Whoever opens a Wire closes it.
func Take(c *Consumer[[]byte], place Place) (*Wire, error) {
	return open(place, sideTakes, func(w *Wire) handler {
		return &taker{c: c, w: w, links: make(map[string]*inwire)}
	})
}

// taker speaks the protocol for a consumer.
type taker struct {
	c     *Consumer[[]byte]
	w     *Wire
	links map[string]*inwire // by the peer's identity; an end that connects has one
	last  *inwire            // of an end that connects
	m     message
}

func (k *taker) opened() {
	l := k.link(nil)
	if k.last != nil {
		k.last.in.inherit(l.in)
	}
	k.last = l
	l.in.Open()
}

// link makes a link to a producer.
func (k *taker) link(peer []byte) *inwire {
	l := &inwire{w: k.w, peer: peer}
	l.in = k.c.Link(l)
	k.links[string(peer)] = l
	return l
}

func (k *taker) message(peer []byte, frames [][]byte) {
	err := k.m.parse(frames)
	if err == errUnknown {
		return
	}
	if err != nil {
		k.w.complain(peer, err)
		k.lost(string(peer))
		return
	}
	switch k.m.command {
	case cmdHello:
		if k.w.greet(peer, &k.m, sideGives) {
			k.join(peer)
		}
		return
	case cmdBye:
		k.w.dismissed(peer, k.m.text)
		return
	}
	l := k.links[string(peer)]
	if l == nil {
		k.w.stranger(peer)
		return
	}
	switch k.m.command {
	case cmdTask:
		if !l.push(k.m.tasks) {
			k.w.complain(peer, errCredit)
			k.lost(string(peer))
		}
	case cmdEnd:
		l.in.End(k.m.ids[0], k.m.name)
	case cmdGone:
		l.in.Gone(k.m.ids[0])
	}
}

// join begins a link to a producer that said HELLO.
func (k *taker) join(peer []byte) {
	k.lost(string(peer)) // it begins anew
	l := k.link(peer)
	l.name = k.m.name
	k.w.log.Info("producer joined", "producer", l.name)
	l.in.Open()
}

func (k *taker) lost(peer string) {
	if l := k.links[peer]; l != nil {
		delete(k.links, peer)
		if k.w.place.Bind {
			k.w.log.Info("producer left", "producer", l.name)
		}
		l.in.Lose()
	}
}

func (k *taker) probe() {
	for peer, l := range k.links {
		if !k.w.send(l.peer, ping) {
			k.lost(peer)
		}
	}
}

// inwire is the way to a producer over the network.
type inwire struct {
	w     *Wire
	peer  []byte
	name  string
	in    *Inlink[[]byte]
	bytes []byte // of the last DONE or BACK; guarded by the consumer's out lock
}

// push hands tasks to the consumer. It reports false if there are more than the producer had credit for.
func (l *inwire) push(tasks []wireTask) bool {
	if !l.in.fits(len(tasks)) {
		return false
	}
	ds := make([]Delivery[[]byte], len(tasks))
	for i, t := range tasks {
		ds[i] = Delivery[[]byte]{ID: t.id, Attempt: t.attempt, Body: t.body, size: len(t.body)}
	}
	l.in.Push(ds)
	return true
}

func (l *inwire) Credit(limit int64) {
	l.say([]byte(cmdCredit), strconv.AppendInt(nil, limit, 10))
}

func (l *inwire) Done(ds []*Delivery[[]byte]) { l.say([]byte(cmdDone), l.ids(ds)) }
func (l *inwire) Back(ds []*Delivery[[]byte]) { l.say([]byte(cmdBack), l.ids(ds)) }

func (l *inwire) Fail(d *Delivery[[]byte], reason string) {
	if len(reason) > maxText {
		reason = reason[:maxText]
	}
	l.say([]byte(cmdFail), d.ID.append(nil), []byte(reason))
}

func (l *inwire) Heard(id ID) { l.say([]byte(cmdDone), id.append(nil)) }

// Lost does nothing: the producer sees it by the end of the connection.
func (l *inwire) Lost() {}

func (l *inwire) ids(ds []*Delivery[[]byte]) []byte {
	l.bytes = l.bytes[:0]
	for _, d := range ds {
		l.bytes = d.ID.append(l.bytes)
	}
	return l.bytes
}

// say sends a message. A producer that does not read is left.
func (l *inwire) say(frames ...[]byte) {
	if !l.w.send(l.peer, frames...) {
		l.w.end(string(l.peer))
	}
}
