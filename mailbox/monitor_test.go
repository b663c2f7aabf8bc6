package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// watch collects the events of s until it is closed, and returns what waits for so many of a kind, and what waits for
// the end and returns them all.
func watch(t *testing.T, s *Socket) (seen func(kind EventKind, n int), all func() []Event) {
	var mu sync.Mutex
	var events []Event
	end := make(chan struct{})
	monitor := s.Monitor(context.Background())
	go func() {
		defer close(end)
		for e := range monitor {
			mu.Lock()
			events = append(events, e)
			mu.Unlock()
		}
	}()
	seen = func(kind EventKind, n int) {
		t.Helper()
		until(t, fmt.Sprint(n, " times ", kind), func() bool {
			mu.Lock()
			defer mu.Unlock()
			saw := 0
			for _, e := range events {
				if e.Kind == kind {
					saw++
				}
			}
			return saw >= n
		})
	}
	all = func() []Event {
		<-end
		return events
	}
	return seen, all
}

func kinds(events []Event) (ks []EventKind) {
	for _, e := range events {
		ks = append(ks, e.Kind)
	}
	return ks
}

func TestMonitorTellsTheLifeOfEndpointsAndConnections(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		pull, push := open(t, Pull, Config{}), open(t, Push, Config{})
		bound, allBound := watch(t, pull)
		up, allUp := watch(t, push)
		bind(t, pull, at)
		connect(t, push, at)
		bound(Accepted, 1)
		up(Connected, 1)
		shut(t, pull)
		up(Retrying, 1)
		shut(t, push)
		there, here := allBound(), allUp()
		if !slices.Equal(kinds(there), []EventKind{Listening, Accepted, Disconnected, Closed}) {
			t.Errorf("the bound socket saw %v", kinds(there))
		}
		if ks := kinds(here); len(ks) < 4 || ks[0] != Connected || ks[1] != Disconnected || ks[len(ks)-1] != Closed {
			t.Errorf("the connected socket saw %v", ks)
		}
		for _, e := range append(there, here...) {
			if e.Endpoint.String() != at || e.Time.IsZero() || e.Missed != 0 {
				t.Errorf("%+v", e)
			}
			if failed := e.Kind == Disconnected || e.Kind == Retrying; (e.Err != nil) != failed {
				t.Errorf("%+v", e)
			}
			if e.Kind == Retrying && e.Wait <= 0 {
				t.Errorf("%+v", e)
			}
		}
		if there[1].PeerType != Push || here[0].PeerType != Pull || !errors.Is(there[2].Err, ErrClosed) {
			t.Errorf("%+v, %+v", there, here)
		}
	})
}

// C06: a peer that leaves is an event, once, and not the end of anything.
func TestPeerThatLeavesIsOneEventAndTheOthersGoOn(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		pull := open(t, Pull, Config{})
		seen, all := watch(t, pull)
		bind(t, pull, at)
		stays, leaves := open(t, Push, Config{}), open(t, Push, Config{})
		connect(t, stays, at)
		connect(t, leaves, at)
		seen(Accepted, 2)
		send(t, leaves, "bye")
		shut(t, leaves)
		seen(Disconnected, 1)
		expect(t, pull, "bye")
		for i := range 100 {
			send(t, stays, fmt.Sprint(i))
			expect(t, pull, fmt.Sprint(i))
		}
		shut(t, pull)
		if ks := kinds(all()); !slices.Equal(ks, []EventKind{Listening, Accepted, Accepted, Disconnected, Disconnected, Closed}) {
			t.Errorf("saw %v", ks)
		}
	})
}

func TestDisconnectAndUnbindAreEvents(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		pull, push := open(t, Pull, Config{}), open(t, Push, Config{})
		bound, allBound := watch(t, pull)
		up, allUp := watch(t, push)
		bind(t, pull, at)
		connect(t, push, at)
		up(Connected, 1)
		bound(Accepted, 1)
		if err := push.Disconnect(within(t, 10*time.Second), at); err != nil {
			t.Fatal(err)
		}
		bound(Disconnected, 1)
		if err := pull.Unbind(within(t, 10*time.Second), at); err != nil {
			t.Fatal(err)
		}
		shut(t, push)
		shut(t, pull)
		if ks := kinds(allUp()); !slices.Equal(ks, []EventKind{Connected, Disconnected, Closed}) {
			t.Errorf("the connected socket saw %v", ks)
		}
		if ks := kinds(allBound()); !slices.Equal(ks, []EventKind{Listening, Accepted, Disconnected, Closed}) {
			t.Errorf("the bound socket saw %v", ks)
		}
	})
}

