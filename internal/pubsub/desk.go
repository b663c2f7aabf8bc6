package pubsub

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	portion   = 256                  // values sent to one subscriber in one go, and requests looked at
	stride    = 16                   // for each of which so many keys may be passed over
	roomAgain = 5 * time.Millisecond // when who had no room is looked at again
)

// desk is the requests for last values that have not all been answered yet, by their topics.
type desk map[string]*asked

// asked is a request for the last values of a key, or of the keys that start with it.
type asked struct {
	key   string
	exact bool
	at    cursor
	upto  uint64 // the stamp from which on the subscriber got them as they were published,
	again bool   // but for those that it had no room for: they are sent in the second round
}

// serve hears subscribers and does what they ask for, until the publisher is closed.
func (p *Publisher[T]) serve() {
	wait := time.Duration(-1)
	for p.ctx.Err() == nil {
		if msg := p.heard(wait); msg != nil {
			p.hear(msg)
		}
		wait = p.answer()
	}
}

// heard returns what comes from a subscriber within a time, without end if that is negative; or nil.
func (p *Publisher[T]) heard(wait time.Duration) [][]byte {
	ctx := p.ctx
	if wait >= 0 {
		bounded, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		ctx = bounded
	}
	msg, err := p.socket.Recv(ctx)
	if err != nil {
		return nil
	}
	return msg
}

// hear takes note of what comes from a subscriber. All but hellos and requests is the socket's business.
func (p *Publisher[T]) hear(msg [][]byte) {
	if len(msg) != 1 || len(msg[0]) == 0 || msg[0][0] > 1 {
		return
	}
	on, topic := msg[0][0] == 1, string(msg[0][1:])
	c, ok := readControl(topic)
	switch {
	case ok && c.kind == helloKind:
		p.greet(c, topic, on)
	case ok && c.kind == requestKind && p.streams.keeps:
		delete(p.desk, topic)
		if on {
			p.take(c, topic)
		}
	}
}

// greet counts a subscriber of this topic, and lets one of another know that it is wrong here.
func (p *Publisher[T]) greet(c control, topic string, on bool) {
	want := protocol + " " + p.cfg.Topic
	switch {
	case !on:
		p.audience.leave(c.from)
	case c.rest == want:
		p.audience.enter(c.from)
	default:
		p.log.warn("a subscriber of something else", c.rest)
		<-p.turn
		defer func() { p.turn <- struct{}{} }()
		text := fmt.Sprintf("this is %q, and you want %q", want, brief(c.rest))
		if _, room := p.socket.Wanted([]byte(topic)); room {
			p.socket.Send(p.ctx, []byte(topic), []byte(text))
		}
	}
}

// take takes a request, for answer to see to.
func (p *Publisher[T]) take(c control, topic string) {
	key, exact, ok := selects(c.rest, p.cfg.Topic)
	if !ok {
		return
	}
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	p.desk[topic] = &asked{key: key, exact: exact, upto: p.streams.stamp}
}

// answer sends a portion of what each request is for, as far as its subscriber has room; of many requests, to some. It
// returns how long to wait before the next.
func (p *Publisher[T]) answer() time.Duration {
	some, looked := false, 0
	for topic, a := range p.desk {
		sent, done := p.reply(topic, a)
		some = some || sent
		if done {
			delete(p.desk, topic)
		}
		if looked++; looked == portion {
			break
		}
	}
	switch {
	case len(p.desk) == 0:
		return -1
	case some:
		return 0
	}
	return roomAgain
}

// reply goes on with a request. It reports whether it got anywhere, and whether nothing is left to be done.
func (p *Publisher[T]) reply(topic string, a *asked) (some, done bool) {
	<-p.turn
	defer func() { p.turn <- struct{}{} }()
	wanted, room := p.socket.Wanted([]byte(topic))
	if !wanted || !room {
		return false, !wanted
	}
	if a.exact {
		if s := p.streams.get(a.key); s != nil {
			p.lastValue(topic, s)
		}
		return true, true
	}
	sent := 0
	for range portion * stride {
		next := a.at
		s := p.streams.after(&next)
		if s == nil || s.stamp > a.upto {
			if s == nil || a.again {
				return some, true
			}
			a.upto, a.again = p.streams.stamp, true
			continue
		}
		if strings.HasPrefix(s.key, a.key) {
			if _, room := p.socket.Wanted([]byte(topic)); !room || sent == portion {
				return some, false
			}
			p.lastValue(topic, s)
			sent++
		}
		a.at, some = next, true
	}
	return some, false
}

// lastValue sends one to who asked for it.
func (p *Publisher[T]) lastValue(topic string, s *stream[T]) {
	if err := p.send(p.ctx, topic, s.key, s.at, s.value); err != nil && p.ctx.Err() == nil {
		p.log.warn("a last value can't be sent", err.Error())
	}
}
