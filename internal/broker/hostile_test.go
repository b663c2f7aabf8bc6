package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
	"github.com/troupe-go/troupe/mailbox"
)

func TestWhateverAPeerSendsTheOthersAreServed(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		c, srv, d := s.caller(), s.server(1), s.raw(mailbox.Config{})
		defer c.Close()
		defer srv.Close()
		defer d.Close(ended)
		s.hears(d)
		h := header{kind: reply, id: 1}
		short := h.append(nil)[:headerSize-1]
		long := append(h.append(nil), "and more"...)
		long[1] = 200 // frames
		var hostile [][][]byte
		for _, greeting := range []entry{helloOf(0, "echo"), helloOf(1<<31, "echo")} {
			var p packer
			p.add(&greeting)
			hostile = append(hostile, [][]byte{{}}, [][]byte{short}, [][]byte{long, {1}}, p.frames)
			for kind := range 256 {
				for _, id := range []uint64{0, 1, f.last, 1<<64 - 1} {
					h := header{kind: byte(kind), id: id, n: 1<<32 - 1, ms: 1<<32 - 1}
					hostile = append(hostile, [][]byte{h.append(nil)}, [][]byte{h.append(nil), {}, {}, h.append(nil)})
				}
			}
		}
		for _, msg := range hostile {
			if err := d.Send(t.Context(), msg...); err != nil {
				t.Fatal(err)
			}
		}
		settle()
		got := s.begin(c, t.Context(), "q", false)
		go func() { // it may have announced itself as a server, and doesn't answer
			time.Sleep(time.Second)
			d.Close(ended)
		}()
		time.Sleep(2 * time.Second)
		for {
			r := s.next(srv)
			r.Reply(r.Body)
			settle()
			if string(r.Body) == "q" {
				break
			}
		}
		s.want(got, "q")
	})
}

// Not in a bubble: its time would stand still while the flood lasts.
func TestAFloodKeepsNobodyOut(t *testing.T) {
	s := newStage(t)
	f := s.front()
	defer f.Close(ended)
	flood, stop := context.WithCancel(t.Context())
	var flooding sync.WaitGroup
	for range 6 {
		d := s.raw(mailbox.Config{})
		flooding.Go(func() {
			for e := callOf(1, ""); d.Send(flood, e.append(nil), nil) == nil; {
			}
			d.Close(ended)
		})
	}
	srv, err := NewServer(s.cfg, "echo", at, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCaller(s.cfg, "echo", at)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for r, err := srv.Next(t.Context()); err == nil; r, err = srv.Next(t.Context()) {
			r.Reply(r.Body)
		}
	}()
	if body, err := c.Call(t.Context(), []byte("q"), false); err != nil || string(body) != "q" {
		t.Errorf("got %q, %v", body, err)
	}
	stop()
	flooding.Wait()
	srv.Close()
	c.Close()
}

// split makes messages of bytes: each frame is a byte for its sender, a byte for its length, the high bit ending the
// message, and so many bytes.
func split(data []byte) (messages [][][]byte) {
	var msg [][]byte
	for len(data) >= 2 {
		from, n, last := data[0]%4, int(data[1]&0x7f), data[1]&0x80 != 0
		data = data[2:]
		n = min(n, len(data))
		if msg == nil {
			msg = [][]byte{{0, from}}
		}
		msg = append(msg, data[:n:n])
		data = data[n:]
		if last {
			messages, msg = append(messages, msg), nil
		}
	}
	return messages
}

