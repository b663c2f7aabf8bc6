package mailbox

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Subscribe lets a SUB, or an XSUB, receive messages whose first frame starts with one of the topics; all messages start
// with "". A topic that was subscribed to several times is to be unsubscribed from as often. (libzmq: ZMQ_SUBSCRIBE.)
//
// Publishers that are not connected learn of the topics when they are, before the connection counts as up. Subscribe
// returns when those that are connected have answered: what a Troupe publisher sends from then on is received, unless
// the socket has no room for it. (A libzmq publisher answers when it has read a subscription, and acts upon it a moment
// later. One that speaks ZMTP 3.0, as libzmq did before 4.2, does not answer, and is not waited for. Neither is one whose
// messages fill up all the room there is until Recv is called: its answer is behind them.)
//
// It fails with ErrClosed, or, on other patterns, with an error that wraps ErrUnsupported; then nothing is subscribed
// to. If ctx ends first, the error wraps its cause and says how many publishers have not answered; then the topics are
// subscribed to all the same. With a ctx that has ended, Subscribe does not wait.
func (s *Socket) Subscribe(ctx context.Context, topics ...string) error {
	if ctx == nil {
		return errNoContext
	}
	b, err := s.subscriber()
	if err != nil {
		return err
	}
	told := b.change(true, topics...)
	var silent atomic.Int64
	var asking sync.WaitGroup
	for i, in := range told {
		ask := func() {
			if !in.answered(ctx) {
				silent.Add(1)
			}
		}
		if i == len(told)-1 {
			ask()
		} else {
			asking.Go(ask)
		}
	}
	asking.Wait()
	switch n := silent.Load(); {
	case s.closed.Load():
		return ErrClosed
	case n > 0:
		return fmt.Errorf("mailbox: subscribed, but %d of %d publishers have not answered yet: %w", n, len(told), context.Cause(ctx))
	}
	return nil
}

// Unsubscribe takes back one Subscribe of each of the topics; those that are not subscribed to are ignored. When it
// returns, a SUB receives nothing more that no other topic is a prefix of, even if it is here already; an XSUB may.
// (libzmq: ZMQ_UNSUBSCRIBE.)
//
// It fails with ErrClosed, or, on other patterns, with an error that wraps ErrUnsupported.
func (s *Socket) Unsubscribe(topics ...string) error {
	b, err := s.subscriber()
	if err != nil {
		return err
	}
	b.change(false, topics...)
	return nil
}

func (s *Socket) subscriber() (*subscriber, error) {
	b, ok := s.pattern.(*subscriber)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: a %s has no subscriptions, a SUB has", ErrUnsupported, s.typ)
	case s.closed.Load():
		return nil, ErrClosed
	}
	return b, nil
}

// answered waits until the other end of in has acted upon what was queued for it, and reports false if ctx ended first.
// While reading pauses its answer can't be seen, and is not waited for: perhaps it is for the caller to Recv.
func (in *inlet) answered(ctx context.Context) bool {
	begun, on := in.inbox.pause()
	if on {
		return true
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-begun:
			cancel()
		case <-asking.Done():
		}
	}()
	return in.peer.wire.Ping(asking, in.conn) == nil || in.conn.Err() != nil || ctx.Err() == nil
}