func TestEndpointOfAnEventCanBeConnectedTo(t *testing.T) {
	s := open(t, Pull, Config{})
	_, all := watch(t, s)
	at := bind(t, s, "tcp://*:*")
	shut(t, s)
	for _, e := range all() {
		if e.Endpoint.String() != at {
			t.Errorf("%v at %v, want %s", e.Kind, e.Endpoint, at)
		}
	}
}

func TestFailedHandshakesSayWhyAndStayShort(t *testing.T) {
	s := open(t, Pull, Config{})
	seen, all := watch(t, s)
	addr := strings.TrimPrefix(bind(t, s, "tcp://127.0.0.1:*"), "tcp://")
	for _, said := range []string{"GET / HTTP/1.1\r\n\r\n", greeting + ready(property("Socket-Type", strings.Repeat("x", 3000)))} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write([]byte(said))
	}
	seen(HandshakeFailed, 2)
	wrong := open(t, Pull, Config{})
	connect(t, wrong, "tcp://"+addr)
	seen(HandshakeFailed, 3)
	shut(t, wrong)
	shut(t, s)
	for _, e := range all() {
		if e.Kind != HandshakeFailed {
			continue
		}
		if e.Err == nil || len(e.Err.Error()) > longText+10 || e.Remote == "" {
			t.Errorf("%+v", e)
		}
	}
}

func TestRefusedConnectionIsAFailedHandshake(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{})
		seen, all := watch(t, router)
		bind(t, router, at)
		for range 2 {
			connect(t, open(t, Dealer, Config{Identity: []byte("same")}), at)
		}
		seen(HandshakeFailed, 1)
		shut(t, router)
		for _, e := range all() {
			if e.Kind == HandshakeFailed && (e.Err == nil || !strings.Contains(e.Err.Error(), "same")) {
				t.Errorf("%+v", e)
			}
		}
	})
}

func TestRoutersMonitorNamesItsPeersAsRecvDoes(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		router := open(t, Router, Config{})
		seen, all := watch(t, router)
		bind(t, router, at)
		var names []string
		for _, own := range []string{"", "me", ""} {
			dealer := open(t, Dealer, Config{Identity: []byte(own)})
			connect(t, dealer, at)
			send(t, dealer, "hello")
			names = append(names, recv(t, router)[0])
			shut(t, dealer)
			seen(Disconnected, len(names))
		}
		shut(t, router)
		var accepted, lost []string
		for _, e := range all() {
			switch e.Kind {
			case Accepted:
				accepted = append(accepted, string(e.Identity))
			case Disconnected:
				lost = append(lost, string(e.Identity))
			}
		}
		if !slices.Equal(accepted, names) || !slices.Equal(lost, names) || names[1] != "me" {
			t.Errorf("received from %q, accepted %q, lost %q", names, accepted, lost)
		}
	})
}

func TestMonitorEndsWithItsContextAndWithItsLoop(t *testing.T) {
	s := open(t, Pull, Config{})
	bind(t, s, "inproc://"+t.Name())
	ctx, cancel := context.WithCancel(context.Background())
	unused := s.Monitor(ctx)
	waiting := make(chan struct{})
	monitor := s.Monitor(ctx)
	go func() {
		defer close(waiting)
		for range monitor {
		}
	}()
	broken := s.Monitor(context.Background())
	bind(t, s, "inproc://"+t.Name()+"2")
	for range broken {
		break
	}
	cancel()
	<-waiting
	until(t, "all are forgotten", func() bool {
		s.monitors.mu.Lock()
		defer s.monitors.mu.Unlock()
		return len(s.monitors.all) == 0
	})
	for range unused {
		t.Error("an event after the end")
	}
	shut(t, s)
	for e := range s.Monitor(context.Background()) {
		t.Error("an event of a closed socket: ", e)
	}
}

func TestSlowMonitorMissesTheOldestAndLearnsHowMany(t *testing.T) {
	var ms monitors
	m := ms.add()
	number := func(i int) Event { return Event{Wait: time.Duration(i)} }
	for i := range 10 {
		ms.tell(number(i))
	}
	for i := range 5 {
		if e, ok, _ := m.take(); !ok || e.Wait != time.Duration(i) || e.Missed != 0 {
			t.Fatal(e)
		}
	}
	for i := range 3 * eventsKept {
		ms.tell(number(10 + i))
	}
	if len(m.ring) != eventsKept {
		t.Errorf("room for %d", len(m.ring))
	}
	next, missed := 5, 0
	for {
		e, ok, _ := m.take()
		if !ok {
			break
		}
		missed += e.Missed
		if next += e.Missed; e.Wait != time.Duration(next) {
			t.Fatalf("event %d, want %d", e.Wait, next)
		}
		next++
	}
	if next != 10+3*eventsKept || missed != 2*eventsKept+5 {
		t.Errorf("%d events, %d of them missed", next, missed)
	}
	ms.end()
	if _, ok, over := m.take(); ok || !over {
		t.Error("not over")
	}
}
