package broker

import (
	"cmp"
	"container/list"
	"maps"
	"slices"
	"time"
)

// The bounds of what a front keeps for each connection.
const (
	maxCalls  = 10_000   // of a caller, waiting and with servers
	maxBytes  = 64 << 20 // of their requests, one more not counted
	maxSlots  = 10_000   // of a server
	maxCredit = 1 << 10  // of a call: parts that were asked for and have not come
	maxGiven  = 5        // servers that may die with a call in hand
)

// service is what a front knows of one.
type service struct {
	name    string
	free    list.List // of *party: servers that take a call, the one used least recently first
	callers list.List // of *party: callers whose calls wait for a server, the one whose turn it is first
}

// party is a connection that has said what it is.
type party struct {
	id      []byte
	service *service

	out []entry // to be sent

	// a caller
	calls   map[uint64]*job // by the caller's number
	bytes   int             // in their requests
	waiting list.List       // of *job: those no server has, oldest first
	turn    *list.Element   // in service.callers

	// a server
	slots   int // how many calls at a time; none: it is a caller
	hand    map[uint64]*job
	free    *list.Element // in service.free
	full    bool          // it doesn't read what it has; anything that it says ends this
	leaving bool
}

// job is a call from its arrival to its answer.
type job struct {
	caller   *party // nil: nobody waits for the answer
	id       uint64 // the caller's number
	body     []byte
	deadline time.Time
	once     bool
	credit   uint32 // parts that may come
	begun    bool   // a part has come
	given    int    // to so many servers
	server   *party // nil: it waits
	number   uint64 // the front's, anew for every server
	place    *list.Element
}

// handle acts upon a message: the identity of its sender, and what that sent.
func (f *Front) handle(msg [][]byte) {
	id := msg[0]
	for e, rest, ok := next(msg[1:]); ok; e, rest, ok = next(rest) {
		p := f.parties[string(id)]
		switch {
		case e.kind == hello:
			f.hello(id, e)
		case p == nil: // left over from before a WHO
		case p.slots > 0:
			f.fromServer(p, &e)
		default:
			f.fromCaller(p, &e)
		}
		f.redo()
	}
}

// redo gives the calls that a party had that was forgotten to others.
func (f *Front) redo() {
	for f.lost {
		f.lost = false
		for _, s := range f.services {
			f.dispatch(s)
		}
	}
}

// hello registers a peer, as if it were new if it isn't.
func (f *Front) hello(id []byte, e entry) {
	protocol, name := e.frames[0], e.frames[1]
	s := f.services[string(name)]
	switch {
	case len(id) == 0 || id[0] != 0:
		f.refuse(id, "the connection has an identity of its own, %q; leave the socket's identity unset", cut(id, maxName))
		return
	case string(protocol) != Protocol:
		f.refuse(id, "it speaks %q, this front %s", cut(protocol, maxName), Protocol)
		return
	case s == nil:
		f.refuse(id, "there is no service %q here", cut(name, maxName))
		return
	}
	f.forget(f.parties[string(id)])
	p := &party{id: id, service: s, slots: int(min(e.n, maxSlots))}
	if p.slots > 0 {
		p.hand = make(map[uint64]*job)
		f.offer(p)
	} else {
		p.calls = make(map[uint64]*job)
	}
	f.parties[string(id)] = p
	f.dispatch(s)
}

func (f *Front) fromCaller(p *party, e *entry) {
	switch e.kind {
	case call:
		f.call(p, e)
	case cancel:
		if c := p.calls[e.id]; c != nil {
			f.abandon(c)
		}
	case more:
		if c := p.calls[e.id]; c != nil {
			f.more(c, e.n)
		}
	}
}

// call takes a call in.
func (f *Front) call(p *party, e *entry) {
	switch {
	case p.calls[e.id] != nil:
		f.refuse(p.id, "it used the number %d for two calls at a time", e.id)
		return
	case len(p.calls) >= maxCalls, p.bytes >= maxBytes:
		f.say(p, entry{header: header{kind: busy, id: e.id}})
		return
	}
	c := &job{caller: p, id: e.id, body: e.frames[0], once: e.once, credit: min(e.n, maxCredit)}
	if e.ms > 0 {
		c.deadline = time.Now().Add(time.Duration(e.ms) * time.Millisecond)
	}
	p.calls[c.id] = c
	p.bytes += len(c.body)
	if s := p.service; s.callers.Len() == 0 && s.free.Len() > 0 {
		f.give(c, s.free.Front().Value.(*party))
		return
	}
	f.wait(c, false)
}

// wait puts a call behind the others of its caller that no server has, or before them.
func (f *Front) wait(c *job, first bool) {
	p := c.caller
	if first {
		c.place = p.waiting.PushFront(c)
	} else {
		c.place = p.waiting.PushBack(c)
	}
	if p.turn == nil {
		p.turn = p.service.callers.PushBack(p)
	}
}

// unwait takes a call out of those that wait.
func (f *Front) unwait(c *job) {
	p := c.caller
	p.waiting.Remove(c.place)
	c.place = nil
	if p.waiting.Len() == 0 {
		p.service.callers.Remove(p.turn)
		p.turn = nil
	}
}

