package mailbox

import (
	"slices"
	"strings"
)

// maxLabel is how long a label may be: what a split or a merger of two nodes copies is bounded by it.
const maxLabel = 292 * whole

// topics says who subscribed to which prefixes: a radix tree that a prefix goes down by words, all of them whole but the
// last, and in which a node stands for the bytes on the way to it.
//
// A match costs a look-up for each node on the frame's way, and for each length that the words after the node have,
// however many prefixes there are. Memory is proportional to the bytes of the prefixes that somebody has; a removal
// gives back what it held. The zero value is empty. It is not safe for concurrent use.
type topics[S comparable] struct {
	root topic[S] // the empty prefix
}

// topic is a node. One without subscribers has two kids or more, unless it is the root, or its label and what its only
// kid adds would be too long together. One with kids has a whole word, and a label as long as some whole words. With
// pointers for subscribers a node fills one cache line, which is all that a match touches unless there is a label.
type topic[S comparable] struct {
	word   word       // what the node adds to the prefix
	label  string     // and after it
	kids   *family[S] // nil if there are none
	one    S          // the first subscriber, if has
	others *crowd[S]  // the other subscribers
	has    bool       // somebody has this prefix
	_      [8]byte    // the rest of the line
}

// add notes that s has prefix, and reports whether nobody had it, and whether s had it not.
func (t *topics[S]) add(prefix string, s S) (first, fresh bool) {
	n := &t.root
	for parent := n; len(prefix) > 0; {
		w := newWord([]byte(prefix[:min(len(prefix), whole)]))
		kid := n.find(w)
		if kid == nil {
			end := min(len(prefix), w.size()+maxLabel)
			kid = n.insert(topic[S]{word: w, label: strings.Clone(prefix[w.size():end])})
			parent, n, prefix = n, kid, prefix[end:]
			continue
		}
		parent, n, prefix = n, kid, prefix[w.size():]
		same := common(n.label, prefix)
		if same < len(prefix) || same < len(n.label) {
			same -= same % whole
		}
		if n.split(same) && parent != &t.root && parent.merge() {
			n = parent
		}
		prefix = prefix[same:]
	}
	return n.join(s)
}

// remove notes that s has prefix no more, and reports whether nobody has it now, and whether s had it.
func (t *topics[S]) remove(prefix string, s S) (last, had bool) {
	// Of the nodes on the way, stay is the last that is needed without the ones after it, and above its parent.
	var above, parent, stay *topic[S]
	var branch word // which of stay's kids leads on
	n := &t.root
	for len(prefix) > 0 {
		w := newWord([]byte(prefix[:min(len(prefix), whole)]))
		kid := n.find(w)
		if kid == nil {
			return false, false
		}
		if parent == nil || n.has || n.kids.len > 1 {
			above, stay, branch = parent, n, w
		}
		parent, n, prefix = n, kid, prefix[w.size():]
		if !strings.HasPrefix(prefix, n.label) {
			return false, false
		}
		prefix = prefix[len(n.label):]
	}
	last, had = n.part(s)
	if !last || parent == nil {
		return last, had
	}
	if n.kids == nil {
		stay.delete(branch)
		parent, n = above, stay
	}
	if parent != nil {
		n.merge()
		if parent != &t.root {
			parent.merge()
		}
	}
	return last, had
}

// match calls each for every prefix of frame and everybody who has it: perhaps several times for one who has several.
// each must not change t.
func (t *topics[S]) match(frame []byte, each func(S)) {
	n := &t.root
	n.tell(each)
	for n.kids != nil && len(frame) > 0 {
		next := n.kids.match(newWord(frame), each)
		if next == nil {
			return
		}
		n, frame = next, frame[whole:]
		if len(n.label) > 0 {
			if len(frame) < len(n.label) || string(frame[:len(n.label)]) != n.label {
				return
			}
			frame = frame[len(n.label):]
		}
		n.tell(each)
	}
}

// walk calls each for every prefix that somebody has, in order. each must not change t.
func (t *topics[S]) walk(each func(prefix string)) {
	type step struct {
		n   *topic[S]
		len int // of the prefix without what n adds
	}
	var prefix []byte
	for todo := []step{{&t.root, 0}}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		prefix = append(at.n.word.append(prefix[:at.len]), at.n.label...)
		if at.n.has {
			each(string(prefix))
		}
		if at.n.kids == nil {
			continue
		}
		for _, kid := range slices.Backward(at.n.kids.sorted()) {
			todo = append(todo, step{kid, len(prefix)})
		}
	}
}

// find returns n's kid with the word, or nil.
func (n *topic[S]) find(w word) *topic[S] {
	if n.kids == nil {
		return nil
	}
	_, kid := n.kids.find(w)
	return kid
}

// insert makes kid n's, and returns where it is now. Its brothers may have moved.
func (n *topic[S]) insert(kid topic[S]) *topic[S] {
	if n.kids == nil {
		n.kids = new(family[S])
	}
	return n.kids.insert(kid)
}

// delete removes n's kid with the word. Its brothers may have moved.
func (n *topic[S]) delete(w word) {
	n.kids.delete(w)
	if n.kids.len == 0 {
		n.kids = nil
	}
}

// split makes two nodes of n, if its label has more than the given length, and n the upper one.
func (n *topic[S]) split(length int) bool {
	if length == len(n.label) {
		return false
	}
	lower, rest := *n, n.label[length:]
	lower.word = newWord([]byte(rest[:min(len(rest), whole)]))
	lower.label = strings.Clone(rest[lower.word.size():])
	lower.merge()
	*n = topic[S]{word: n.word, label: strings.Clone(n.label[:length])}
	n.insert(lower)
	return true
}

// merge makes one node of n and its kid, if n is there for nothing else.
func (n *topic[S]) merge() bool {
	if n.has || n.kids == nil || n.kids.len != 1 {
		return false
	}
	kid := *n.kids.at(0)
	if len(n.label)+kid.word.size()+len(kid.label) > maxLabel {
		return false
	}
	kid.label = string(append(kid.word.append([]byte(n.label)), kid.label...))
	kid.word = n.word
	*n = kid
	return true
}

// common returns how many bytes a and b start with in common.
func common(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
