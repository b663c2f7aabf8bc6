package broker

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/troupe-go/troupe/mailbox"
)

// The exchange in topology/SERVICE.md is played: what the peers say there is sent, and what the front says must come, byte
// by byte.
func TestTheSpecifiedExchange(t *testing.T) {
	text, err := os.ReadFile("../../topology/SERVICE.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^(front|caller|server) +→ (front|caller|server) +(.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) != 8 {
		t.Fatalf("%d lines", len(lines))
	}
	empty(t, func(t *testing.T, s *stage) {
		f, err := NewFront(s.cfg, nil, "square")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close(ended)
		if _, err := f.Bind(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		f.last = 0x6c1f9a0300000006
		peers := map[string]*mailbox.Socket{}
		for _, name := range []string{"caller", "server"} {
			peers[name] = s.raw(mailbox.Config{})
			defer peers[name].Close(ended)
		}
		for _, line := range lines {
			text, _, _ := strings.Cut(line[3], "            ") // without the remark
			frames := strings.Split(text, " | ")
			head, err := hex.DecodeString(strings.ReplaceAll(frames[0], " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			frames[0] = string(head)
			if line[2] == "front" {
				var msg [][]byte
				for _, frame := range frames {
					msg = append(msg, []byte(frame))
				}
				if err := peers[line[1]].Send(t.Context(), msg...); err != nil {
					t.Fatal(err)
				}
				settle()
				continue
			}
			msg, err := peers[line[2]].Recv(s.soon())
			if err != nil {
				t.Fatalf("%s: %v", line[0], err)
			}
			var got []string
			for _, frame := range msg {
				got = append(got, string(frame))
			}
			if strings.Join(got, "|") != strings.Join(frames, "|") {
				t.Errorf("got %q, want %q", got, frames)
			}
		}
	})
}

func TestEntriesOfOneMessageAreTakenInOrderAndUnknownOnesSkipped(t *testing.T) {
	play(t, func(t *testing.T, s *stage, f *Front) {
		srv, d := s.server(3), s.raw(mailbox.Config{})
		defer srv.Close()
		defer d.Close(ended)
		s.hears(d)
		s.say(d, callOf(9, "before hello"))
		s.none(srv)
		var p packer
		for _, e := range []entry{helloOf(0, "echo"), callOf(1, "a")} {
			p.add(&e)
		}
		none := callOf(2, "")
		unknown := none.append(nil)
		unknown[0], unknown[1] = '?', 3 // with three frames
		frames := append(p.frames, append(unknown, "a longer header"...), nil, nil, nil)
		p = packer{}
		last := callOf(3, "b")
		p.add(&last)
		if err := d.Send(t.Context(), append(frames, p.frames...)...); err != nil {
			t.Fatal(err)
		}
		if a, b := s.next(srv), s.next(srv); string(a.Body)+string(b.Body) != "ab" {
			t.Errorf("got %q and %q", a.Body, b.Body)
		}
		s.none(srv)
	})
}