// FuzzFront lets four peers say anything.
func FuzzFront(f *testing.F) {
	frame := func(from byte, last bool, b []byte) []byte {
		n := byte(len(b))
		if last {
			n |= 0x80
		}
		return append([]byte{from, n}, b...)
	}
	say := func(from byte, e entry) (out []byte) {
		n := frameCount(e.kind)
		out = frame(from, n == 0, e.append(nil))
		for i, b := range e.frames[:n] {
			out = append(out, frame(from, i == n-1, b)...)
		}
		return out
	}
	var script []byte
	for _, e := range []struct {
		from byte
		e    entry
	}{
		{0, helloOf(0, "echo")}, {1, helloOf(1, "echo")}, {2, helloOf(2, "echo")}, {3, helloOf(0, "echo")},
		{0, callOf(1, "a")}, {3, callOf(1, "b")}, {0, callOf(2, "c")}, {0, callOf(3, "d")}, {3, callOf(4, "e")},
		{1, entry{header{kind: reply, id: 1}, [2][]byte{[]byte("re")}}}, {0, entry{header: header{kind: cancel, id: 3}}},
		{0, entry{header: header{kind: more, id: 2, n: 9}}}, {2, entry{header{kind: part, id: 2}, [2][]byte{[]byte("p")}}},
		{2, entry{header{kind: fail, id: 3}, [2][]byte{[]byte("name"), []byte("text")}}}, {2, entry{header: header{kind: end, id: 4}}},
		{1, entry{header: header{kind: leave}}}, {2, helloOf(1, "echo")}, {0, helloOf(0, "echo")}, {3, helloOf(0, "other")},
	} {
		script = append(script, say(e.from, e.e)...)
		f.Add(bytes.Clone(script))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		net := memnet.New()
		front, err := newFront(mailbox.Config{Network: net, Log: slog.New(slog.DiscardHandler)}, []string{"echo"})
		if err != nil {
			t.Fatal(err)
		}
		front.Close(ended) // its goroutine has ended: the test is in its place
		front.last = 0     // so that the script's replies hit
		for _, msg := range split(data) {
			front.handle(msg)
			if err := front.consistent(); err != nil {
				t.Fatal(err)
			}
		}
		front.flush() // nobody is there: all are forgotten
		if err := front.consistent(); err != nil || len(front.parties) > 0 && len(front.spoken) > 0 {
			t.Fatal(err)
		}
	})
}

// consistent says what is wrong with what the front knows.
func (f *Front) consistent() error {
	for id, p := range f.parties {
		bytes, waiting := 0, 0
		for n, c := range p.calls {
			if c.caller != p || c.id != n {
				return fmt.Errorf("call %d of %q is another's", n, id)
			}
			bytes += len(c.body)
			if c.server == nil {
				waiting++
			} else if c.server.hand[c.number] != c {
				return fmt.Errorf("call %d of %q is not in its server's hand", n, id)
			}
		}
		if bytes != p.bytes || waiting != p.waiting.Len() || (waiting > 0) != (p.turn != nil) {
			return fmt.Errorf("%q: %d bytes, counted %d; %d wait, counted %d", id, bytes, p.bytes, waiting, p.waiting.Len())
		}
		for n, c := range p.hand {
			if c.server != p || c.number != n || c.caller != nil && c.caller.calls[c.id] != c {
				return fmt.Errorf("what server %q has in hand is another's", id)
			}
		}
		if takes := len(p.hand) < p.slots && !p.full && !p.leaving; takes != (p.free != nil) {
			return fmt.Errorf("server %q: takes calls %v, listed %v", id, takes, p.free != nil)
		}
	}
	for _, s := range f.services {
		if s.free.Len() > 0 && s.callers.Len() > 0 {
			return fmt.Errorf("calls wait although a server is free")
		}
		for e := s.free.Front(); e != nil; e = e.Next() {
			if p := e.Value.(*party); f.parties[string(p.id)] != p {
				return fmt.Errorf("a server that is gone is listed")
			}
		}
		for e := s.callers.Front(); e != nil; e = e.Next() {
			if p := e.Value.(*party); f.parties[string(p.id)] != p {
				return fmt.Errorf("a caller that is gone is listed")
			}
		}
	}
	return nil
}

// FuzzEntries reads any frames, and what it read again.
func FuzzEntries(f *testing.F) {
	for _, e := range []entry{helloOf(7, "echo"), callOf(1<<63, "body"), {header: header{kind: more, id: 1, n: 2}}} {
		f.Add(e.append(nil), e.frames[0], e.frames[1])
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		rest := [][]byte{a, b, c}
		for {
			before := len(rest)
			e, left, ok := next(rest)
			if !ok {
				return
			}
			if len(left) >= before {
				t.Fatal("it goes round in circles")
			}
			var p packer
			p.add(&e)
			again, left2, ok := next(p.frames)
			if !ok || len(left2) > 0 || again.header != e.header || !bytes.Equal(again.frames[0], e.frames[0]) {
				t.Fatalf("%v became %v", e, again)
			}
			if id := binary.BigEndian.Uint64(rest[0][12:]); id != e.id {
				t.Fatal("wrong number")
			}
			rest = left
		}
	})
}