// dispatch gives calls to servers as long as there are both. Callers take turns.
func (f *Front) dispatch(s *service) {
	for s.free.Len() > 0 && s.callers.Len() > 0 {
		p := s.callers.Front().Value.(*party)
		s.callers.MoveToBack(p.turn)
		c := p.waiting.Front().Value.(*job)
		f.unwait(c)
		if !c.deadline.IsZero() && time.Until(c.deadline) <= 0 { // who called knows
			f.settle(c)
		} else {
			f.give(c, s.free.Front().Value.(*party))
		}
	}
}

// give gives a call to a server.
func (f *Front) give(c *job, p *party) {
	f.last++
	h := header{kind: call, id: f.last, n: c.credit, once: c.once}
	if !c.deadline.IsZero() {
		h.ms = millis(time.Until(c.deadline))
	}
	f.say(p, entry{h, [2][]byte{c.body}})
	c.server, c.number = p, f.last
	c.given++
	p.hand[c.number] = c
	if c.once { // nobody else gets it
		c.caller.bytes -= len(c.body)
		c.body = nil
	}
	f.offer(p)
}

// offer gives a server that takes a call its place behind those that were used less recently, and none to one that
// doesn't.
func (f *Front) offer(p *party) {
	takes := len(p.hand) < p.slots && !p.full && !p.leaving
	switch free := &p.service.free; {
	case takes && p.free == nil:
		p.free = free.PushBack(p)
	case takes:
		free.MoveToBack(p.free)
	case p.free != nil:
		free.Remove(p.free)
		p.free = nil
	}
}

func (f *Front) fromServer(p *party, e *entry) {
	if p.full { // it reads again
		p.full = false
		f.spoken = append(f.spoken, p)
		f.offer(p)
		f.dispatch(p.service)
	}
	if e.kind == leave {
		p.leaving = true
		f.offer(p)
		f.farewell(p)
		return
	}
	c := p.hand[e.id]
	if c == nil {
		return
	}
	switch e.kind {
	case part:
		f.part(c, e)
	case reply, end, fail:
		delete(p.hand, e.id)
		f.pass(c, e)
		f.settle(c)
		if p.free == nil {
			f.offer(p)
		}
		f.farewell(p)
		f.dispatch(p.service)
	}
}

// farewell tells a server that wanted to leave that it may.
func (f *Front) farewell(p *party) {
	if p.leaving && len(p.hand) == 0 {
		f.say(p, entry{header: header{kind: leave}})
	}
}

// part passes a part of a reply on.
func (f *Front) part(c *job, e *entry) {
	switch {
	case c.caller == nil:
	case c.credit == 0:
		f.refuse(c.server.id, "it sent more parts of a reply than were asked for")
	default:
		c.credit--
		c.begun = true
		f.pass(c, e)
	}
}

// more lets a server send more parts.
func (f *Front) more(c *job, n uint32) {
	n = min(n, maxCredit-c.credit)
	c.credit += n
	if c.server != nil && n > 0 {
		f.say(c.server, entry{header: header{kind: more, id: c.number, n: n}})
	}
}

// pass sends what a server said about a call to its caller, if there still is one.
func (f *Front) pass(c *job, e *entry) {
	if c.caller == nil {
		return
	}
	said := *e
	said.id = c.id
	if e.kind == fail {
		said.frames = [2][]byte{cut(e.frames[0], maxName), cut(e.frames[1], maxText)}
	}
	f.say(c.caller, said)
}

// settle is the end of a call: its caller doesn't wait for it any more.
func (f *Front) settle(c *job) {
	if p := c.caller; p != nil {
		delete(p.calls, c.id)
		p.bytes -= len(c.body)
	}
	c.caller, c.body = nil, nil
}

// abandon ends a call that nobody wants answered. A server that has it is told, and still to say when it is free.
func (f *Front) abandon(c *job) {
	if c.server == nil {
		f.unwait(c)
	}
	f.settle(c)
	if c.server != nil {
		f.say(c.server, entry{header: header{kind: cancel, id: c.number}})
	}
}

// forget removes a party. The calls of a caller are abandoned, those that a server had are given to others.
func (f *Front) forget(p *party) {
	if p == nil || f.parties[string(p.id)] != p {
		return
	}
	delete(f.parties, string(p.id))
	f.lost = true
	for _, c := range p.calls {
		f.abandon(c)
	}
	p.slots = 0
	if p.hand != nil {
		f.offer(p)
	}
	hand := slices.SortedFunc(maps.Values(p.hand), func(a, b *job) int { return cmp.Compare(b.number, a.number) })
	p.hand = nil
	for _, c := range hand { // the newest first: the oldest ends up before all others
		f.regive(c)
	}
}

// regive gives a call whose server was lost back to those that wait, if another may have it.
func (f *Front) regive(c *job) {
	c.server = nil
	switch {
	case c.caller == nil:
	case c.once, c.begun, c.given >= maxGiven:
		p, id := c.caller, c.id
		f.settle(c)
		f.say(p, entry{header: header{kind: gone, id: id}})
	default:
		f.again.Add(1)
		f.wait(c, true)
	}
}
