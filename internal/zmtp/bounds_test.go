package zmtp

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/troupe-go/troupe/internal/memnet"
)

// C22: what is queued for a peer that does not read is bounded in bytes too.
func TestOutboxIsBoundedInMemoryAndTellsWhenThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rooms := 0
		o := NewOutbox(0, 10<<10, func() { rooms++ })
		if !o.Send(nil, [][]byte{make([]byte, 1<<20)}) {
			t.Fatal("a large message was refused, and nothing before it")
		}
		if o.HasRoom() || o.Send(nil, text("x")) {
			t.Error("there is room behind it")
		}
		if dropped := o.Purge(); dropped != 1 {
			t.Error(dropped)
		}
		if rooms != 1 || !o.HasRoom() {
			t.Error(rooms)
		}
		n := 0
		for o.Send(nil, make([][]byte, 10)) { // two bytes each
			n++
		}
		if n != 10<<10/20 {
			t.Errorf("%d messages of ten empty frames were taken", n)
		}
		a, b := memnet.Pipe()
		c, _ := raw(t, a, b, 1000)
		served := serving(o, c)
		if err := o.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if sent, _ := o.Sent(); rooms != 2 || o.bytes != 0 || sent != uint64(n) {
			t.Error(rooms, o.bytes, sent)
		}
		c.Close()
		<-served
	})
}

// A sender that asks, and waits for room if the answer was no, is never left waiting.
func TestHasRoomLosesNoWakeUp(t *testing.T) {
	a, b := tcpPair(t)
	d, r := connect(t, a, b)
	room := make(chan struct{}, 1)
	o := NewOutbox(3, 0, func() { room <- struct{}{} })
	served := serving(o, d)
	const sent = 20000
	go func() {
		for range sent {
			for !o.HasRoom() {
				<-room
			}
			o.Send(nil, text("x"))
		}
	}()
	soon(t, "all sent", func() {
		for range sent {
			if _, err := r.Read(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	o.Wait(context.Background())
	o.Close()
	<-served
}

func TestOutboxCountsWhatIsSentHoweverItGoes(t *testing.T) {
	o := NewOutbox(0, 0, nil)
	counts := func(messages, bytes uint64, queued int) {
		t.Helper()
		if m, b := o.Sent(); m != messages || b != bytes || o.Len() != queued {
			t.Errorf("%d messages and %d bytes were sent, %d messages are queued; want %d, %d and %d", m, b, o.Len(), messages, bytes, queued)
		}
	}
	o.Send(nil, [][]byte{[]byte("abc"), nil, []byte("de")})
	o.Send(nil, text("f"))
	counts(0, 0, 2)
	a, b := memnet.Pipe()
	c, _ := raw(t, a, b, 1000)
	o.Send(nil, text("before"))
	served := serving(o, c)
	o.Wait(t.Context())
	counts(3, 12, 0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				o.Send(nil, text("y"))
			}
		})
	}
	go func() { // who reads
		p := make([]byte, 1<<10)
		for {
			if _, err := b.Read(p); err != nil {
				return
			}
		}
	}()
	wg.Wait()
	o.Wait(t.Context())
	counts(2003, 2012, 0)
	c.Close()
	<-served
	o.Send(nil, text("left"))
	if unsent := o.Close(); unsent != 1 {
		t.Error(unsent)
	}
	counts(2003, 2012, 0)
}
