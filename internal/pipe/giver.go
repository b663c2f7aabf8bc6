package pipe

import (
	"strconv"
)

// Give gives out p's tasks at a place on the network. Whoever opens a Wire closes it.
func Give(p *Producer[[]byte], place Place) (*Wire, error) {
	p.mu.Lock()
	if p.index == nil {
		p.index = make(map[ID]*Task[[]byte])
	}
	p.mu.Unlock()
	return open(place, sideGives, func(w *Wire) handler {
		return &giver{p: p, w: w, links: make(map[string]*outwire)}
	})
}

// giver speaks the protocol for a producer.
type giver struct {
	p     *Producer[[]byte]
	w     *Wire
	links map[string]*outwire // by the peer's identity; an end that connects has one
	m     message
	tasks []*Task[[]byte]
}

func (g *giver) opened() {}

func (g *giver) message(peer []byte, frames [][]byte) {
	err := g.m.parse(frames)
	if err == errUnknown {
		return
	}
	if err != nil {
		g.w.complain(peer, err)
		g.lost(string(peer))
		return
	}
	switch g.m.command {
	case cmdHello:
		if g.w.greet(peer, &g.m, sideTakes) {
			g.join(peer, g.m.name)
		}
		return
	case cmdBye:
		g.w.dismissed(peer, g.m.text)
		return
	}
	l := g.links[string(peer)]
	if l == nil && !g.w.place.Bind && g.m.command == cmdCredit {
		l = g.join(peer, "the one that is bound")
	}
	if l == nil {
		g.w.stranger(peer)
		return
	}
	switch g.m.command {
	case cmdCredit:
		l.out.Credit(g.m.limit)
	case cmdDone:
		l.out.Done(g.find())
		for _, id := range g.m.ids {
			if id.Number == endNumber {
				l.out.Heard(id)
			}
		}
	case cmdBack:
		l.out.Back(g.find())
	case cmdFail:
		for _, t := range g.find() {
			l.out.Fail(t, g.m.text)
		}
	}
}

// join begins a link to a consumer: one that said HELLO, or, if this end connects, one that gives credit.
func (g *giver) join(peer []byte, name string) *outwire {
	g.lost(string(peer)) // it begins anew
	l := &outwire{w: g.w, peer: peer, name: name}
	l.out = g.p.Link(l)
	g.links[string(peer)] = l
	g.w.log.Info("consumer joined", "consumer", name)
	l.out.Open()
	return l
}

// find returns the tasks of the message's ids that are not done.
func (g *giver) find() []*Task[[]byte] {
	g.tasks = g.tasks[:0]
	g.p.mu.Lock()
	defer g.p.mu.Unlock()
	for _, id := range g.m.ids {
		if t := g.p.index[id]; t != nil {
			g.tasks = append(g.tasks, t)
		}
	}
	return g.tasks
}

func (g *giver) lost(peer string) {
	if l := g.links[peer]; l != nil {
		delete(g.links, peer)
		g.w.log.Info("consumer left", "consumer", l.name)
		l.out.Lost()
	}
}

func (g *giver) probe() {
	for peer, l := range g.links {
		if !g.w.send(l.peer, ping) {
			g.lost(peer)
		}
	}
}

// outwire is the way to a consumer over the network.
type outwire struct {
	w      *Wire
	peer   []byte
	name   string
	out    *Outlink[[]byte]
	frames [][]byte // of the last message; guarded by the producer's lock
	bytes  []byte
}

// attempts are the texts of small numbers.
var attempts = func() (texts [16][]byte) {
	for i := range texts {
		texts[i] = strconv.AppendInt(nil, int64(i), 10)
	}
	return texts
}()

func (l *outwire) Give(tasks []*Task[[]byte]) bool {
	l.frames, l.bytes = l.frames[:0], l.bytes[:0]
	if l.w.place.Bind {
		l.frames = append(l.frames, l.peer)
	}
	l.frames = append(l.frames, []byte(cmdTask))
	if need := len(tasks) * idSize; cap(l.bytes) < need {
		l.bytes = make([]byte, 0, need)
	}
	for _, t := range tasks {
		n := len(l.bytes)
		l.bytes = t.ID.append(l.bytes)
		attempt := attempts[min(t.attempt, len(attempts)-1)]
		l.frames = append(l.frames, l.bytes[n:len(l.bytes):len(l.bytes)], attempt, t.Body)
	}
	ok := l.w.sendAll(l.frames)
	clear(l.frames)
	return ok
}

func (l *outwire) End(id ID, role string) {
	l.w.send(l.peer, []byte(cmdEnd), id.append(nil), []byte(role))
}

func (l *outwire) Gone(id ID) { l.w.send(l.peer, []byte(cmdGone), id.append(nil)) }
