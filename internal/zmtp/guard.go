package zmtp

import (
	"errors"
	"fmt"
	"io"
	"net"
)

const (
	greetingSize   = 64
	signatureSize  = 10       // of it come first
	handshakeFrame = 4 << 10  // no frame of a handshake is longer
	handshakeTotal = 16 << 10 // nor is the handshake

	ourMinor = 1 // we speak ZMTP 3.1; zmq4 says 3.0
)

// guard is the stream that zmq4 handshakes over. It looks at every byte before zmq4 does, and ends the handshake at the
// first that can't be part of one: zmq4 would wait for a whole greeting from peers that never send one, and reserve
// whatever length a frame claims. It also joins zmq4's writes of a frame's header and body.
type guard struct {
	net.Conn
	check  checker
	out    []byte // written by zmq4 and not yet a whole frame
	sent   int    // bytes of our greeting that went out
	unsent error  // why something could not be written
	err    error  // the first thing that went wrong
}

// Read is Conn's, with each byte checked.
func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.Conn.Read(p)
	if cerr := g.check.feed(p[:n]); cerr != nil {
		g.err = cerr
		return 0, cerr
	}
	if err != nil && n == 0 {
		g.err = g.explain(err)
		return 0, g.err
	}
	return n, nil
}

// explain says more about an error of the stream.
func (g *guard) explain(err error) error {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, net.ErrClosed):
		return err
	case g.check.total == 0:
		return fmt.Errorf("%w, as libzmq does if its security mechanism is not ours, %s: %w", errNoBytes, g.check.mechanism, err)
	case errors.Is(err, io.EOF) && g.check.total == signatureSize:
		return fmt.Errorf("zmtp: peer left in the greeting, after %d bytes, as libzmq does if its security mechanism is not ours, %s: %w",
			g.check.total, g.check.mechanism, io.ErrUnexpectedEOF)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("zmtp: peer left in the handshake, after %d bytes: %w", g.check.total, io.ErrUnexpectedEOF)
	}
	return err
}

// Write passes whole frames on. In our greeting it puts the version that we speak, and whether we are the server.
func (g *guard) Write(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	g.out = append(g.out, p...)
	n := 0 // bytes to pass on
	for n < len(g.out) {
		if g.sent < greetingSize {
			if g.sent+len(g.out) >= 12 && g.sent < 12 {
				g.out[11-g.sent] = ourMinor
			}
			if g.sent+len(g.out) >= 33 && g.sent < 33 && g.check.server {
				g.out[32-g.sent] = 1
			}
			k := min(greetingSize-g.sent, len(g.out)-n)
			g.sent += k
			n += k
			continue
		}
		h, size, err := decodeHeader(g.out[n:])
		if err != nil {
			g.err = err
			return 0, err
		}
		if size == 0 || uint64(len(g.out)-n-size) < h.size {
			break
		}
		n += size + int(h.size)
	}
	if n > 0 {
		if _, err := g.Conn.Write(g.out[:n]); err != nil && g.unsent == nil {
			g.unsent = err // a peer that has left may have told why before: Read will see
		}
		g.out = append(g.out[:0], g.out[n:]...)
	}
	return len(p), nil
}

// checker follows what a peer sends during a handshake, byte by byte: a greeting, then command frames.
type checker struct {
	mechanism string // ours
	server    bool   // so are we

	total  int // bytes seen
	minor  byte
	start  [16]byte // of the greeting, to quote
	mech   [20]byte
	head   [longHeader]byte // of the frame under way
	nhead  int              // bytes in head
	inBody int              // bytes of the frame's body still to come
}

// feed looks at the next bytes, or says why the peer is to be refused.
func (c *checker) feed(p []byte) error {
	for i := range p {
		if c.total == handshakeTotal {
			return fmt.Errorf("%w: handshake of more than %d bytes", ErrProtocol, handshakeTotal)
		}
		at := c.total
		c.total++
		if at < greetingSize {
			if at < len(c.start) {
				c.start[at] = p[i]
			}
			if err := c.greeting(at, p[i], p[i:]); err != nil {
				return err
			}
			continue
		}
		if c.inBody > 0 {
			c.inBody--
			continue
		}
		if err := c.header(p[i]); err != nil {
			return err
		}
	}
	return nil
}

// greeting checks the greeting's byte number at. rest is that byte and what came with it.
func (c *checker) greeting(at int, b byte, rest []byte) error {
	switch {
	case at == 0 && b != 0xff:
		return fmt.Errorf("%w: %s", ErrProtocol, stranger(rest))
	case at == 9 && b != 0x7f:
		return fmt.Errorf("%w: no ZMTP greeting: starts with %q", ErrProtocol, c.start[:10])
	case at == 10 && b < 3:
		old := map[byte]string{0: "1.0", 1: "2.0", 2: "2.1"}[b]
		return fmt.Errorf("%w: peer speaks ZMTP %s, needed is 3.0 or later (libzmq 4.0)", ErrProtocol, old)
	case at == 11:
		c.minor = b
	case at >= 12 && at < 32:
		c.mech[at-12] = b
		if at == 31 {
			if peer := padded(c.mech[:]); peer != c.mechanism {
				return fmt.Errorf("%w: peer's security mechanism is %q, ours %q", ErrProtocol, peer, c.mechanism)
			}
		}
	case at == 32 && b > 1:
		return fmt.Errorf("%w: as-server flag 0x%02x in the greeting", ErrProtocol, b)
	case at == 32 && b == 1 && c.server: // libzmq says 0 whatever it is
		return fmt.Errorf("%w: both ends are %s servers", ErrProtocol, c.mechanism)
	}
	return nil
}

// header takes the next byte of a frame's header.
func (c *checker) header(b byte) error {
	c.head[c.nhead] = b
	c.nhead++
	h, n, err := decodeHeader(c.head[:c.nhead])
	switch {
	case err != nil:
		return fmt.Errorf("%w (in the handshake)", err)
	case !h.command():
		return fmt.Errorf("%w: message frame in the handshake", ErrProtocol)
	case n == 0:
		return nil
	case h.size == 0:
		return fmt.Errorf("%w: empty command in the handshake", ErrProtocol)
	case h.size > handshakeFrame:
		return fmt.Errorf("%w: frame of %d bytes in the handshake, at most %d are taken", ErrProtocol, h.size, handshakeFrame)
	}
	c.nhead, c.inBody = 0, int(h.size)
	return nil
}

// padded is the text in a field that is filled up with zeros.
func padded(field []byte) string {
	for i, b := range field {
		if b == 0 {
			return string(field[:i])
		}
	}
	return string(field)
}

// stranger says what it may be that starts like p and is no ZMTP greeting.
func stranger(p []byte) string {
	start := p[:min(len(p), 16)]
	switch {
	case len(p) > 1 && p[0] == 0x16 && p[1] == 3:
		return fmt.Sprintf("no ZMTP greeting but TLS: starts with %q", start)
	case len(p) > 1 && p[0] == 1 && p[1] == 0:
		return "peer speaks ZMTP 1.0, needed is 3.0 or later (libzmq 4.0)"
	case p[0] >= 'A' && p[0] <= 'Z':
		return fmt.Sprintf("no ZMTP greeting but perhaps HTTP: starts with %q", start)
	}
	return fmt.Sprintf("no ZMTP greeting: starts with %q", start)
}
