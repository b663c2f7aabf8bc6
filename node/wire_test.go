package node

import (
	"bytes"
	"encoding/hex"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vmihailenco/msgpack/v5"
)

var (
	alphaInc = uuid.UUID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	betaInc  = uuid.UUID{0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff}
)

// golden are the frames shown in PROTOCOL.md, by the name that they have there.
func golden() map[string][]byte {
	body := appendHello(nil, &hello{
		lowest: 1, highest: 1, node: "alpha", incarnation: alphaInc, library: "troupe",
		endpoints: []string{"tcp://10.0.0.7:4000"}, limits: map[string]uint64{"message": 64 << 20},
	})
	pack := func(s string) []byte { return appendStr(nil, s) }
	hi := pack("hi")
	again := appendHello(nil, &hello{lowest: 1, highest: 1, node: "beta", incarnation: betaInc, kinds: []string{"worker"},
		resume: memory{true, alphaInc, 5}})
	first := appendHello(nil, &hello{lowest: 1, highest: 1, node: "beta", incarnation: betaInc, resume: memory{kept: true}})
	return map[string][]byte{
		"AGAIN":  append(appendHeader(nil, &header{kind: kindHello}), again...),
		"FIRST":  append(appendHeader(nil, &header{kind: kindHello}), first...),
		"ACK":    appendHeader(nil, &header{kind: kindAck, ack: 5}),
		"PAUSE":  appendHeader(nil, &header{kind: kindPause, sender: address{form: byName, name: "greeter"}}),
		"RESUME": appendHeader(nil, &header{kind: kindResume, sender: address{form: byID, id: 3<<32 | 0xcafe}}),
		"PART": append(appendHeader(nil, &header{kind: kindPart, flags: lastPart, seq: 7, ack: 3, correlation: 1}),
			"the end of a frame"...),
		"HELLO": append(appendHeader(nil, &header{kind: kindHello}), body...),
		"TELL": append(appendHeader(nil, &header{kind: kindTell, seq: 1,
			target: address{form: byName, name: "greeter"}, typ: "string"}), hi...),
		"ASK": append(appendHeader(nil, &header{kind: kindAsk, seq: 2, ack: 1,
			target: address{form: byID, id: 3<<32 | 0xcafe}, sender: address{form: byID, id: 1<<32 | 0xbeef},
			correlation: 7, deadline: 5000, typ: "string"}), hi...),
		"FAIL": append(appendHeader(nil, &header{kind: kindFail, seq: 2, ack: 2,
			target: address{form: byID, id: 1<<32 | 0xbeef}, correlation: 7, typ: "actor.no-actor"}),
			pack("actor: no such actor")...),
		"WHOLE": appendHeader(nil, &header{kind: kindTell, seq: 3, ack: 2,
			target: address{form: byName, name: "greeter"},
			sender: address{form: whole, node: "gamma", incarnation: betaInc, id: 300}, typ: "nil",
			meta: map[string]string{"trace": "x"}}),
		"WATCH": append(appendHeader(nil, &header{kind: kindWatch, seq: 4, ack: 2,
			target: address{form: byName, name: "greeter"}, sender: address{form: byID, id: 1<<32 | 0xbeef}, correlation: 8}), 0xc0),
		"TERM": append(appendHeader(nil, &header{kind: kindTerminated, seq: 3, ack: 4,
			target: address{form: byID, id: 1<<32 | 0xbeef}, sender: address{form: byName, name: "greeter"}, correlation: 8, typ: "stopped"}), 0xc0),
		"SPAWN": append(appendHeader(nil, &header{kind: kindSpawn, seq: 5, ack: 3, target: address{form: byName, name: "helper"},
			sender: address{form: byID, id: 1<<32 | 0xbeef}, correlation: 9, typ: "string", meta: map[string]string{"kind": "worker"}}), hi...),
		"RESOLVE":  sixth(appendResolve(nil, 11, "gamma")),
		"NODEINFO": sixth(appendWhereabouts(nil, 11, &whereabouts{node: "gamma", incarnation: betaInc, endpoints: []string{"tcp://10.0.0.9:4000"}})),
		"BYE":      appendHeader(nil, &header{kind: kindBye, ack: 2, typ: byeClosing}),
	}
}

// sixth is frame as the sixth message, which acknowledges three.
func sixth(frame []byte) []byte {
	number(frame, 6, 3)
	return frame
}

