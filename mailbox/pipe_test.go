package mailbox

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// taken is what batches hold, each message's first frame.
func taken(batches []zmtp.Batch) (all []string) {
	batches = slices.Clone(batches)
	var lists zmtp.Lists
	for i := range batches {
		for batches[i].Len() > 0 {
			all = append(all, string(batches[i].Next(&lists, 0)[0]))
		}
	}
	return all
}

func put(p *pipe, body string) bool { return p.Send(nil, [][]byte{[]byte(body)}) }

func TestABorrowerTakesWhatIsInAPipe(t *testing.T) {
	rooms, calls := 0, 0
	p := newPipe(2, false, func() { rooms++ })
	if !put(p, "1") || !put(p, "2") || put(p, "3") {
		t.Error("the limit")
	}
	p.lend(&loan{extra: 2, ready: func() { calls++ }})
	if calls != 1 || rooms != 1 {
		t.Errorf("%d calls with something queued, %d times room", calls, rooms)
	}
	if !put(p, "3") || !put(p, "4") || put(p, "5") {
		t.Error("the limit while it is lent")
	}
	batches := p.Take(nil)
	if got := fmt.Sprint(taken(batches)); got != "[1 2 3 4]" || p.Len() != 4 || p.Queued() != 0 || put(p, "5") {
		t.Fatal(got, p.Len(), p.Queued())
	}
	if p.Take(nil) != nil { // from now on it is to be told
		t.Error("something came twice")
	}
	p.Done(4, 0)
	if !put(p, "5") || calls != 2 || rooms != 2 {
		t.Errorf("%d calls after a Take, %d times room", calls, rooms)
	}
	put(p, "6")
	if calls != 2 {
		t.Errorf("%d calls with more queued", calls)
	}
	batches = p.Take(batches)
	put(p, "7")
	p.reclaim()
	if p.Take(nil) != nil || p.Len() != 1 {
		t.Error("after the loan: ", p.Len())
	}
	if p.Done(len(batches), 0); p.Len() != 1 {
		t.Error("a late Done counts")
	}
	if messages, bytes := p.Sent(); messages != 6 || bytes != 6 {
		t.Error(messages, bytes)
	}
	if !put(p, "8") || put(p, "9") || p.Close() != 2 || put(p, "9") {
		t.Error("after that")
	}
}

func TestABorrowerThatConflatesGetsTheNewestAlone(t *testing.T) {
	p := newPipe(5, false, nil)
	for _, s := range []string{"1", "2", "3"} {
		put(p, s)
	}
	p.lend(&loan{extra: 5, conflates: true, ready: func() {}})
	if got := fmt.Sprint(taken(p.Take(nil))); got != "[3]" || p.Len() != 1 {
		t.Error(got, p.Len())
	}
	p.Done(1, 0)
	for range 100 {
		if !put(p, "4") {
			t.Fatal("full")
		}
	}
	if sent, _ := p.Sent(); p.Len() != 1 || sent != 1 || p.Replaced() != 2+99 {
		t.Error(p.Len(), sent, p.Replaced())
	}
	p.reclaim()
	put(p, "5")
	if p.Len() != 2 {
		t.Error("it conflates for nobody")
	}
}

func TestWhatIsInAPipeIsACopy(t *testing.T) {
	p := newPipe(0, false, nil)
	p.lend(&loan{ready: func() {}})
	for _, size := range []int{1, 1000, piece, 10 * piece} {
		body := make([]byte, size)
		body[0] = 'x'
		p.Send([][]byte{body}, [][]byte{body, nil})
		clear(body)
		var lists zmtp.Lists
		batches := p.Take(nil)
		msg := batches[0].Next(&lists, 0)
		if len(msg) != 3 || len(msg[1]) != size || msg[0][0] != 'x' || msg[1][0] != 'x' || len(msg[2]) != 0 {
			t.Errorf("%d bytes came otherwise", size)
		}
	}
}

func TestAPipeKeepsTheOrder(t *testing.T) {
	const n = 100_000
	ready := make(chan struct{}, 1)
	p := newPipe(100, false, nil)
	p.lend(&loan{extra: 100, ready: func() {
		select {
		case ready <- struct{}{}:
		default:
		}
	}})
	go func() {
		for i := 0; i < n; {
			if p.Send(nil, [][]byte{binary.BigEndian.AppendUint32(nil, uint32(i))}) {
				i++
			} else {
				runtime.Gosched()
			}
		}
	}()
	var batches []zmtp.Batch
	for i := 0; i < n; {
		<-ready
		for batches = p.Take(batches); len(batches) > 0; batches = p.Take(batches) {
			got := taken(batches)
			for _, body := range got {
				if k := binary.BigEndian.Uint32([]byte(body)); int(k) != i {
					t.Fatalf("%d for %d", k, i)
				}
				i++
			}
			p.Done(len(got), 0)
		}
	}
	if err := p.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMarksAsHighAsCanBeAreNotLowTogether(t *testing.T) {
	overEach(t, func(t *testing.T, at string) {
		for _, recvHWM := range []int{0, math.MaxInt} {
			pull, push := pipeline(t, at, Config{RecvHWM: recvHWM}, Config{SendHWM: math.MaxInt})
			until(t, "connected", func() bool { return len(livePeers(push)) == 1 })
			for i := range 2000 {
				if err := push.Send(ended(), fmt.Append(nil, i)); err != nil {
					t.Fatal(i, err)
				}
			}
			for i := range 2000 {
				expect(t, pull, fmt.Sprint(i))
			}
			shut(t, push)
			shut(t, pull)
		}
	})
}
