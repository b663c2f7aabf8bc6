package mailbox

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// reached is who a frame goes to, as often as it does.
func reached[S comparable](t *topics[S], frame string) (all []S) {
	t.match([]byte(frame), func(s S) { all = append(all, s) })
	return all
}

// matched is the same, sorted.
func matched[S int | string](t *topics[S], frame string) []S {
	all := reached(t, frame)
	slices.Sort(all)
	return all
}

// C63: a subscription is to all that starts with its prefix, and to nothing else.
func TestTopicsMatchByPrefix(t *testing.T) {
	var tree topics[string]
	for _, prefix := range []string{"", "tx", "tx_trytes", "tx_t", "ty", "romane", "romanus", "\x00", "\xff\x00"} {
		if first, fresh := tree.add(prefix, prefix); !first || !fresh {
			t.Fatalf("add %q: %v, %v", prefix, first, fresh)
		}
	}
	for _, c := range []struct {
		frame string
		want  []string
	}{
		{"", []string{""}},
		{"t", []string{""}},
		{"tx", []string{"", "tx"}},
		{"tx_", []string{"", "tx"}},
		{"tx_trytex", []string{"", "tx", "tx_t"}},
		{"tx_trytes 1", []string{"", "tx", "tx_t", "tx_trytes"}},
		{"tz", []string{""}},
		{"roman", []string{""}},
		{"romanes", []string{"", "romane"}},
		{"romanus", []string{"", "romanus"}},
		{"\x00\x00", []string{"", "\x00"}},
		{"\xff", []string{""}},
		{"\xff\x00", []string{"", "\xff\x00"}},
	} {
		if got := matched(&tree, c.frame); !slices.Equal(got, c.want) {
			t.Errorf("%q matches %q, want %q", c.frame, got, c.want)
		}
	}
}

func TestTopicsSayWhoIsFirstAndLast(t *testing.T) {
	var tree topics[int]
	type result struct{ a, b bool }
	for i, c := range []struct {
		add    bool
		prefix string
		s      int
		want   result
	}{
		{true, "ab", 1, result{true, true}},
		{true, "ab", 1, result{false, false}},
		{true, "ab", 2, result{false, true}},
		{true, "abc", 2, result{true, true}},
		{true, "", 1, result{true, true}},
		{false, "a", 1, result{false, false}},
		{false, "abcd", 2, result{false, false}},
		{false, "b", 1, result{false, false}},
		{false, "abc", 1, result{false, false}},
		{false, "ab", 1, result{false, true}},
		{false, "ab", 1, result{false, false}},
		{false, "ab", 2, result{true, true}},
		{false, "ab", 2, result{false, false}},
		{false, "abc", 2, result{true, true}},
		{false, "", 2, result{false, false}},
		{false, "", 1, result{true, true}},
	} {
		var got result
		if c.add {
			got.a, got.b = tree.add(c.prefix, c.s)
		} else {
			got.a, got.b = tree.remove(c.prefix, c.s)
		}
		if got != c.want {
			t.Errorf("step %d, %+v: got %v", i, c, got)
		}
	}
	if tree.root.kids != nil {
		t.Error("nodes are left")
	}
}

// plainTopics does what topics does, in the simplest way.
type plainTopics map[string]map[int]bool

func (p plainTopics) add(prefix string, s int) (first, fresh bool) {
	first, fresh = len(p[prefix]) == 0, !p[prefix][s]
	if first {
		p[prefix] = make(map[int]bool)
	}
	p[prefix][s] = true
	return first, fresh
}

func (p plainTopics) remove(prefix string, s int) (last, had bool) {
	had = p[prefix][s]
	delete(p[prefix], s)
	if last = had && len(p[prefix]) == 0; last {
		delete(p, prefix)
	}
	return last, had
}

func (p plainTopics) match(frame string) []int {
	var all []int
	for n := range len(frame) + 1 {
		all = slices.AppendSeq(all, maps.Keys(p[frame[:n]]))
	}
	slices.Sort(all)
	return all
}

// sound fails unless n and all below it are as topic's comment says.
func sound[S comparable](t *testing.T, n *topic[S], root bool) (nodes int) {
	t.Helper()
	var kids []*topic[S]
	if n.kids != nil {
		kids = n.kids.sorted()
		n.kids.sound(t)
	}
	if !root && !n.has && len(kids) == 0 {
		t.Fatal("a dead node is left")
	}
	if !root && !n.has && len(kids) == 1 && len(n.label)+kids[0].word.size()+len(kids[0].label) <= maxLabel {
		t.Fatal("two nodes where one would do")
	}
	if !root && len(kids) > 0 && (n.word.size() < whole || len(n.label)%whole > 0) {
		t.Fatal("a node with kids ends within a word")
	}
	if n.others != nil && (!n.has || len(n.others.list) == 0 || n.others.at != nil && len(n.others.at) != len(n.others.list)) {
		t.Fatal("the subscribers are confused")
	}
	if len(n.label) > maxLabel {
		t.Fatalf("a label of %d bytes", len(n.label))
	}
	for _, kid := range kids {
		nodes += sound(t, kid, false)
	}
	return nodes + 1
}

