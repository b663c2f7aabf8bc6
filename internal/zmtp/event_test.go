package zmtp

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// diary is what Config.Event was told.
type diary struct {
	mu     sync.Mutex
	events []Event
}

func (d *diary) note(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

// take returns what happened, and forgets it.
func (d *diary) take() (kinds []EventKind, events []Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		kinds = append(kinds, e.Kind)
	}
	events, d.events = d.events, nil
	return kinds, events
}

// used serves a connection that is in use from the start.
func used(c *Conn) {
	c.Up()
	idle(c)
}

func TestListenerAndDialerTellWhatHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		var here, there diary
		n := memnet.New()
		cl, cd := config(n, &book), config(n, &book)
		cl.Event, cd.Event, cd.Identity = here.note, there.note, []byte("me")
		expect := func(d *diary, want ...EventKind) []Event {
			t.Helper()
			synctest.Wait()
			kinds, events := d.take()
			if !slices.Equal(kinds, want) {
				t.Errorf("got %v, want %v", kinds, want)
			}
			return append(events, make([]Event, len(want))...)
		}
		d := Dial(cd, "tcp", "a:1", used)
		e := expect(&there, Retrying)[0]
		if e.Wait < defaultBackoffMin || e.Err == nil || e.Network != "tcp" || e.Address != "a:1" {
			t.Errorf("%+v", e)
		}
		l := listen(t, cl, "tcp", "a:1", used)
		expect(&here, Listening)
		time.Sleep(time.Second)
		e = expect(&there, Connected)[0]
		if e.Peer.Type != cl.Type || e.Remote == "" {
			t.Errorf("%+v", e)
		}
		e = expect(&here, Accepted)[0]
		if string(e.Peer.Identity) != "me" || e.Remote == "" || e.Address != "a:1" {
			t.Errorf("%+v", e)
		}
		n.Cut("a:1") // C06: a peer that goes is told of once
		if e := expect(&here, Disconnected)[0]; e.Err == nil || string(e.Peer.Identity) != "me" {
			t.Errorf("%+v", e)
		}
		if e := expect(&there, Disconnected, Retrying)[0]; e.Err == nil {
			t.Errorf("%+v", e)
		}
		time.Sleep(time.Second)
		expect(&there, Connected)
		expect(&here, Accepted)
		nc := dialed(t, n, "tcp", "a:1")
		nc.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		if e := expect(&here, HandshakeFailed)[0]; !errors.Is(e.Err, ErrProtocol) || !strings.Contains(e.Err.Error(), "HTTP") || e.Remote == "" {
			t.Errorf("%+v", e)
		}
		d.Close()
		d.Close()
		if e := expect(&there, Disconnected, Closed)[0]; e.Err != ErrClosed {
			t.Errorf("%+v", e)
		}
		if e := expect(&here, Disconnected)[0]; e.Err != io.EOF {
			t.Errorf("%+v", e)
		}
		l.Close()
		l.Close()
		expect(&here, Closed)
	})
}

func TestConnectionThatServeRefusesIsAFailedHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var book logbook
		var d diary
		n := memnet.New()
		cfg := config(n, &book)
		reason := fmt.Errorf("not you")
		withEvents := *cfg
		withEvents.Event = d.note
		l := listen(t, &withEvents, "tcp", "a:1", func(c *Conn) { c.Refuse(reason) })
		c := shake(t, cfg, "tcp", "a:1")
		idle(c)
		c.Close()
		l.Close()
		kinds, events := d.take()
		if !slices.Equal(kinds, []EventKind{Listening, HandshakeFailed, Closed}) || events[1].Err != reason {
			t.Errorf("%v %+v", kinds, events)
		}
	})
}
