package pubsub

import (
	"maps"
	"strings"
)

// maxMissed is of how many keys a subscriber counts apart what it missed.
const maxMissed = 1 << 16

// missed counts the updates that a subscriber missed.
type missed struct {
	all   uint64
	byKey map[string]uint64
}

func (m *missed) add(key string, n uint64) {
	m.all += n
	if m.byKey == nil {
		m.byKey = make(map[string]uint64)
	}
	if _, had := m.byKey[key]; had || len(m.byKey) < maxMissed {
		m.byKey[key] += n
	}
}

// count returns how many there are of the keys, or, without keys, of all.
func (m *missed) count(keys []string) (n uint64) {
	if len(keys) == 0 {
		return m.all
	}
	for _, key := range keys {
		n += m.byKey[key]
	}
	return n
}

// flow is the updates of one key by one publisher.
type flow struct {
	publisher id
	key       string
}

// gaps finds out what a subscriber missed, by the positions of what it gets. It is bounded: beyond maxStreams keys it
// forgets where it was with some, and then does not know what it missed of them.
type gaps struct {
	at     map[flow]*position
	missed missed
}

// pass notes that an update has come, or its mark. It reports whether the update is later than all of its key that came
// before from its publisher.
func (g *gaps) pass(h *header, key []byte, mark bool) (fresh bool) {
	at := g.at[flow{h.publisher, string(key)}]
	if at == nil {
		g.begin(h, key)
		return true
	}
	if !at.before(h.at) {
		return false
	}
	missed := h.at.number - at.number
	if h.at.run != at.run {
		missed = h.at.number
	}
	if !mark {
		missed--
	}
	*at = h.at
	if missed > 0 {
		g.missed.add(string(key), missed)
	}
	return true
}

// begin notes the first update of a key: what was before it was not missed.
func (g *gaps) begin(h *header, key []byte) {
	if g.at == nil {
		g.at = make(map[flow]*position)
	}
	if len(g.at) >= maxStreams {
		for f := range g.at {
			delete(g.at, f)
			break
		}
	}
	at := h.at
	g.at[flow{h.publisher, string(key)}] = &at
}

// forget lets what is not subscribed to any more begin anew: the keys that start with prefix, or the one that is it.
func (g *gaps) forget(prefix string, exact bool, wanted func(key string) bool) {
	maps.DeleteFunc(g.at, func(f flow, _ *position) bool {
		return (f.key == prefix || !exact && strings.HasPrefix(f.key, prefix)) && !wanted(f.key)
	})
}
