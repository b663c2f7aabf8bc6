package mailbox

import (
	"slices"
	"strings"
)

// maxLabel is how long a label may be: what a split or a merger of two nodes copies is bounded by it.
const maxLabel = 1024

// topics says who subscribed to which prefixes: a radix tree, in which a node stands for the bytes on the way to it.
//
// A match costs a step for each node on the frame's way, however many prefixes there are. Memory is proportional to the
// bytes of the prefixes that somebody has; a removal gives back what it held. The zero value is empty. It is not safe for
// concurrent use.
type topics[S comparable] struct {
	root topic[S] // the empty prefix
}

// topic is a node. One without subscribers has two kids or more, unless it is the root, or its label and its only kid's
// would be too long together. With pointers for subscribers a node fills one cache line, and its kids lie side by side:
// a step is one cache miss.
type topic[S comparable] struct {
	label    string     // what the node adds to the prefix, without its first byte
	kids     []topic[S] // by first byte
	one      S          // the first subscriber, if has
	others   *crowd[S]  // the other subscribers
	first    byte       // that the node adds to the prefix
	firstKid byte       // kids[0].first
	has      bool       // somebody has this prefix
}

// add notes that s has prefix, and reports whether nobody had it, and whether s had it not.
func (t *topics[S]) add(prefix string, s S) (first, fresh bool) {
	n := &t.root
	for parent := n; len(prefix) > 0; {
		i, ok := n.find(prefix[0])
		if !ok {
			rest := prefix[1:min(len(prefix), 1+maxLabel)]
			n.insert(i, topic[S]{first: prefix[0], label: strings.Clone(rest)})
			parent, n, prefix = n, &n.kids[i], prefix[1+len(rest):]
			continue
		}
		parent, n, prefix = n, &n.kids[i], prefix[1:]
		same := common(n.label, prefix)
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
	branch := 0 // which of stay's kids leads on
	n := &t.root
	for len(prefix) > 0 {
		i, ok := n.find(prefix[0])
		if !ok {
			return false, false
		}
		if parent == nil || n.has || len(n.kids) > 1 {
			above, stay, branch = parent, n, i
		}
		parent, n, prefix = n, &n.kids[i], prefix[1:]
		if !strings.HasPrefix(prefix, n.label) {
			return false, false
		}
		prefix = prefix[len(n.label):]
	}
	last, had = n.part(s)
	if !last || parent == nil {
		return last, had
	}
	if len(n.kids) == 0 {
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
	for {
		if n.has {
			each(n.one)
			if n.others != nil {
				for _, s := range n.others.list {
					each(s)
				}
			}
		}
		if len(frame) == 0 {
			return
		}
		i, ok := n.find(frame[0])
		if !ok {
			return
		}
		n, frame = &n.kids[i], frame[1:]
		if len(n.label) > 0 {
			if len(frame) < len(n.label) || string(frame[:len(n.label)]) != n.label {
				return
			}
			frame = frame[len(n.label):]
		}
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
		prefix = prefix[:at.len]
		if at.n != &t.root {
			prefix = append(append(prefix, at.n.first), at.n.label...)
		}
		if at.n.has {
			each(string(prefix))
		}
		for i := range slices.Backward(at.n.kids) {
			todo = append(todo, step{&at.n.kids[i], len(prefix)})
		}
	}
}

// find returns the place among n's kids of the one that starts with b, and whether there is such a kid.
func (n *topic[S]) find(b byte) (int, bool) {
	if len(n.kids) == 0 || b < n.firstKid {
		return 0, false
	}
	high := int(b - n.firstKid) // it is there, if no byte between has no kid, and can't be beyond
	if high < len(n.kids) && n.kids[high].first == b {
		return high, true
	}
	low := 0
	for high = min(high, len(n.kids)); low < high; {
		if mid := (low + high) / 2; n.kids[mid].first < b {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(n.kids) && n.kids[low].first == b
}

// insert makes kid n's i-th.
func (n *topic[S]) insert(i int, kid topic[S]) {
	if have := len(n.kids); have == cap(n.kids) {
		n.kids = append(make([]topic[S], 0, 1+have+have/4), n.kids...) // less to spare than append's
	}
	n.kids = slices.Insert(n.kids, i, kid)
	n.firstKid = n.kids[0].first
}

// delete removes n's i-th kid.
func (n *topic[S]) delete(i int) {
	n.kids = slices.Delete(n.kids, i, i+1)
	switch left := len(n.kids); {
	case left == 0:
		n.kids = nil
		return
	case left <= cap(n.kids)/2:
		n.kids = append(make([]topic[S], 0, left), n.kids...)
	}
	n.firstKid = n.kids[0].first
}

// split makes two nodes of n, if its label has more than the given length, and n the upper one.
func (n *topic[S]) split(length int) bool {
	if length == len(n.label) {
		return false
	}
	lower := *n
	lower.first, lower.label = n.label[length], strings.Clone(n.label[length+1:])
	lower.merge()
	*n = topic[S]{
		label:    strings.Clone(n.label[:length]),
		kids:     []topic[S]{lower},
		first:    n.first,
		firstKid: lower.first,
	}
	return true
}

// merge makes one node of n and its kid, if n is there for nothing else.
func (n *topic[S]) merge() bool {
	if n.has || len(n.kids) != 1 || len(n.label)+1+len(n.kids[0].label) > maxLabel {
		return false
	}
	first, label := n.first, n.label+string([]byte{n.kids[0].first})+n.kids[0].label
	*n = n.kids[0]
	n.first, n.label = first, label
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
