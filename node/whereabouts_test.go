package node

import (
	"strings"
	"testing"
)

func TestWhereaboutsRefusals(t *testing.T) {
	for name, body := range map[string][]byte{
		"nothing":         {},
		"no map":          appendStr(nil, "gamma"),
		"no node":         appendMap(nil, 0),
		"a bad name":      appendStr(appendStr(appendMap(nil, 1), "node"), "a b"),
		"endpoints alone": appendStrs(appendStr(appendMap(nil, 1), "endpoints"), nil),
		"too many":        appendStrs(appendStr(appendMap(nil, 1), "endpoints"), make([]string, maxList+1)),
		"short uuid":      appendBin(appendStr(appendMap(nil, 1), "incarnation"), []byte{1}),
	} {
		if p, err := readWhereabouts(body); err == nil || !strings.Contains(err.Error(), "NODEINFO") {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := readResolve(appendStr(nil, "a@b")); err == nil {
		t.Error("a RESOLVE of no name")
	}
	later := appendStr(appendStr(appendStr(appendStr(appendMap(nil, 2), "later"), "x"), "node"), "gamma")
	if p, err := readWhereabouts(later); err != nil || p.node != "gamma" {
		t.Errorf("with a key of a later version: %+v, %v", p, err)
	}
}

// FuzzWhereabouts has peers ask and answer whatever they like.
func FuzzWhereabouts(f *testing.F) {
	for _, frame := range [][]byte{golden()["RESOLVE"], golden()["NODEINFO"]} {
		_, body, err := readHeader(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if name, err := readResolve(body); err == nil && checkNode(name) != nil {
			t.Errorf("RESOLVE of %q", name)
		}
		p, err := readWhereabouts(body)
		if err != nil {
			return
		}
		if checkNode(p.node) != nil || len(p.endpoints) > maxList {
			t.Errorf("NODEINFO %+v", p)
		}
		_, body, err = readHeader(appendWhereabouts(nil, 1, &p))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := readWhereabouts(body); err != nil || again.node != p.node || again.incarnation != p.incarnation || len(again.endpoints) != len(p.endpoints) {
			t.Errorf("%+v came back as %+v, %v", p, again, err)
		}
	})
}
