package pipe

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
)

func TestAcceptedKeepsRanges(t *testing.T) {
	var a accepted
	source := uuid.New()
	random := rand.New(rand.NewPCG(1, 1))
	numbers := random.Perm(10_000)
	for i, n := range numbers {
		if n%100 == 7 { // holes
			continue
		}
		id := ID{source, uint64(n)}
		if a.has(id) {
			t.Fatalf("%d was accepted before", n)
		}
		a.add(id)
		a.add(id)
		if !a.has(id) || a.has(ID{uuid.New(), uint64(n)}) {
			t.Fatalf("number %d, after %d others", n, i)
		}
	}
	r := a.of(source)
	if len(r.all) != 101 || a.has(ID{source, 107}) || !a.has(ID{source, 108}) {
		t.Errorf("%d ranges for 100 holes", len(r.all))
	}
}

func TestAcceptedIsBounded(t *testing.T) {
	var a accepted
	first := uuid.New()
	a.add(ID{first, 1})
	for range maxSources {
		a.add(ID{uuid.New(), 1})
	}
	if len(a.sources) != maxSources || a.lately.Len() != maxSources || a.has(ID{first, 1}) {
		t.Errorf("%d sources", len(a.sources))
	}
	busy := uuid.New()
	for n := range uint64(maxRanges + 10) {
		a.add(ID{busy, 2 * n})
	}
	if r := a.of(busy); len(r.all) != maxRanges || a.has(ID{busy, 0}) || !a.has(ID{busy, 2 * maxRanges}) {
		t.Errorf("%d ranges", len(r.all))
	}
	many := make([]uuid.UUID, 20)
	for i := range many {
		many[i] = uuid.New()
		for n := range uint64(maxRanges / 10) {
			a.add(ID{many[i], 2 * n})
		}
	}
	spans := 0
	for _, e := range a.sources {
		spans += len(e.Value.(*ranges).all)
	}
	if spans != maxRanges || a.spans != maxRanges || a.has(ID{many[5], 0}) || !a.has(ID{many[19], 0}) {
		t.Errorf("%d ranges of all sources, counted %d", spans, a.spans)
	}
	a.add(ID{uuid.New(), endNumber})
	a.add(ID{uuid.New(), 0})
}
