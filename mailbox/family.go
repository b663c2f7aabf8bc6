package mailbox

import (
	"cmp"
	"math/bits"
	"slices"
)

// perRow is how many kids lie in a row: with pointers for subscribers, 32 KiB of them, which the runtime aligns.
const perRow = 512

// family is the kids of a node, and a hash table to find them.
//
// Looking for a word that no kid has touches only the table, which is small: that of 100,000 kids fits into a
// processor's second cache, where the kids would not. Finding a kid touches one line of the kids besides.
type family[S comparable] struct {
	// A power of two of entries, of which half or more are zero. A kid's is the first that was free from its hash on. The
	// bits that number entries are the kid's index, plus one; the others are some of the kid's hash.
	table   []uint32
	rows    [][]topic[S]      // full but for the last: many kids need not move to make room for one
	len     int               // how many kids there are
	lengths uint8             // 1<<n, if count[n] is not zero
	count   [whole + 1]uint32 // how many kids have words of so many bytes
}

// at returns the kid with the index.
func (f *family[S]) at(i uint32) *topic[S] {
	return &f.rows[i/perRow][i%perRow]
}

// match calls each for those who have the kids with w's first bytes, and returns the kid with w itself, if it is whole.
func (f *family[S]) match(w word, each func(S)) *topic[S] {
	for lengths := f.lengths & (1<<(w.size()+1) - 1); lengths != 0; lengths &= lengths - 1 {
		size := bits.TrailingZeros8(lengths)
		_, kid := f.find(w.cut(size))
		if size == whole { // the last there is
			return kid
		}
		if kid != nil {
			kid.tell(each)
		}
	}
	return nil
}

// find returns the place in the table of the kid with the word, and the kid, or nil.
func (f *family[S]) find(w word) (uint32, *topic[S]) {
	hash, mask := w.hash(), uint32(len(f.table)-1)
	for p := uint32(hash); ; p++ {
		entry := f.table[p&mask]
		if entry == 0 {
			return p & mask, nil
		}
		if (entry^uint32(hash>>32))&^mask == 0 {
			if kid := f.at(entry&mask - 1); kid.word == w {
				return p & mask, kid
			}
		}
	}
}

// insert adds a kid with a word that no other has, and returns where it is now.
func (f *family[S]) insert(kid topic[S]) *topic[S] {
	if f.len%perRow == 0 {
		f.rows = append(f.rows, nil)
	}
	last := &f.rows[len(f.rows)-1]
	if have := len(*last); have == cap(*last) {
		*last = append(make([]topic[S], 0, min(1+have+have/4, perRow)), *last...) // less to spare than append's
	}
	*last = append(*last, kid)
	f.len++
	if 2*f.len > len(f.table) {
		f.resize()
	} else {
		f.enter(uint32(f.len - 1))
	}
	size := kid.word.size()
	f.count[size]++
	f.lengths |= 1 << size
	return f.at(uint32(f.len - 1))
}

// delete removes the kid with the word. The last one takes its index.
func (f *family[S]) delete(w word) {
	p, kid := f.find(w)
	mask := uint32(len(f.table) - 1)
	i, end := f.table[p]&mask-1, uint32(f.len-1)
	f.table[p] = 0
	for p++; f.table[p&mask] != 0; p++ { // these may be here because that place was taken
		next := f.table[p&mask]&mask - 1
		f.table[p&mask] = 0
		f.enter(next)
	}
	if i != end {
		moved := f.at(end)
		p, _ := f.find(moved.word)
		f.table[p] -= end - i
		*kid = *moved
	}
	f.drop()
	if 8*f.len < len(f.table) {
		f.resize()
	}
	size := w.size()
	if f.count[size]--; f.count[size] == 0 {
		f.lengths &^= 1 << size
	}
}

// drop removes the last kid from its row.
func (f *family[S]) drop() {
	f.len--
	last := &f.rows[len(f.rows)-1]
	switch left := f.len % perRow; {
	case left == 0:
		*last = nil
		f.rows = f.rows[:len(f.rows)-1]
	case left <= cap(*last)/2:
		*last = append(make([]topic[S], 0, left), (*last)[:left]...)
	default:
		(*last)[left] = topic[S]{}
		*last = (*last)[:left]
	}
}

// resize makes a table of two to four times as many entries as there are kids.
func (f *family[S]) resize() {
	f.table = make([]uint32, 1<<bits.Len(uint(2*f.len)))
	f.rows = slices.Clone(f.rows)
	for i := range f.len {
		f.enter(uint32(i))
	}
}

// enter puts the kid with the index into the table.
func (f *family[S]) enter(i uint32) {
	hash, mask := f.at(i).word.hash(), uint32(len(f.table)-1)
	p := uint32(hash)
	for f.table[p&mask] != 0 {
		p++
	}
	f.table[p&mask] = uint32(hash>>32)&^mask | (i + 1)
}

// sorted returns the kids in order.
func (f *family[S]) sorted() []*topic[S] {
	all := make([]*topic[S], f.len)
	for i := range all {
		all[i] = f.at(uint32(i))
	}
	slices.SortFunc(all, func(a, b *topic[S]) int { return cmp.Compare(a.word, b.word) })
	return all
}
