package zmtp

// Lend lets a reader in this process take the messages itself, until Reclaim; extra is added to the outbox's limit
// meanwhile, and with conflate the borrower gets the newest message alone. ready is called when there is something to
// take after there was nothing, and at once if there is something now. It is called by whoever sends, so it must be
// quick and must not call the outbox; it may be called once in vain around a Take or Reclaim. No connection may be
// served meanwhile. What an earlier connection wrote half of comes first.
func (o *Outbox) Lend(extra int, conflate bool, ready func()) {
	o.writing.Lock()
	o.extra = extra
	if o.limit.Load() > 0 {
		o.limit.Add(int64(extra))
	}
	if conflate {
		o.conflate.Store(true)
	}
	o.armed.Store(true)
	o.ready.Store(&ready)
	o.writing.Unlock()
	if extra > 0 || conflate {
		o.hasRoom()
	}
	if o.Len() > 0 && o.armed.CompareAndSwap(true, false) {
		ready()
	}
}

// Take hands the borrower all that is there, oldest first: nil if that is nothing or the outbox is not lent (any more).
// The messages are the borrower's; buf is an earlier Take's result, all of it Done, or nil, and becomes the outbox's
// whatever the result is. Only the borrower may call it, from one goroutine at a time. What was taken counts as sent.
func (o *Outbox) Take(buf [][][]byte) [][][]byte {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.ready.Load() == nil {
		return nil
	}
	o.armed.Store(true)
	var batch [][][]byte
	if o.half != nil || len(o.held) > 0 { // left by a connection
		if o.half != nil {
			batch = append(batch, o.half)
		}
		batch = append(batch, o.held...)
		o.half, o.halfOn, o.held = nil, nil, nil
		o.batch = nil
		batch = append(batch, o.q.Take(nil)...)
	} else {
		batch = o.q.Take(buf)
	}
	if n := len(batch) - 1; n > 0 && o.conflate.Load() { // from before the Lend
		batch = append(batch[:0], batch[n])
		o.release(n)
		o.replaced.Add(uint64(n))
	}
	o.lent += len(batch)
	o.tally(batch)
	return batch
}

// Done reports that the borrower is through with n of the messages it took, which makes room for as many.
func (o *Outbox) Done(n int) {
	o.writing.Lock()
	n = min(n, o.lent) // after a Reclaim there is nothing left to report
	o.lent -= n
	o.writing.Unlock()
	if n > 0 {
		o.release(n)
	}
}

// Reclaim ends a Lend. What was not taken stays for the next connection or borrower; what was taken is the borrower's.
func (o *Outbox) Reclaim() {
	o.writing.Lock()
	if o.ready.Swap(nil) == nil {
		o.writing.Unlock()
		return
	}
	if o.limit.Load() > 0 {
		o.limit.Add(int64(-o.extra))
	}
	n := o.lent
	o.extra, o.lent = 0, 0
	o.conflate.Store(o.conflating)
	o.writing.Unlock()
	if n > 0 {
		o.release(n)
	}
}
