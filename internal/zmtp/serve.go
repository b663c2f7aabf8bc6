package zmtp

// A mouthful is what is written before it is counted as sent, which makes room, and before the next look at whether the
// outbox was closed.
const (
	mouthful      = 1024
	mouthfulBytes = 256 << 10
)

// Serve writes what is in the outbox, and what comes, to c. It returns when c has ended, with c's error, or when the
// outbox was closed, with nil; what c did not take stays. Only one connection can be served at a time, and none while
// the outbox is lent. Somebody must read c, or its end may go unnoticed.
func (o *Outbox) Serve(c *Conn) error {
	c.pings.servedBy(o)
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
	asked := uint64(0) // calls of Ping before the last Take
	for !o.isClosed() {
		if len(o.held) == 0 {
			c.reached(asked)
			asked = c.pings.asked.Load()
			o.held = o.q.Take(o.batch)
			if len(o.held) == 0 {
				c.reached(asked)
				o.batch = nil // the queue's now
				return nil
			}
			o.batch = o.held
		}
		n, err := c.Write(o.held[:bite(o.held)])
		o.written(o.held[:n])
		o.held = o.held[n:]
		o.release(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// bite is how many of msgs make a mouthful.
func bite(msgs [][][]byte) int {
	bytes := 0
	for i, msg := range msgs[:min(len(msgs), mouthful)] {
		if bytes += Payload(msg); bytes >= mouthfulBytes {
			return i + 1
		}
	}
	return min(len(msgs), mouthful)
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
		o.written([][][]byte{o.half})
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
