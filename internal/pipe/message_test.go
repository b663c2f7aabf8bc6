package pipe

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// golden are the messages of the worked exchange in topology/PIPE.md, as a Go quoted string for each frame.
var golden = map[string][]string{
	"hello":  {"HELLO", "troupe-pipe/1", "tasks", "takes", "worker 1"},
	"credit": {"CREDIT", "17"},
	"task":   {"TASK", "0123456789abcdef\x00\x00\x00\x00\x00\x00\x00\x07", "1", "body"},
	"done":   {"DONE", "0123456789abcdef\x00\x00\x00\x00\x00\x00\x00\x07"},
	"back":   {"BACK", "0123456789abcdef\x00\x00\x00\x00\x00\x00\x00\x07" + "0123456789abcdef\x00\x00\x00\x00\x00\x00\x00\x08"},
	"fail":   {"FAIL", "0123456789abcdef\x00\x00\x00\x00\x00\x00\x00\x07", "no such file"},
	"end":    {"END", "0123456789abcdef\xff\xff\xff\xff\xff\xff\xff\xff", "ventilator"},
	"gone":   {"GONE", "0123456789abcdef\xff\xff\xff\xff\xff\xff\xff\xff"},
	"bye":    {"BYE", "why"},
}

func frames(texts []string) (frames [][]byte) {
	for _, text := range texts {
		frames = append(frames, []byte(text))
	}
	return frames
}

func TestMessagesAreReadAsSpecified(t *testing.T) {
	source := uuid.UUID([]byte("0123456789abcdef"))
	seven := ID{source, 7}
	for name, check := range map[string]func(m *message) bool{
		"hello": func(m *message) bool {
			return m.protocol == Protocol && m.edge == "tasks" && m.side == "takes" && m.name == "worker 1"
		},
		"credit": func(m *message) bool { return m.limit == 17 },
		"task": func(m *message) bool {
			return len(m.tasks) == 1 && m.tasks[0].id == seven && m.tasks[0].attempt == 1 && string(m.tasks[0].body) == "body"
		},
		"done": func(m *message) bool { return slices.Equal(m.ids, []ID{seven}) },
		"back": func(m *message) bool { return slices.Equal(m.ids, []ID{seven, {source, 8}}) },
		"fail": func(m *message) bool { return slices.Equal(m.ids, []ID{seven}) && m.text == "no such file" },
		"end":  func(m *message) bool { return slices.Equal(m.ids, []ID{EndOf(source)}) && m.name == "ventilator" },
		"gone": func(m *message) bool { return slices.Equal(m.ids, []ID{EndOf(source)}) },
		"bye":  func(m *message) bool { return m.text == "why" },
	} {
		var m message
		if err := m.parse(frames(golden[name])); err != nil || !check(&m) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if b := seven.append(nil); string(b) != golden["done"][1] {
		t.Errorf("an id is written as %q", b)
	}
}

func TestTextsOfPeersAreCut(t *testing.T) {
	var m message
	if err := m.parse(frames([]string{"BYE", strings.Repeat("\xff", 10*maxText)})); err != nil || len(m.text) > maxText {
		t.Errorf("%d bytes, %v", len(m.text), err)
	}
}

func FuzzMessage(f *testing.F) {
	for _, texts := range golden {
		f.Add([]byte(strings.Join(texts, "|")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parts := bytes.Split(data, []byte("|"))
		var m message
		if m.parse(parts) != nil {
			return
		}
		var again message
		if err := again.parse(parts); err != nil || again.command != string(parts[0]) {
			t.Errorf("%q: %v", parts, err)
		}
		if len(m.tasks) > len(parts) || len(m.ids)*idSize > len(data) || len(m.text) > 3*maxText || m.limit < 0 {
			t.Errorf("%q: %+v", parts, m)
		}
	})
}