func TestGoldenBytesInProtocol(t *testing.T) {
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```golden\n")
	block, _, _ = strings.Cut(block, "```")
	shown := make(map[string][]byte)
	name := ""
	for line := range strings.Lines(block) {
		first, rest, _ := strings.Cut(line, " ")
		if strings.HasPrefix(line, " ") {
			rest = line
		} else {
			name = first
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(rest), ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		shown[name] = append(shown[name], b...)
	}
	for name, want := range golden() {
		if !bytes.Equal(shown[name], want) {
			t.Errorf("PROTOCOL.md shows for %s\n%x, the library writes\n%x", name, shown[name], want)
		}
		delete(shown, name)
	}
	for name := range shown {
		t.Errorf("PROTOCOL.md shows %s, which no test writes", name)
	}
}

func TestHeaderComesBackAsWritten(t *testing.T) {
	addresses := []address{
		{},
		{form: byID},
		{form: byID, id: 1<<64 - 1},
		{form: byName, name: "a"},
		{form: byName, name: strings.Repeat("n", 300)},
		{form: whole, node: "gamma", incarnation: betaInc, id: 1 << 40},
		{form: whole, node: strings.Repeat("g", 255), name: "worker"},
	}
	for i, a := range addresses {
		h := header{kind: kindAsk, flags: mustUnderstand, seq: 1 << 50, ack: 200, target: a,
			sender: addresses[len(addresses)-1-i], correlation: 70000, deadline: 1 << 33,
			typ: strings.Repeat("t", 40*i), meta: map[string]string{"k": "v", "": "empty"}}
		got, body, err := readHeader(append(appendHeader(nil, &h), "body"...))
		if err != nil || string(body) != "body" || !reflect.DeepEqual(got, h) {
			t.Errorf("%+v came back as %+v, body %q, %v", h, got, body, err)
		}
	}
}

func TestSequenceAndAckAreWrittenInPlace(t *testing.T) {
	frame := append(appendHeader(nil, &header{kind: kindTell, typ: "string"}), 0xa1, 'x')
	number(frame, 1<<60, 77)
	h, body, err := readHeader(frame)
	if err != nil || h.seq != 1<<60 || h.ack != 77 || h.typ != "string" || len(body) != 2 {
		t.Errorf("got %+v, %x, %v", h, body, err)
	}
}

// Any msgpack library may have written the header, with the encodings that it prefers, and with more elements.
func TestHeaderOfAnotherMsgpackWriter(t *testing.T) {
	list := []any{int64(kindTell), int8(0), uint64(5), int32(4), "greeter",
		[]any{"gamma", betaInc[:], "", uint64(9), "more"}, int16(300), uint32(0), nil, map[string]string{"a": "b"},
		map[string]any{"later": []any{1.5, float32(2), true, nil, []byte("x"), int64(-5)}}, "and more"}
	frame, err := msgpack.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	h, body, err := readHeader(append(frame, 0xc0))
	want := header{kind: kindTell, seq: 5, ack: 4, target: address{form: byName, name: "greeter"},
		sender: address{form: whole, node: "gamma", incarnation: betaInc, id: 9}, correlation: 300,
		meta: map[string]string{"a": "b"}}
	if err != nil || !bytes.Equal(body, []byte{0xc0}) || !reflect.DeepEqual(h, want) {
		t.Errorf("got %+v, %x, %v", h, body, err)
	}
}

func TestHeaderRefusals(t *testing.T) {
	good := func() []any { return []any{kindTell, 0, 0, 0, nil, nil, 0, 0, nil, nil} }
	with := func(i int, v any) []any { l := good(); l[i] = v; return l }
	for name, list := range map[string]any{
		"too few elements":       good()[:9],
		"not an array":           "hello",
		"kind zero":              with(0, 0),
		"kind too large":         with(0, 256),
		"kind nil":               with(0, nil),
		"negative seq":           with(2, -1),
		"negative seq, 64 bits":  with(2, int64(-1<<40)),
		"ack a float":            with(3, 1.5),
		"empty name":             with(4, ""),
		"target a bool":          with(4, true),
		"pid of three":           with(5, []any{"n", nil, "x"}),
		"pid named and exact":    with(5, []any{"n", alphaInc[:], "x", 1}),
		"pid of nothing":         with(5, []any{"n", nil, "", 1}),
		"pid with a short uuid":  with(5, []any{"n", []byte{1}, "", 1}),
		"pid with a bad node":    with(5, []any{"n@m", nil, "x", 0}),
		"pid with a long node":   with(5, []any{strings.Repeat("n", 256), nil, "x", 0}),
		"type too long":          with(8, strings.Repeat("t", maxType+1)),
		"type a number":          with(8, 5),
		"meta with many":         with(9, many()),
		"meta too long":          with(9, map[string]string{"k": strings.Repeat("v", maxMeta)}),
		"extra element too deep": append(good(), []any{[]any{[]any{[]any{[]any{[]any{[]any{[]any{[]any{1}}}}}}}}}),
	} {
		frame, err := msgpack.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		if h, _, err := readHeader(frame); err == nil {
			t.Errorf("%s: read as %+v", name, h)
		}
	}
	if _, _, err := readHeader(nil); err == nil {
		t.Error("nothing was read as a header")
	}
}

func many() map[string]string {
	m := make(map[string]string)
	for i := range maxMetaPairs + 1 {
		m[string(rune('a'+i))] = ""
	}
	return m
}

func TestHelloComesBackAsWritten(t *testing.T) {
	h := hello{lowest: 1, highest: 3, node: "alpha", incarnation: alphaInc, features: []string{"x"}, library: "lib",
		endpoints: []string{"tcp://a:1", "ipc:///b"}, heartbeat: 1000, limits: map[string]uint64{"message": 5}}
	got, err := readHello(appendHello(nil, &h))
	if err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("%+v came back as %+v, %v", h, got, err)
	}
}

