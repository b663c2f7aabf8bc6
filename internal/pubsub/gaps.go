package pubsub

import "strings"

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
	at         map[flow]*position
	publishers map[id]int // how many flows each has
	missed     missed
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
		g.at, g.publishers = make(map[flow]*position), make(map[id]int)
	}
	if len(g.at) >= maxStreams {
		for f := range g.at {
			g.end(f)
			break
		}
	}
	at := h.at
	g.at[flow{h.publisher, string(key)}] = &at
	g.publishers[h.publisher]++
}

// end forgets a flow, if there is one.
func (g *gaps) end(f flow) {
	if _, had := g.at[f]; !had {
		return
	}
	delete(g.at, f)
	if g.publishers[f.publisher]--; g.publishers[f.publisher] == 0 {
		delete(g.publishers, f.publisher)
	}
}

// forget lets what is not subscribed to any more begin anew: the key, or if it is not exact, the keys that start with it.
func (g *gaps) forget(key string, exact bool, wanted func(key string) bool) {
	if exact {
		if !wanted(key) {
			for publisher := range g.publishers {
				g.end(flow{publisher, key})
			}
		}
		return
	}
	for f := range g.at {
		if strings.HasPrefix(f.key, key) && !wanted(f.key) {
			g.end(f)
		}
	}
}
