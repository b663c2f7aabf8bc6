package zmtp

// Heavy reports whether what is not yet written takes at least most bytes of memory. If so, room is called when some of
// it was written.
func (o *Outbox) Heavy(most int64) bool {
	if o.bytes.Load() < most {
		return false
	}
	o.full.Store(true)
	return o.bytes.Load() >= most // if not, who wrote some may not have seen the Store
}

// HasRoom reports whether a Send would be taken now, unless the outbox is closed. If not, room is called when it would.
func (o *Outbox) HasRoom() bool {
	if o.fits(o.count.Load()) {
		return true
	}
	o.full.Store(true)
	return o.fits(o.count.Load()) // if not, whoever makes room has seen the Store
}

// fits says whether there is room for a message more than n.
func (o *Outbox) fits(n int64) bool {
	if o.conflate.Load() || n == 0 {
		return true
	}
	if limit := o.limit.Load(); limit > 0 && n >= limit {
		return false
	}
	return !o.weigh || o.most <= 0 || o.bytes.Load() < o.most
}

// reserve counts one message more, if it fits.
func (o *Outbox) reserve() bool {
	for {
		n := o.count.Load()
		if !o.fits(n) {
			return false
		}
		if o.count.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// hasRoom tells a sender that was refused that there is room.
func (o *Outbox) hasRoom() {
	if o.full.Load() && o.full.CompareAndSwap(true, false) && o.room != nil {
		o.room()
	}
}
