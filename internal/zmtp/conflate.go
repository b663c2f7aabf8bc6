package zmtp

// replace queues msg in the place of what no connection and no borrower took yet.
func (o *Outbox) replace(msg [][]byte) (wake, ok bool) {
	n := 0
	if o.writing.TryLock() { // else what is held is being written
		n = len(o.held)
		o.lighten(o.held)
		o.held = nil
		o.writing.Unlock()
	}
	if o.weigh {
		o.bytes.Add(int64(Footprint(msg)))
	}
	old, wake, err := o.q.Replace(msg)
	if err != nil {
		old = [][][]byte{msg}
	} else {
		n += len(old)
	}
	o.lighten(old)
	o.replaced.Add(uint64(n))
	if n > 0 {
		o.release(n)
	}
	return wake, err == nil
}
