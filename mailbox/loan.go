package mailbox

import "github.com/troupe-go/troupe/internal/zmtp"

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

// Take is the borrower's fair queue's. What was taken counts as sent.
func (p *pipe) Take(buf []zmtp.Batch) []zmtp.Batch {
	clear(buf)
	p.mu.Lock()
	if p.loan == nil || len(p.queue) == 0 {
		p.parked = p.loan != nil
		if p.queue == nil {
			p.queue = buf[:0]
		}
		p.mu.Unlock()
		return nil
	}
	skips := p.newest() && p.queued > 1
	if skips { // what is from before the loan
		p.skip(p.queued - 1)
	}
	batches := p.queue
	p.queue = buf[:0]
	p.spare = batches[len(batches)-1].Spare()
	p.taken += p.queued
	p.queued = 0
	p.tally(batches)
	p.tell(skips)
	return batches
}

// skip removes the first n messages of the queue: others took their place.
func (p *pipe) skip(n int) {
	var lists zmtp.Lists
	for range n {
		p.queue[0].Next(&lists, 0)
		if p.queue[0].Len() == 0 {
			p.queue = p.queue[1:]
		}
	}
	p.queued -= n
	p.replaced += uint64(n)
}

// tally notes that batches were sent. The lock is held.
func (p *pipe) tally(batches []zmtp.Batch) {
	for i := range batches {
		p.sent += uint64(batches[i].Len())
		p.sentBytes += uint64(batches[i].Payload())
	}
}

// Done is the borrower's fair queue's, too.
func (p *pipe) Done(n, _ int) {
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
