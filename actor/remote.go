package actor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/codec"
)

func (sc scope) send(e *Envelope) error {
	s := sc.sys
	if s.closing.Load() && sc.cell == nil {
		return fmt.Errorf("%w: node %s is stopping", ErrClosed, s.node)
	}
	e.Sender = sc.pid()
	e.Type = codec.TypeName(reflect.TypeOf(e.Value))
	if sc.cell == nil {
		e.Wait = s.defaults.wait
	}
	return s.send(e)
}

// envelopes are those that nobody uses.
var envelopes = sync.Pool{New: func() any { return new(Envelope) }}

// sendTell sends a message that nobody waits for.
func (sc scope) sendTell(to PID, value any) error {
	return sc.sendOne(Envelope{Kind: Tell, Target: to, Value: value})
}

// sendOne is send for an envelope that nobody else needs.
func (sc scope) sendOne(e Envelope) error {
	p := envelopes.Get().(*Envelope)
	*p = e
	err := sc.send(p)
	*p = Envelope{}
	envelopes.Put(p)
	return err
}

func (s *System) send(e *Envelope) error {
	if s.remote == nil {
		return fmt.Errorf("%w: %s, for %v: this system has no network", ErrNoNode, e.Target.Node(), e.Target)
	}
	return s.remote.Send(e)
}

// Deliver takes an envelope that came from another node; its Body, unless it is Lent, and Meta are the System's from then on. It never
// blocks. A message that can't be delivered is a dead letter, and an Ask is then answered with a Fail through Remote.
// The error says so once more, for information.
func (s *System) Deliver(e *Envelope) error {
	if e == nil {
		return fmt.Errorf("%w: nil Envelope", ErrUsage)
	}
	if e.Kind == Tell {
		return s.deliverTell(e)
	}
	if e.Lent {
		e.Body, e.Lent = bytes.Clone(e.Body), false
	}
	switch e.Kind {
	case Ask:
		return s.deliverAsk(e)
	case Reply, Fail, KindSpawned:
		return s.deliverAnswer(e)
	}
	return s.deliverControl(e)
}

// deliverControl is deliver for what the runtime of the other node has sent of its own.
func (s *System) deliverControl(e *Envelope) error {
	if e.Kind == KindTerminated {
		return s.deliverTerminated(e)
	}
	if e.Kind.Control() && (e.Correlation == 0 || e.Sender.Incarnation() == uuid.Nil || e.Sender.Node() == s.node) {
		return fmt.Errorf("%w: envelope of kind %d without a number, or from %v", ErrUsage, e.Kind, e.Sender)
	}
	switch e.Kind {
	case KindWatch, KindLink:
		return s.deliverWatch(e)
	case KindUnwatch, KindUnlink:
		return s.deliverUnwatch(e)
	case KindStop:
		return s.deliverStop(e)
	case KindSpawn:
		return s.deliverSpawn(e)
	}
	return fmt.Errorf("%w: envelope of unknown kind %d", ErrUsage, e.Kind)
}

func (s *System) deliverTell(e *Envelope) error {
	p := posts.Get().(*post)
	p.fill(e)
	p.more.post = p
	err := s.deliverMessage(e, message{more: &p.more})
	if err != nil {
		p.free()
	}
	return err
}

func (s *System) deliverAsk(e *Envelope) error {
	p := new(struct { // one piece of memory
		post
		asker farAsker
	})
	p.fill(e)
	p.asker = farAsker{sys: s, asker: e.Sender, target: e.Target, correlation: e.Correlation, deadline: e.Deadline}
	p.more.hand.turn.asker = &p.asker
	return s.deliverMessage(e, message{more: &p.more})
}

func (s *System) deliverMessage(e *Envelope, m message) error {
	err, reason := s.pushMessage(e, m), NoActor
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFull):
		reason = Full
	case errors.Is(err, ErrClosed):
		reason = Stopped
	}
	s.dead.add(reason, e.Target, e.Sender, m.typeName)
	if waits := m.asker(); waits != nil {
		waits.fail(err)
	}
	return err
}

// pushMessage is put for what came from another node: it never waits. What was under way when the mailbox became full is
// let in, up to as much again.
func (s *System) pushMessage(e *Envelope, m message) error {
	if s.closing.Load() {
		return fmt.Errorf("%w: node %s is stopping", ErrClosed, s.node)
	}
	c, err := s.find(e.Target)
	if err != nil {
		return err
	}
	if c == nil {
		return fmt.Errorf("%w: %v does not live here", ErrNoActor, e.Target)
	}
	if !c.set.policy.refuses() {
		return c.box.put(context.Background(), never, m)
	}
	err = c.box.put(context.Background(), trial, m)
	if errors.Is(err, ErrFull) {
		e.Full = &Crowded{c.box}
		err = c.box.exceed(m)
	}
	return err
}