// agree runs steps, two bytes and a prefix each, on topics and on plainTopics.
func agree(t *testing.T, steps []byte, prefix func() string) {
	var tree topics[int]
	plain := make(plainTopics)
	for i := 0; i+1 < len(steps); i += 2 {
		p, s := prefix(), int(steps[i+1]%40)
		var a, b, wantA, wantB bool
		if steps[i]%5 < 3 {
			a, b = tree.add(p, s)
			wantA, wantB = plain.add(p, s)
		} else {
			a, b = tree.remove(p, s)
			wantA, wantB = plain.remove(p, s)
		}
		if a != wantA || b != wantB {
			t.Fatalf("step %d, %d, %.40q: got %v, %v, want %v, %v", i, steps[i]%5, p, a, b, wantA, wantB)
		}
		frame := prefix() + "x"
		if got, want := matched(&tree, frame), plain.match(frame); !slices.Equal(got, want) {
			t.Fatalf("step %d: %.40q matches %v, want %v", i, frame, got, want)
		}
	}
	sound(t, &tree.root, true)
	var walked []string
	tree.walk(func(prefix string) { walked = append(walked, prefix) })
	if want := slices.Sorted(maps.Keys(plain)); !slices.Equal(walked, want) {
		t.Fatalf("walked %d prefixes, want %d", len(walked), len(want))
	}
	for p, all := range plain {
		for s := range all {
			tree.remove(p, s)
		}
	}
	if tree.root.kids != nil || tree.root.has {
		t.Fatal("nodes are left")
	}
}

// TestTopicsAgreeWithAPlainImplementation also has labels that are as long as they may be, or nearly.
func TestTopicsAgreeWithAPlainImplementation(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 3))
		steps := make([]byte, 2*(20+r.IntN(200)))
		for i := range steps {
			steps[i] = byte(r.Uint32())
		}
		letters, long := 1+r.IntN(4), r.IntN(4) == 0
		agree(t, steps, func() string {
			p := make([]byte, r.IntN(7))
			for i := range p {
				p[i] = "a\xff\x00b"[r.IntN(letters)]
			}
			if long {
				return strings.Repeat("a", r.IntN(3)*(maxLabel-1)+r.IntN(4)) + string(p)
			}
			return string(p)
		})
	}
}

// TestTopicsAgreeOnManyWords has prefixes that part in the middle of words and between them.
func TestTopicsAgreeOnManyWords(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 4))
		steps := make([]byte, 2*(20+r.IntN(200)))
		for i := range steps {
			steps[i] = byte(r.Uint32())
		}
		most := 1 + r.IntN(5*whole)
		agree(t, steps, func() string {
			p := bytes.Repeat([]byte("\x00"), r.IntN(most+1))
			if len(p) > 0 && r.IntN(2) == 0 {
				p[r.IntN(len(p))] = "\x01\xff"[r.IntN(2)]
			}
			return string(p)
		})
	}
}

func FuzzTopics(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x02\x03\x01"), []byte("tx\xfftx_trytes\xff\xfft"))
	f.Fuzz(func(t *testing.T, steps, prefixes []byte) {
		if len(steps) > 1000 || len(prefixes) > 1000 {
			return
		}
		all := bytes.Split(prefixes, []byte{0xff})
		next := 0
		agree(t, steps, func() string {
			next++
			return string(all[next%len(all)])
		})
	})
}

// onHeap is what the process has on its heap.
func onHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestTopicsTakeNoMoreMemoryThanTheirBytes(t *testing.T) {
	node := int(unsafe.Sizeof(topic[*int]{}))
	zero := strings.Repeat("0", 64<<10)
	for _, c := range []struct {
		name   string
		n      int
		prefix func(i int) string
		most   int // bytes
	}{
		{"short", 100_000, func(i int) string { return fmt.Sprintf("%05d", i) }, 111_111 * 2 * node},
		{"sharing a long prefix", 100_000, func(i int) string { return zero[:1000] + fmt.Sprintf("%05d", i) }, 112_000 * 2 * node},
		{"one for each length", 4 << 10, func(i int) string { return zero[:i] }, (4 << 10) * 2 * node},
		{"of 64 KiB, with nothing in common", 200, func(i int) string { return string(rune('A'+i)) + zero[2:] }, 220 * (64 << 10)},
		{"of far bytes", 20_000, func(i int) string { return fmt.Sprintf("%05d", i/2) + string([]byte{byte(i%2) * 255}) }, 20_000 * 4 * node},
		{"long, then short", 200, func(i int) string { return zero[:1+(i%2)*(60<<10)] }, 80 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tree topics[*int]
			before := onHeap()
			for i := range c.n {
				tree.add(c.prefix(i), &node)
			}
			if used := int(onHeap() - before); used > c.most {
				t.Errorf("%d bytes are used, want at most %d", used, c.most)
			}
			for i := range c.n {
				tree.remove(c.prefix(i), &node)
			}
			if left := onHeap() - before; left > 64<<10 {
				t.Errorf("%d bytes are left", left)
			}
			runtime.KeepAlive(&tree)
		})
	}
}

// A short prefix that comes and goes makes no work of the long one that it is part of.
func TestTopicsDoNotCopyLongPrefixes(t *testing.T) {
	var tree topics[int]
	tree.add(strings.Repeat("0", 4<<20), 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		tree.add("0", 2)
		tree.remove("0", 2)
	}
	runtime.ReadMemStats(&after)
	bytes := (after.TotalAlloc - before.TotalAlloc) / 100
	if bytes > 4*maxLabel {
		t.Errorf("%d bytes are allocated each time", bytes)
	}
}

func BenchmarkTopicsMatch(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			var tree topics[*int]
			for _, zip := range r.Perm(100_000)[:n] {
				tree.add(fmt.Sprintf("%05d", zip), new(int))
			}
			frames := make([][]byte, 1<<16)
			for i := range frames {
				frames[i] = fmt.Appendf(nil, "%05d", r.IntN(100_000))
			}
			hits := 0
			each := func(*int) { hits++ }
			b.ResetTimer()
			for i := range b.N {
				tree.match(frames[i%len(frames)], each)
			}
			b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
		})
	}
}
