package mailbox

import (
	"slices"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// loan is what the other end of a connection within the process has a pipe by.
type loan struct {
	extra     int    // messages that there is room for besides the pipe's limit
	conflates bool   // it wants the newest alone
	ready     func() // called when there is something to take after a Take found nothing; it must be quick
}

// lend lets the other end take the messages itself, until reclaim.
func (p *pipe) lend(l *loan) {
	p.mu.Lock()
	p.loan = l
	p.parked = len(p.queue) == 0
	something := !p.parked
	p.tell(true)
	if something {
		l.ready()
	}
}

// Take hands the borrower all that is there, oldest first: nil if that is nothing or the pipe is not lent any more. The
// messages are the borrower's; buf is an earlier Take's result, all of it done, or nil, and becomes the pipe's. One
// goroutine at a time may call it. What was taken counts as sent.
func (p *pipe) Take(buf [][][]byte) [][][]byte {
	clear(buf)
	p.mu.Lock()
	if p.loan == nil || len(p.queue) == 0 {
		p.parked = p.loan != nil
		if cap(p.queue) < cap(buf) {
			p.queue = buf[:0]
		}
		p.mu.Unlock()
		return nil
	}
	batch := p.queue
	p.queue = buf[:0]
	old := 0
	if p.newest() { // or they are from before the loan
		old = len(batch) - 1
		batch = slices.Delete(batch, 0, old)
		p.replaced += uint64(old)
	}
	p.taken += len(batch)
	p.tally(batch)
	p.tell(old > 0)
	return batch
}

// tally notes that msgs were sent. The lock is held.
func (p *pipe) tally(msgs [][][]byte) {
	p.sent += uint64(len(msgs))
	for _, msg := range msgs {
		p.sentBytes += uint64(zmtp.Payload(msg))
	}
}

// Done reports that the borrower is through with n of the messages it took, which makes room for as many.
func (p *pipe) Done(n int) {
	p.mu.Lock()
	p.taken -= min(n, p.taken) // after a reclaim there is nothing left to report
	p.tell(true)
}

// reclaim ends a loan. What was not taken stays for the next; what was taken is the borrower's.
func (p *pipe) reclaim() {
	p.mu.Lock()
	p.loan, p.parked, p.taken = nil, false, 0
	p.tell(true)
}
