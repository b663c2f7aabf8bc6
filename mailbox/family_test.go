package mailbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// sound fails unless f is as its comments say.
func (f *family[S]) sound(t *testing.T) {
	t.Helper()
	entries := 0
	for _, entry := range f.table {
		if entry != 0 {
			entries++
		}
	}
	if entries != f.len || len(f.table) < 2*f.len || len(f.table) > 8*f.len {
		t.Fatalf("%d entries in a table of %d for %d kids", entries, len(f.table), f.len)
	}
	room, kids := 0, 0
	for _, row := range f.rows {
		room, kids = room+cap(row), kids+len(row)
	}
	if kids != f.len || room > 2*kids || len(f.rows) != (kids+perRow-1)/perRow {
		t.Fatalf("%d kids in %d rows with room for %d, want %d", kids, len(f.rows), room, f.len)
	}
	var count [whole + 1]uint32
	for i := range uint32(f.len) {
		w := f.at(i).word
		if _, kid := f.find(w); kid != f.at(i) {
			t.Fatalf("kid %d isn't found", i)
		}
		count[w.size()]++
	}
	for size, have := range count {
		if f.count[size] != have || f.lengths>>size&1 == 1 != (have > 0) {
			t.Fatalf("%d kids have words of %d bytes, and %d are counted", have, size, f.count[size])
		}
	}
}

// A family that grows, lives on and shrinks has the kids that a map has, whatever the order.
func TestFamilyAgreesWithAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var f family[int]
	f.resize()
	kids := make(map[word]int)
	for phase, inserts := range []int{9, 5, 1} { // of ten steps
		for i := range 20_000 {
			w := newWord(fmt.Appendf(nil, "%d", r.IntN(20_000)))
			_, kid := f.find(w)
			if one, ok := kids[w]; ok != (kid != nil) || ok && kid.one != one {
				t.Fatalf("phase %d, step %d: found %v, want %d, %v", phase, i, kid, one, ok)
			}
			if r.IntN(10) < inserts {
				if kid == nil {
					kid = f.insert(topic[int]{word: w, one: i, has: true})
				}
				kid.one, kids[w] = i, i
			} else if kid != nil {
				f.delete(w)
				delete(kids, w)
			}
		}
		if f.len != len(kids) {
			t.Fatalf("%d kids, want %d", f.len, len(kids))
		}
		f.sound(t)
	}
	for w := range kids {
		f.delete(w)
	}
	if f.len > 0 || cap(f.rows) > 1 || len(f.table) > 1 || f.lengths > 0 {
		t.Errorf("%d kids are left, %d rows, a table of %d, and lengths %b", f.len, cap(f.rows), len(f.table), f.lengths)
	}
}

// Words that differ in one byte only, whichever it is, are spread over the table.
func TestWordsAreSpread(t *testing.T) {
	for at := range whole {
		var f family[int]
		for b := range 256 {
			bytes := []byte("abcdefg")
			bytes[at] = byte(b)
			f.insert(topic[int]{word: newWord(bytes)})
		}
		run, longest := 0, 0
		for _, entry := range slices.Concat(f.table, f.table) {
			if run++; entry == 0 {
				run = 0
			}
			longest = max(longest, run)
		}
		if longest > 64 {
			t.Errorf("byte %d: %d entries without a gap", at, longest)
		}
	}
}

func TestWordsAreOrderedAsTheirBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	random := func() []byte {
		b := make([]byte, r.IntN(whole+3))
		for i := range b {
			b[i] = "\x00\x01a\xff"[r.IntN(4)]
		}
		return b
	}
	for range 20_000 {
		a, b := random(), random()
		v, w := newWord(a), newWord(b)
		a, b = a[:min(len(a), whole)], b[:min(len(b), whole)]
		if got := v.append(nil); !bytes.Equal(got, a) || v.size() != len(a) {
			t.Fatalf("%q is %q, of %d bytes", a, got, v.size())
		}
		if (v < w) != (bytes.Compare(a, b) < 0) || (v == w) != bytes.Equal(a, b) {
			t.Fatalf("%q and %q are ordered otherwise", a, b)
		}
		if size := r.IntN(len(a) + 1); v.cut(size) != newWord(a[:size]) {
			t.Fatalf("%q cut to %d bytes is %x", a, size, v.cut(size))
		}
	}
}
