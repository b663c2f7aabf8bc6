package zmtp

// mouthful is how many messages are written between two looks at whether the outbox was closed.
const mouthful = 1024

// Serve writes what is in the outbox, and what comes, to c. It returns when c has ended, with c's error, or when the
// outbox was closed, with nil; what c did not take stays. Only one connection can be served at a time, and none while
// the outbox is lent. Somebody must read c, or its end may go unnoticed.
func (o *Outbox) Serve(c *Conn) error {
	o.writing.Lock()
	o.conn.Store(c)
	o.writing.Unlock()
	defer o.conn.CompareAndSwap(c, nil)
	for {
		if err := o.drain(c); err != nil {
			<-c.done // at once, or, if it is CloseWrite that ends c, when that is through
			return c.Err()
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

// drain writes until nothing is left.
func (o *Outbox) drain(c *Conn) error {
	o.writing.Lock()
	defer o.writing.Unlock()
	if err := o.finish(c); err != nil {
		return err
	}
	for !o.isClosed() {
		if len(o.held) == 0 {
			o.held = o.q.Take(o.batch)
			if len(o.held) == 0 {
				o.batch = nil // the queue's now
				return nil
			}
			o.batch = o.held
		}
		n, err := c.Write(o.held[:min(len(o.held), mouthful)])
		o.add(-1, o.held[:n]...)
		o.held = o.held[n:]
		o.release(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// finish gets the message that a Send wrote half of to its end: on the same connection by writing the rest, on another
// one by writing it whole.
func (o *Outbox) finish(c *Conn) (err error) {
	if o.half == nil {
		return nil
	}
	if o.halfOn == c {
		err = c.Flush()
	} else {
		_, err = c.Write([][][]byte{o.half})
	}
	if err == nil {
		o.add(-1, o.half)
		o.half, o.halfOn = nil, nil
		o.release(1)
	}
	return err
}

func (o *Outbox) isClosed() bool {
	select {
	case <-o.closed:
		return true
	default:
		return false
	}
}
