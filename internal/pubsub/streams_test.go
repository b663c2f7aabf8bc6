package pubsub

import (
	"fmt"
	"slices"
	"testing"
)

func TestStreamsAreNumberedByKey(t *testing.T) {
	s := newStreams[int](2)
	for i, key := range []string{"a", "b", "a", "c", "b", "a"} { // c displaces b, b a, and a c
		at := s.next(key)
		s.add(key, i)
		if got := s.get(key); got.at != at || got.value != i {
			t.Errorf("%s: %+v, not %v", key, got, at)
		}
		want := []position{{1, 1}, {2, 1}, {1, 2}, {3, 1}, {4, 1}, {5, 1}}[i]
		if at != want {
			t.Errorf("update %d is %v, not %v", i, at, want)
		}
	}
	if len(s.keys) != 2 || s.order.Len() != 2 {
		t.Error(len(s.keys), s.order.Len())
	}
}

func TestACursorPassesEachKeyThatIsPublishedBehindIt(t *testing.T) {
	s := newStreams[int](100)
	for i := range 100 {
		s.add(fmt.Sprint(i), i)
	}
	var c cursor
	var passed []int
	pass := func(n int) {
		for range n {
			if st := s.after(&c); st != nil {
				passed = append(passed, st.value)
			}
		}
	}
	pass(10)
	s.add("5", 100)  // passed: comes again
	s.add("10", 101) // the next: moves to the end
	s.add("11", 102) // and the one after that
	pass(5)
	s.add("new", 103) // displaces 0
	pass(1000)
	var want []int
	for i := range 100 {
		if i != 10 && i != 11 {
			want = append(want, i)
		}
	}
	if want = append(want, 100, 101, 102, 103); !slices.Equal(passed, want) {
		t.Error(passed)
	}
	pass(1)
	s.add("7", 104)
	pass(2)
	if want = append(want, 104); !slices.Equal(passed, want) {
		t.Error(passed)
	}
}

func TestGapsAreSeenByTheNumbers(t *testing.T) {
	var g gaps
	for i, c := range []struct {
		key    string
		at     position
		mark   bool
		fresh  bool
		missed uint64
	}{
		{"a", position{1, 7}, false, true, 0}, // what came before was not for us
		{"a", position{1, 8}, false, true, 0},
		{"a", position{1, 8}, false, false, 0},
		{"a", position{1, 5}, false, false, 0},
		{"a", position{1, 10}, false, true, 1},
		{"b", position{2, 1}, false, true, 1},
		{"a", position{1, 12}, true, true, 3},
		{"a", position{1, 12}, true, false, 3},
		{"a", position{1, 13}, false, true, 3},
		{"a", position{3, 3}, false, true, 5}, // a run's first two
		{"a", position{1, 20}, false, false, 5},
		{"b", position{4, 1}, true, true, 6},
		{"c", position{5, 9}, true, true, 6},
		{"c", position{5, 10}, false, true, 6},
	} {
		if fresh := g.pass(&header{exampleID, c.at}, []byte(c.key), c.mark); fresh != c.fresh || g.missed.all != c.missed {
			t.Errorf("%d: %s %v: %v, missed %d", i, c.key, c.at, fresh, g.missed.all)
		}
	}
	if fresh := g.pass(&header{id{1}, position{1, 1}}, []byte("a"), false); !fresh || g.missed.all != 6 {
		t.Error("another publisher's are counted apart")
	}
	g.forget("a", true, func(string) bool { return false })
	if g.pass(&header{exampleID, position{9, 9}}, []byte("a"), false); g.missed.all != 6 {
		t.Error("what was not subscribed to is missed")
	}
}
