package zmtp

// tryEncoded is TryWrite for whole frames in the clear. If kept, the caller leaves p alone until the rest was written.
func (c *Conn) tryEncoded(p []byte, kept bool) (taken, rest bool) {
	w := &c.writer
	if !w.mu.tryLock() {
		return false, false
	}
	defer c.unlock()
	if w.err != nil || len(w.rest) > 0 {
		return false, false
	}
	if w.cipher != nil {
		if len(p) > tryMost {
			return false, false
		}
		p, kept = w.seal(p), true
	}
	n, err := w.try(p)
	switch {
	case err != nil:
		c.fail(err)
		if n == 0 {
			return false, false
		}
	case n == 0 && w.cipher == nil: // else what was sealed once must go: the peer counts
		return false, false
	}
	if kept {
		w.rest = p[n:len(p):len(p)]
	} else {
		w.rest = append(w.rest, p[n:]...)
	}
	return true, len(w.rest) > 0
}

// writeEncoded is Write for whole frames in the clear. n is how many bytes of p the frames have that were written as a
// whole, and, without a cipher, perhaps a part of the next.
func (c *Conn) writeEncoded(p []byte) (n int, err error) {
	c.writer.mu.lock()
	defer c.unlock()
	n, err = c.writer.writeEncoded(p)
	if err != nil && err != ErrClosed { // which is CloseWrite, and that closes c itself
		err = c.fail(err)
	}
	return n, err
}

func (w *writer) writeEncoded(p []byte) (n int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.takePong(); len(w.rest) > 0 {
		if _, err := w.write(nil); err != nil {
			return 0, err
		}
	}
	if w.cipher != nil {
		return w.writeSealed(p)
	}
	if n, err = w.nc.Write(p); err != nil {
		w.err = err
	}
	return n, err
}

// seal returns the frames of p sealed.
func (w *writer) seal(p []byte) (sealed []byte) {
	for len(p) > 0 {
		h, body, rest := splitFrame(p)
		sealed = appendSealed(sealed, w.cipher, h.flags, body)
		p = rest
	}
	return sealed
}

func (w *writer) writeSealed(p []byte) (n int, err error) {
	g := gather{w: w.nc, cipher: w.cipher, buf: borrowBuffer()}
	defer giveBackBuffer(g.buf)
	*g.buf = (*g.buf)[:0]
	for rest := p; len(rest) > 0 && err == nil; {
		var h header
		var body []byte
		h, body, rest = splitFrame(rest)
		err = g.frame(h.flags&flagMore, body)
	}
	if err == nil {
		err = g.flush()
	}
	if err != nil {
		w.err = err
		return w.opened(p, g.written), err
	}
	return len(p), nil
}

// opened is how many bytes of p are in frames that, sealed, fit in n bytes.
func (w *writer) opened(p []byte, n int) int {
	rest := p
	for len(rest) > 0 {
		_, body, next := splitFrame(rest)
		if n -= wireSize([][]byte{body}, w.overhead); n < 0 {
			break
		}
		rest = next
	}
	return len(p) - len(rest)
}
