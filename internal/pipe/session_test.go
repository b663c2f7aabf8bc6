package pipe

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/mailbox"
)

// The sessions in the specification are what a producer says and hears.
func TestSpecifiedSessions(t *testing.T) {
	text, err := os.ReadFile("../../topology/PIPE.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```")
	if len(blocks) != 5 {
		t.Fatalf("%d sessions", len(blocks)/2)
	}
	for i := 1; i < len(blocks); i += 2 {
		over(t, "gives", func(e *edge) { session(e, strings.TrimSpace(blocks[i])) })
	}
}

func session(e *edge, text string) {
	p := NewProducer(Config[[]byte]{Log: quiet, Retries: 5})
	place := e.place(sideGives)
	place.Name = "ventilator"
	w, err := Give(p, place)
	if err != nil {
		e.t.Fatal(err)
	}
	defer w.Close(ended)
	s := newStream()
	s.id = uuid.UUID([]byte("0123456789abcdef"))
	ending := newStream()
	for _, millis := range []string{"\x05", "\x07", "\x09"} {
		body := []byte("\x81\xa6Millis" + millis)
		if err := p.Send(e.t.Context(), s.ID(), "", body, len(body), s); err != nil {
			e.t.Fatal(err)
		}
	}
	say, hear := e.stranger(mailbox.Dealer)
	for line := range strings.Lines(text) {
		who, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
		var frames []string
		for rest != "" {
			quoted, err := strconv.QuotedPrefix(strings.TrimSpace(rest))
			if err != nil {
				e.t.Fatalf("%s: %v", line, err)
			}
			rest = strings.TrimSpace(rest)[len(quoted):]
			frame, _ := strconv.Unquote(quoted)
			frames = append(frames, frame)
		}
		if who == "consumer" {
			say(frames...)
			synctest.Wait()
			continue
		}
		if frames[0] == "END" {
			p.End(EndOf(s.id), "ventilator", ending)
		}
		if got := hear(); !slices.Equal(got, frames) {
			e.t.Fatalf("the producer says\n%q, specified is\n%q", got, frames)
		}
	}
	if strings.Contains(text, "END") && (s.done.Load() != 3 || ending.done.Load() != 1) {
		e.t.Errorf("%d tasks are done, %d ends", s.done.Load(), ending.done.Load())
	}
}
