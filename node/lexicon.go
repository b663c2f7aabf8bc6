package node

import "github.com/troupe-go/troupe/actor"

// lexicon remembers the words that come on a link again and again, names of types and of actors, and the PIDs that they
// make: one of each is kept, however often it comes. It belongs to the goroutine that reads.
type lexicon struct {
	here, there actor.PID // of the two nodes themselves
	words       map[string]*word
}

type word struct {
	text        string
	here, there actor.PID // of the actors called so at the two nodes; zero until they are asked for
}

const (
	maxWords = 256 // that are remembered; then it begins anew
	maxWord  = 256 // bytes of one
)

// look returns the word for some bytes, or nil if they are too many.
func (x *lexicon) look(b []byte) *word {
	if w := x.words[string(b)]; w != nil || len(b) > maxWord {
		return w
	}
	if len(x.words) >= maxWords || x.words == nil {
		x.words = make(map[string]*word)
	}
	w := &word{text: string(b)}
	x.words[w.text] = w
	return w
}

// str is string(b). A nil lexicon remembers nothing.
func (x *lexicon) str(b []byte) string {
	if x == nil {
		return string(b)
	}
	if w := x.look(b); w != nil {
		return w.text
	}
	return string(b)
}

// pid is a.pid of an actor at this node, or at the peer.
func (x *lexicon) pid(a *address, node actor.PID) actor.PID {
	switch a.form {
	case byID:
		return node.Other(a.id)
	case byName:
		if w := x.words[a.name]; w != nil {
			at := &w.there
			if node == x.here {
				at = &w.here
			}
			if at.IsZero() {
				*at = a.pid(node.Node(), node.Incarnation())
			}
			return *at
		}
	}
	return a.pid(node.Node(), node.Incarnation())
}
