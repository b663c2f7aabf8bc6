package zmtp

import (
	"net"
	"slices"
	"sync"
)

// gather collects frames and writes them together. Small ones are copied into one buffer, large ones are not copied;
// with a cipher all are sealed into the buffer.
type gather struct {
	w       net.Conn
	cipher  Cipher
	buf     *[]byte // the small ones; (*buf)[from:] comes after vec
	from    int
	vec     net.Buffers // what comes before, when there are large ones
	inVec   int         // bytes in vec
	written int         // bytes that went out
}

// frame adds a frame of head and then body, and writes if that is enough for one go.
func (g *gather) frame(flags byte, head, body []byte) error {
	switch size := len(head) + len(body); {
	case g.cipher != nil:
		if len(head) > 0 {
			body = slices.Concat(head, body)
		}
		*g.buf = appendSealed(*g.buf, g.cipher, flags, body)
	default:
		*g.buf = append(appendHeader(*g.buf, flags, size), head...)
		if len(body) < bigFrame {
			*g.buf = append(*g.buf, body...)
			break
		}
		g.cut()
		g.vec = append(g.vec, body)
		g.inVec += len(body)
	}
	if g.inVec+len(*g.buf)-g.from >= chunk {
		return g.flush()
	}
	return nil
}

// cut moves what is in buf to vec.
func (g *gather) cut() {
	if small := (*g.buf)[g.from:]; len(small) > 0 {
		g.vec = append(g.vec, small)
		g.inVec += len(small)
		g.from = len(*g.buf)
	}
}

// flush writes all that was added.
func (g *gather) flush() (err error) {
	var n int
	if len(g.vec) == 0 {
		if len(*g.buf) == 0 {
			return nil
		}
		n, err = g.w.Write(*g.buf)
	} else {
		g.cut()
		vec := g.vec // WriteTo changes what it is called on
		var n64 int64
		n64, err = vec.WriteTo(g.w)
		n = int(n64)
		clear(g.vec)
		g.vec = g.vec[:0]
	}
	*g.buf, g.from, g.inVec = (*g.buf)[:0], 0, 0
	g.written += n
	return err
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, chunk+bigFrame+longHeader); return &b }}

func borrowBuffer() *[]byte { return buffers.Get().(*[]byte) }

// giveBackBuffer returns b for others to use, unless it has grown out of measure.
func giveBackBuffer(b *[]byte) {
	if cap(*b) <= 4*chunk {
		buffers.Put(b)
	}
}