func (s *System) deliverAnswer(e *Envelope) error {
	a := s.pending.takeFrom(e.Correlation, e.Sender.Node())
	if e.Kind == Fail {
		if a != nil {
			a.fail(e.failure())
		}
		return nil
	}
	answer := &body{typeName: e.Type, data: e.Body, sender: e.Sender}
	if (a == nil || !a.finish(result{answer: Answer{answer}})) && e.Kind == Reply {
		s.DeadLetter(e, LateReply)
	}
	return nil
}

// failure is the error that a Fail carries.
func (e *Envelope) failure() error {
	var text string
	if err := codec.Msgpack.Decode(e.Body, &text); err != nil {
		text = "an error without a readable text"
	}
	err := codec.ErrorByName(e.Type, text)
	if name := e.Meta[MetaCause]; name != "" {
		return &farFailure{err, codec.ErrorByName(name, text)}
	}
	return err
}

// farFailure is the failure of a handler on another node: ErrFailed, and the registered error that it returned.
type farFailure struct{ failed, cause error }

func (f *farFailure) Error() string   { return f.failed.Error() }
func (f *farFailure) Unwrap() []error { return []error{f.failed, f.cause} }

// DeadLetter counts a message that the network could not hand over. If it is an Ask of this System, the asker gets
// ErrUnreachable. What is the runtime's own (Kind.Control) is not counted: a watch ends with NodeDown, a spawn fails.
func (s *System) DeadLetter(e *Envelope, reason Reason) {
	switch {
	case e == nil:
		return
	case e.Kind.Control():
		s.undelivered(e, reason)
		return
	}
	s.dead.add(reason, e.Target, e.Sender, func() string { return e.Type })
	if e.Kind == Ask && e.Sender.Node() == s.node {
		if a := s.pending.take(e.Correlation); a != nil {
			a.fail(e.lost(reason))
		}
	}
}

// lost is the error of who waits for what comes of e, which was given up.
func (e *Envelope) lost(reason Reason) error {
	if reason == NoNode {
		return fmt.Errorf("%w: %q, for %v", ErrNoNode, e.Target.Node(), e.Target)
	}
	return fmt.Errorf("%w: %v: %s", ErrUnreachable, e.Target, reason)
}

// farAsker waits on another node.
type farAsker struct {
	sys           *System
	asker, target PID
	correlation   uint64
	deadline      time.Time // when it stops waiting; zero = it did not say
}

func (f *farAsker) reply(v any) error {
	if b, ok := v.(*body); ok && b.codec == nil { // passed on as it came
		return f.send(Envelope{Kind: Reply, Type: b.typeName, Body: b.data})
	}
	return f.send(Envelope{Kind: Reply, Type: codec.TypeName(reflect.TypeOf(v)), Value: v})
}

// refuse sends the registered name of err with its text.
func (f *farAsker) refuse(err error) { f.fail(err) }

func (f *farAsker) fail(err error) {
	e := Envelope{Kind: Fail, Type: codec.ErrorName(err), Value: err.Error()}
	if both, ok := err.(*failedError); ok {
		e.Type = codec.ErrorName(ErrFailed)
		if cause := codec.ErrorName(both.cause); cause != "" {
			e.Meta = map[string]string{MetaCause: cause}
		}
	}
	_ = f.send(e) // a string can be encoded
}

// send returns an error only if the value can't be encoded. An answer that finds no way is a dead letter.
func (f *farAsker) send(answer Envelope) error {
	e := envelopes.Get().(*Envelope)
	defer func() {
		*e = Envelope{}
		envelopes.Put(e)
	}()
	*e = answer
	e.Target, e.Sender, e.Correlation = f.asker, f.target, f.correlation
	err := f.sys.send(e)
	switch {
	case err == nil:
	case errors.Is(err, codec.ErrEncode):
		return err
	case e.Kind == Fail: // about a message that has been counted
	case errors.Is(err, ErrFull):
		f.sys.DeadLetter(e, Full)
	default:
		f.sys.DeadLetter(e, Unreachable)
	}
	return nil
}
