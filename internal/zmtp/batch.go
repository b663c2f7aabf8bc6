package zmtp

import "sync"

const (
	smallBatch = 4 << 10        // the first batch of an outbox: with many peers, few have much to be sent
	largeBatch = 64<<10 + 1<<10 // those behind it; what one write takes
)

// batch is messages as they go over the wire, one after another.
type batch struct {
	buf      []byte
	messages int
	payload  int   // bytes in the messages' frames
	halfOn   *Conn // that wrote some bytes of it, and has the rest
}

var (
	smallBatches = sync.Pool{New: func() any { return &batch{buf: make([]byte, 0, smallBatch)} }}
	largeBatches = sync.Pool{New: func() any { return &batch{buf: make([]byte, 0, largeBatch)} }}
)

// newBatch returns an empty batch with room for size bytes.
func newBatch(size int, first bool) *batch {
	switch {
	case first && size <= smallBatch:
		return smallBatches.Get().(*batch)
	case size <= largeBatch:
		return largeBatches.Get().(*batch)
	}
	return &batch{buf: make([]byte, 0, size)}
}

// free lets others use b's memory.
func (b *batch) free() {
	*b = batch{buf: b.buf[:0]}
	switch cap(b.buf) {
	case smallBatch:
		smallBatches.Put(b)
	case largeBatch:
		largeBatches.Put(b)
	}
}

// fits says whether size bytes more fit.
func (b *batch) fits(size int) bool { return len(b.buf)+size <= cap(b.buf) }

// add adds a message of the frames of head and then those of frames.
func (b *batch) add(head, frames [][]byte) {
	for i, body := range head {
		b.frame(i < len(head)-1 || len(frames) > 0, body)
	}
	for i, body := range frames {
		b.frame(i < len(frames)-1, body)
	}
	b.messages++
}

func (b *batch) frame(more bool, body []byte) {
	b.buf = appendFrame(b.buf, flags(more, false), body)
	b.payload += len(body)
}

// drop removes the messages that lie as a whole in the first n bytes.
func (b *batch) drop(n int) (messages, payload int) {
	if n == len(b.buf) {
		messages, payload = b.messages, b.payload
		b.buf, b.messages, b.payload = b.buf[:0], 0, 0
		return messages, payload
	}
	end, size := 0, 0
	for at := 0; at < n; {
		h, head, _ := decodeHeader(b.buf[at:])
		at += head + int(h.size)
		size += int(h.size)
		if !h.more() && at <= n {
			end = at
			messages++
			payload, size = payload+size, 0
		}
	}
	b.buf = b.buf[end:]
	b.messages -= messages
	b.payload -= payload
	return messages, payload
}

// Payload is how many bytes are in msg's frames.
func Payload(msg [][]byte) (n int) {
	for _, body := range msg {
		n += len(body)
	}
	return n
}
