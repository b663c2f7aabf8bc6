package zmtp

// A piece of an Arena has room for so many frames and bytes: some 2.5 KiB.
const (
	pieceFrames = 16
	pieceBytes  = 2 << 10
	ownFrames   = 4   // a message of more frames,
	ownBytes    = 512 // or more bytes, gets memory of its own
)

// Arena makes messages out of larger pieces of memory, so that many cost one allocation. Who keeps a message keeps its
// piece: less than 3 KiB.
type Arena struct {
	frames [][]byte
	bytes  []byte
}

// Copy returns a message with copies of the frames of head and then of frames. It is the caller's.
func (a *Arena) Copy(head, frames [][]byte) [][]byte {
	msg, buf := a.cut(len(head)+len(frames), Payload(head)+Payload(frames))
	for i, body := range head {
		msg[i], buf = place(buf, body)
	}
	for i, body := range frames {
		msg[len(head)+i], buf = place(buf, body)
	}
	return msg
}

// place copies body to the start of buf, and returns the copy and what is left of buf.
func place(buf, body []byte) (frame, left []byte) {
	n := copy(buf, body)
	return buf[:n:n], buf[n:]
}

// cut returns a message of n nil frames, and size bytes for their bodies.
func (a *Arena) cut(n, size int) (msg [][]byte, buf []byte) {
	if n > ownFrames || size > ownBytes {
		return make([][]byte, n), make([]byte, size)
	}
	if n > len(a.frames) || size > len(a.bytes) {
		piece := new(struct {
			frames [pieceFrames][]byte
			bytes  [pieceBytes]byte
		})
		a.frames, a.bytes = piece.frames[:], piece.bytes[:]
	}
	msg, a.frames = a.frames[:n:n], a.frames[n:]
	buf, a.bytes = a.bytes[:size], a.bytes[size:]
	return msg, buf
}
