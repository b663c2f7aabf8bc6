package zmtp

// Serve writes what is in the outbox, and what comes, to c. It returns when c has ended, with c's error, or when the
// outbox was closed, with nil; what c did not take stays. Only one connection can be served at a time. Somebody must
// read c, or its end may go unnoticed.
func (o *Outbox) Serve(c *Conn) error {
	c.pings.servedBy(o)
	o.serve(c)
	defer o.serve(nil)
	asked := uint64(0) // calls of Ping before what was taken last was
	for {
		b, writing := o.first()
		switch {
		case b != nil:
			if err := o.write(c, b); err != nil {
				<-c.done // at once, or, if it is CloseWrite that ends c, when that is through
				return c.Err()
			}
			continue
		case !writing:
			c.reached(asked)
			now := c.pings.asked.Load()
			taken, empty := o.take()
			if taken {
				asked = now
			}
			if !empty {
				continue
			}
			c.reached(now)
		}
		select {
		case <-o.wake:
		case <-c.done:
			return c.Err()
		case <-o.closed:
			return nil
		}
	}
}

func (o *Outbox) serve(c *Conn) {
	o.mu.Lock()
	o.conn = c
	o.mu.Unlock()
}

// first returns what is to be written next, or says that somebody is writing: then they wake Serve.
func (o *Outbox) first() (b *parcel, writing bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.writing:
		o.knocked = true
		return nil, true
	case len(o.hand) == 0:
		return nil, false
	}
	o.writing, o.blocked = true, true
	return o.hand[0], false
}

// take takes what is queued in hand. If nothing is there at all it says so, and who queues something wakes Serve.
func (o *Outbox) take() (taken, empty bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.writing || len(o.hand) > 0: // a Send was quicker
		return false, false
	case len(o.queue) == 0:
		o.idle = true
		return false, true
	}
	o.hand, o.queue = o.queue, o.hand
	return true, false
}

// write writes b, the first in hand. If another connection has a part of its first message, that is written again.
func (o *Outbox) write(c *Conn, b *parcel) (err error) {
	var n int
	kept := b.halfOn != nil && b.halfOn != c // the other connection has its memory still
	if b.halfOn == c {
		n, err = c.flushEncoded(b.buf)
	} else {
		n, err = c.writeEncoded(b.buf)
	}
	o.mu.Lock()
	messages := o.written(b, n)
	o.settle()
	o.tell(messages > 0)
	if err == nil && !kept {
		b.free()
	}
	return err
}