func TestHelloWithKeysOfLaterVersions(t *testing.T) {
	body, err := msgpack.Marshal(map[string]any{"version": []int{1, 9}, "node": "alpha", "incarnation": alphaInc[:],
		"zone": map[string]any{"deep": []int{1, 2}}})
	if err != nil {
		t.Fatal(err)
	}
	if h, err := readHello(body); err != nil || h.node != "alpha" {
		t.Errorf("got %+v, %v", h, err)
	}
}

func TestHelloRefusals(t *testing.T) {
	good := hello{lowest: 1, highest: 1, node: "alpha", incarnation: alphaInc}
	for name, spoil := range map[string]func(*hello){
		"no version":       func(h *hello) { h.lowest = 0 },
		"versions swapped": func(h *hello) { h.lowest = 2 },
		"later version":    func(h *hello) { h.lowest, h.highest = 2, 4 },
		"no name":          func(h *hello) { h.node = "" },
		"name with space":  func(h *hello) { h.node = "al pha" },
		"name with @":      func(h *hello) { h.node = "x@alpha" },
		"name not UTF-8":   func(h *hello) { h.node = "alpha\xff" },
		"long name":        func(h *hello) { h.node = strings.Repeat("n", 256) },
		"no incarnation":   func(h *hello) { h.incarnation = uuid.Nil },
		"many endpoints":   func(h *hello) { h.endpoints = make([]string, maxList+1) },
		"too long":         func(h *hello) { h.endpoints = []string{strings.Repeat("e", 1000)}; h.features = h.endpoints },
	} {
		h := good
		spoil(&h)
		body := appendHello(nil, &h)
		if name == "too long" {
			body = append(body, make([]byte, maxHello)...)
		}
		if got, err := readHello(body); err == nil {
			t.Errorf("%s: accepted as %+v", name, got)
		}
	}
}

// FuzzParts has a message come in parts as they may be cut and mixed.
func FuzzParts(f *testing.F) {
	for _, frame := range golden() {
		f.Add(frame, uint8(3), []byte("other"), "")
		f.Add(frame, uint8(3), []byte("other"), strconv.Itoa(len(frame)))
	}
	f.Fuzz(func(t *testing.T, frame []byte, cut uint8, other []byte, says string) {
		a := assembly{most: 1 << 16}
		size := int(cut) + 1
		if len(frame)+len(other)*(len(frame)/size+1) > 1<<16 || len(frame) == 0 {
			return
		}
		for at := 0; at < len(frame); at += size {
			h := header{correlation: 1}
			piece := frame[at:min(at+size, len(frame))]
			if at+size >= len(frame) {
				h.flags = lastPart
			}
			if at == 0 && says != "" {
				h.meta = map[string]string{sizeKey: says}
			}
			nothing, refused := a.add(&header{correlation: 2}, other)
			whole, err := a.add(&h, bytes.Clone(piece))
			if lies := says != "" && says != strconv.Itoa(len(frame)); lies && (refused != nil || err != nil) {
				return
			}
			if nothing != nil || refused != nil {
				t.Fatalf("the other: %q, %v", nothing, refused)
			}
			if err != nil || (h.flags != 0) != (whole != nil) || whole != nil && !bytes.Equal(whole, frame) {
				t.Fatalf("%q, %v", whole, err)
			}
		}
		if _, open := a.open[1]; open || len(a.open) > 1 {
			t.Fatal("something is left of a message that is whole")
		}
	})
}

func FuzzHeader(f *testing.F) {
	for _, frame := range golden() {
		f.Add(frame)
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x9a, 1, 0, 0, 0, 0xc0, 0xc0, 0, 0, 0xdb, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, body, err := readHeader(frame)
		if err != nil {
			return
		}
		if err := h.fits(); err != nil {
			t.Fatalf("read what may not be written: %v", err)
		}
		var known header
		lex := new(lexicon)
		for range 2 { // the second time it knows the words, and perhaps the header
			part, err := known.read(frame, lex)
			fields := known
			if fields.tail = nil; err != nil || !bytes.Equal(part, body) || !reflect.DeepEqual(fields, h) {
				t.Fatalf("with a lexicon: %+v, %v", known, err)
			}
		}
		again, rest, err := readHeader(append(appendHeader(nil, &h), body...))
		if err != nil || !bytes.Equal(rest, body) || !reflect.DeepEqual(again, h) {
			t.Fatalf("%+v came back as %+v, %v", h, again, err)
		}
		if h.kind == kindHello {
			if hi, err := readHello(body); err == nil {
				if again, err := readHello(appendHello(nil, &hi)); err != nil || again.node != hi.node {
					t.Fatalf("%+v came back as %+v, %v", hi, again, err)
				}
			}
		}
	})
}
