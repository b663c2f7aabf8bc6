package zmtp

// tryEncoded is TryWrite for whole frames in the clear. n is how many bytes of p were written, with a cipher those of
// frames that were written as a whole. If rest is true, what follows is left, and if kept is, in p's memory.
func (c *Conn) tryEncoded(p []byte, kept bool) (n int, rest bool) {
	w := &c.writer
	if !w.mu.tryLock() {
		return 0, false
	}
	defer c.unlock()
	if w.err != nil || len(w.rest) > 0 {
		return 0, false
	}
	raw := p
	if w.cipher != nil {
		if len(p) > tryMost {
			return 0, false
		}
		raw, kept = w.seal(p), true
	}
	n, err := w.try(raw)
	if err != nil {
		c.fail(err)
	}
	if n == 0 && (w.cipher == nil || err != nil) { // else what was sealed once must go: the peer counts
		return 0, false
	}
	if kept {
		w.rest = raw[n:len(raw):len(raw)]
	} else {
		w.rest = append(w.rest, raw[n:]...)
	}
	w.owed = len(w.rest)
	if w.cipher != nil {
		n = w.opened(p, n)
	}
	return n, w.owed > 0
}

// flushEncoded is Flush after a tryEncoded that left a part of p. n is how many bytes of p the frames have that are written
// as a whole now.
func (c *Conn) flushEncoded(p []byte) (n int, err error) {
	w := &c.writer
	w.mu.lock()
	defer c.unlock()
	_, err = w.write(nil)
	if err != nil && err != ErrClosed { // which is CloseWrite, and that closes c itself
		err = c.fail(err)
	}
	if w.owed == 0 {
		return len(p), err
	}
	return w.opened(p, w.sealedSize(p)-w.owed), err
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
	if _, err := w.write(nil); err != nil {
		return 0, err
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
		err = g.frame(h.flags&flagMore, nil, body)
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

// sealedSize is how many bytes the frames of p take when they are sealed.
func (w *writer) sealedSize(p []byte) (n int) {
	for len(p) > 0 {
		var body []byte
		_, body, p = splitFrame(p)
		n += wireSize([][]byte{body}, w.overhead)
	}
	return n
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
