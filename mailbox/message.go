package mailbox

// pack copies frames into a message of the socket's own, behind so many nil elements.
func pack(spare int, frames [][]byte) [][]byte {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	msg, buf := blank(spare+len(frames), size)
	for i, f := range frames {
		start := len(buf)
		buf = append(buf, f...)
		msg[spare+i] = buf[start:len(buf):len(buf)]
	}
	return msg
}

// large is the size from which on a frame that was read is given out as it is: it has the buffer to itself, or wastes
// little of it.
const large = 16 << 10

// unpack makes a message that came in by in the caller's, with id before it unless that is nil.
func (in *inlet) unpack(id []byte, frames [][]byte) [][]byte {
	if id == nil && !in.wire {
		return frames
	}
	head, size := 0, len(id)
	if id != nil {
		head = 1
	}
	if in.wire {
		for _, f := range frames {
			if len(f) < large {
				size += len(f)
			}
		}
	}
	msg, buf := blank(head+len(frames), size)
	own := func(f []byte) []byte {
		start := len(buf)
		buf = append(buf, f...)
		return buf[start:len(buf):len(buf)]
	}
	if id != nil {
		msg[0] = own(id)
	}
	for i, f := range frames {
		switch {
		case !in.wire:
			msg[head+i] = f
		case len(f) < large:
			msg[head+i] = own(f)
		default:
			msg[head+i] = f[:len(f):len(f)]
		}
	}
	return msg
}

// blank returns a message of n nil frames, and an empty buffer for size bytes. For small messages, which are most, both
// are one allocation.
func blank(n, size int) (msg [][]byte, buf []byte) {
	switch {
	case n == 1 && size <= 24:
		m := new(struct {
			msg [1][]byte
			buf [24]byte
		})
		return m.msg[:], m.buf[:0]
	case n == 1 && size <= 72:
		m := new(struct {
			msg [1][]byte
			buf [72]byte
		})
		return m.msg[:], m.buf[:0]
	case n == 1 && size <= 104:
		m := new(struct {
			msg [1][]byte
			buf [104]byte
		})
		return m.msg[:], m.buf[:0]
	case n == 1 && size <= 232:
		m := new(struct {
			msg [1][]byte
			buf [232]byte
		})
		return m.msg[:], m.buf[:0]
	case n == 2 && size <= 48:
		m := new(struct {
			msg [2][]byte
			buf [48]byte
		})
		return m.msg[:], m.buf[:0]
	case n == 2 && size <= 144:
		m := new(struct {
			msg [2][]byte
			buf [144]byte
		})
		return m.msg[:], m.buf[:0]
	case n == 3 && size <= 56:
		m := new(struct {
			msg [3][]byte
			buf [56]byte
		})
		return m.msg[:], m.buf[:0]
	}
	return make([][]byte, n), make([]byte, 0, size)
}
