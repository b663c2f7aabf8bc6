package mailbox

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// methods are those of which a pattern may have no use. Each is called in a way that never waits.
var methods = []struct {
	name string
	call func(s *Socket) error
}{
	{"Send", func(s *Socket) error { return s.Send(ended(), []byte("to"), []byte("message")) }},
	{"Recv", func(s *Socket) error { _, err := s.Recv(ended()); return err }},
	{"Skip", func(s *Socket) error { return s.Skip() }},
	{"Subscribe", func(s *Socket) error { return s.Subscribe(ended(), "topic") }},
	{"Unsubscribe", func(s *Socket) error { return s.Unsubscribe("topic") }},
	{"WaitSubscribers", func(s *Socket) error { return s.WaitSubscribers(ended(), 1) }},
}

// TestMethodsOfOtherPatternsFailClearly calls every method on a socket of every pattern that has no peers.
func TestMethodsOfOtherPatternsFailClearly(t *testing.T) {
	var (
		unsupported = ErrUnsupported
		state       = ErrState
		wait        = context.Canceled // it would have had to
	)
	for _, c := range []struct {
		typ  SocketType
		want [6]error // of methods
	}{
		{Req, [6]error{wait, state, unsupported, unsupported, unsupported, unsupported}},
		{Rep, [6]error{state, wait, state, unsupported, unsupported, unsupported}},
		{Dealer, [6]error{wait, wait, unsupported, unsupported, unsupported, unsupported}},
		{Router, [6]error{nil, wait, unsupported, unsupported, unsupported, unsupported}},
		{Push, [6]error{wait, unsupported, unsupported, unsupported, unsupported, unsupported}},
		{Pull, [6]error{unsupported, wait, unsupported, unsupported, unsupported, unsupported}},
		{Pub, [6]error{nil, unsupported, unsupported, unsupported, unsupported, wait}},
		{Sub, [6]error{unsupported, wait, unsupported, nil, nil, unsupported}},
		{XPub, [6]error{nil, wait, unsupported, unsupported, unsupported, wait}},
		{XSub, [6]error{nil, wait, unsupported, nil, nil, unsupported}},
		{Pair, [6]error{wait, wait, unsupported, unsupported, unsupported, unsupported}},
	} {
		s := open(t, c.typ, Config{})
		for i, m := range methods {
			err := m.call(s)
			switch want := c.want[i]; {
			case !errors.Is(err, want):
				t.Errorf("%s on a %s: %v, want %v", m.name, c.typ, err, want)
			case want == unsupported && !strings.Contains(err.Error(), string(c.typ)):
				t.Errorf("%s on a %s: %q does not say what it is", m.name, c.typ, err)
			}
		}
		shut(t, s)
		for i, m := range methods {
			if c.want[i] == unsupported || c.want[i] == state {
				continue
			}
			if err := m.call(s); err != ErrClosed {
				t.Errorf("%s on a %s that is closed: %v", m.name, c.typ, err)
			}
		}
	}
}

func TestSendNeedsAFrame(t *testing.T) {
	for _, typ := range []SocketType{Req, Rep, Dealer, Router, Push, Pull, Pub, Sub, XPub, XSub, Pair} {
		if err := open(t, typ, Config{}).Send(ended()); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("Send without frames on a %s: %v", typ, err)
		}
	}
}

func TestANilContextIsAnError(t *testing.T) {
	var none context.Context
	calls := map[string]func(*Socket) error{
		"Bind":            func(s *Socket) error { _, err := s.Bind(none, "inproc://x"); return err },
		"Unbind":          func(s *Socket) error { return s.Unbind(none, "inproc://x") },
		"Disconnect":      func(s *Socket) error { return s.Disconnect(none, "inproc://x") },
		"Send":            func(s *Socket) error { return s.Send(none, []byte("x")) },
		"Recv":            func(s *Socket) error { _, err := s.Recv(none); return err },
		"Subscribe":       func(s *Socket) error { return s.Subscribe(none, "x") },
		"WaitSubscribers": func(s *Socket) error { return s.WaitSubscribers(none, 1) },
		"Proxy":           func(s *Socket) error { return Proxy(none, s, s, nil) },
		"Close":           func(s *Socket) error { return s.Close(none) },
	}
	for name, call := range calls {
		for _, typ := range []SocketType{Dealer, Sub, Pub} {
			s, err := New(typ, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := call(s); err != errNoContext {
				t.Errorf("%s on a %s: %v", name, typ, err)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}
