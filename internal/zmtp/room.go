package zmtp

// HasRoom reports whether a Send would be taken now, unless the outbox is closed. If not, room is called when it would.
func (o *Outbox) HasRoom() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	fits := o.fits()
	o.refused = o.refused || !fits
	return fits
}

// fits says whether there is room for a message more.
func (o *Outbox) fits() bool {
	return o.count == 0 || o.conflates ||
		(o.limit <= 0 || o.count < o.limit) && (o.most <= 0 || o.bytes < o.most)
}

// Heavy reports whether what is not yet written takes at least most bytes. If so, room is called when some of it was
// written.
func (o *Outbox) Heavy(most int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	heavy := o.bytes >= most
	o.refused = o.refused || heavy
	return heavy
}

// Len returns how many messages are not yet written.
func (o *Outbox) Len() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count
}

// Sent returns how many messages were written, and the bytes in their frames.
func (o *Outbox) Sent() (messages, bytes uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent, o.sentBytes
}

// Replaced returns how many messages a newer one took the place of.
func (o *Outbox) Replaced() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.replaced
}

// replace drops what is not being written: a newer message takes its place. The lock is held.
func (o *Outbox) replace() {
	dropped := o.queue
	if !o.writing && len(o.hand) > 0 && (o.hand[0].halfOn == nil || o.hand[0].halfOn != o.conn) { // left by a connection
		dropped = append(o.hand, o.queue...)
		o.hand = nil
	}
	for _, b := range dropped {
		o.replaced += uint64(b.messages)
		o.remove(b.messages, len(b.buf))
		if b.halfOn == nil {
			b.free()
		}
	}
	o.queue = o.queue[:0]
}
