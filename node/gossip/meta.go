package gossip

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/memberlist"

	"github.com/troupe-go/troupe/node"
)

// meta is what a member says about itself, as JSON. Keys that are not known are ignored.
type meta struct {
	Endpoints []string `json:"e,omitempty"`
	Kinds     []string `json:"k,omitempty"`
}

// encode refuses what is larger than memberlist has room for.
func encode(self node.Info) ([]byte, error) {
	b, err := json.Marshal(meta{self.Endpoints, self.Kinds})
	if err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	if len(b) > memberlist.MetaMaxSize {
		return nil, fmt.Errorf("gossip: this node's %d endpoints and %d kinds need %d bytes, and no more than %d can be told: use fewer or shorter ones",
			len(self.Endpoints), len(self.Kinds), len(b), memberlist.MetaMaxSize)
	}
	return b, nil
}

// decode makes nothing of what it cannot read.
func decode(m *memberlist.Node) node.Info {
	var told meta
	if len(m.Meta) > memberlist.MetaMaxSize || json.Unmarshal(m.Meta, &told) != nil {
		return node.Info{Name: m.Name}
	}
	return node.Info{Name: m.Name, Endpoints: told.Endpoints, Kinds: told.Kinds}
}
