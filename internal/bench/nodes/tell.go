package nodes

import (
	"fmt"
	"time"

	"github.com/troupe-go/troupe/internal/bench/contest"
)

// last is set in the number of a sender's last message of a round.
const last = 1 << 63

// sender is one of those that send.
type sender struct {
	send  func(number uint64) error
	flush func() error  // after the last message; may be nil
	lots  chan struct{} // which it may send, see newLots; nil: all
}

// newLots returns as many as a sender may be ahead. Who is told that one is handled puts it back.
func newLots() chan struct{} {
	lots := make(chan struct{}, ahead)
	for range ahead {
		lots <- struct{}{}
	}
	return lots
}

// send does rounds in which the senders share the messages. It returns only to fail.
func (w worker) send(senders []sender) error {
	for n := range w.Rounds {
		err := each(len(senders), func(i int) error {
			return senders[i].burst((n+i)/len(senders), w.lot)
		})
		if err != nil {
			return err
		}
		w.Did(n, 0, 0)
	}
	return nil
}

func (s *sender) burst(n, lot int) error {
	for i := range n {
		if i&(lot-1) == 0 && s.lots != nil {
			<-s.lots
		}
		number := uint64(i)
		if i == n-1 {
			number |= last
		}
		if err := s.send(number); err != nil {
			return fmt.Errorf("message %d of %d: %w", i, n, err)
		}
	}
	if s.flush == nil {
		return nil
	}
	return s.flush()
}

// receiver is one of those that receive. It belongs to one goroutine at a time.
type receiver struct {
	lot     int
	handled func() error // tells the sender that a lot is; nil if it need not know
	done    chan<- burst
	burst
}

// burst is what came of a sender's round.
type burst struct {
	messages    int
	first, last time.Time // when those were handled
}

// got is called with the number of each message. It ends the process if that is not the right one.
func (r *receiver) got(number uint64) {
	if number&^last != uint64(r.messages) {
		contest.Fail(fmt.Errorf("message %d came in the place of %d", number&^last, r.messages))
	}
	if r.messages == 0 {
		r.first = time.Now()
	}
	r.messages++
	over := number&last != 0
	if r.handled != nil && (over || r.messages&(r.lot-1) == 0) {
		if err := r.handled(); err != nil {
			contest.Fail(err)
		}
	}
	if over {
		r.last = time.Now()
		r.done <- r.burst
		r.burst = burst{}
	}
}

// receive does rounds in which each receiver sends a burst to done, and measures from the first message to the last. It
// returns only to fail.
func (w worker) receive(done <-chan burst) error {
	for n := range w.Rounds {
		all := <-done
		for range w.pairs - 1 {
			b := <-done
			all.messages += b.messages
			if b.first.Before(all.first) {
				all.first = b.first
			}
			if b.last.After(all.last) {
				all.last = b.last
			}
		}
		if all.messages != n {
			return fmt.Errorf("%d messages came of %d", all.messages, n)
		}
		w.Did(n-1, all.last.Sub(all.first), 0)
	}
	return nil
}
