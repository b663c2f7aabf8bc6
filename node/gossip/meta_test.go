package gossip

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"

	"github.com/troupe-go/troupe/node"
)

// What a node says of itself comes back from what its members gossip, or is refused.
func TestMetadataComesBackAsWritten(t *testing.T) {
	for _, info := range []node.Info{
		{Name: "alpha"},
		{Name: "alpha", Endpoints: []string{"tcp://10.0.0.7:4000", "ipc:///run/a \"quoted\" path"}, Kinds: []string{"worker", "ünïcode"}},
	} {
		b, err := encode(info)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(&memberlist.Node{Name: "alpha", Meta: b}); !reflect.DeepEqual(got, info) {
			t.Errorf("%+v came back as %+v", info, got)
		}
	}
	if _, err := encode(node.Info{Kinds: []string{strings.Repeat("x", memberlist.MetaMaxSize)}}); err == nil {
		t.Error("more than there is room for")
	}
}

// FuzzMetadata has a member say whatever it likes about itself.
func FuzzMetadata(f *testing.F) {
	whole, err := encode(node.Info{Endpoints: []string{"tcp://10.0.0.7:4000", "ipc:///run/alpha"}, Kinds: []string{"worker"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(whole), "", "{", "null", "[]", `{"e":[]}`, `{"e":"tcp://x:1"}`, `{"e":[1]}`, `{"k":[null]}`, `{"x":{"e":["y"]}}`,
		`{"e":["a"],"e":["b"]}`, `{"E":["a"]}`, `{"k":["\ud800"]}`, "{\"e\":[\"\xff\"]}", strings.Repeat("[", 400), `{"e":[` + strings.Repeat(`"",`, 150) + `""]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, told []byte) {
		info := decode(&memberlist.Node{Name: "alpha", Meta: told})
		if info.Name != "alpha" {
			t.Errorf("it is called %q", info.Name)
		}
		size := 0
		for _, s := range append(info.Endpoints, info.Kinds...) {
			size += len(s)
		}
		if size > 3*memberlist.MetaMaxSize { // what is no UTF-8 becomes three bytes each
			t.Errorf("%d bytes made of %d", size, len(told))
		}
		b, err := encode(info)
		if err != nil {
			return // larger in our own form
		}
		again := decode(&memberlist.Node{Name: "alpha", Meta: b})
		if len(again.Endpoints) != len(info.Endpoints) || len(again.Kinds) != len(info.Kinds) {
			t.Errorf("%+v came back as %+v", info, again)
		}
	})
}
