package node

import "github.com/troupe-go/troupe/internal/zmtp"

// batch is what is written to a connection in one go.
type batch struct {
	frames []zmtp.Frame
	bytes  int
	heads  []byte // memory for the headers of parts
}

func (b *batch) full() bool { return len(b.frames) >= maxBatch || b.bytes >= batchBytes }

func (b *batch) add(frame []byte) { b.addPart(nil, frame) }

// addPart adds a frame in two pieces.
func (b *batch) addPart(head, body []byte) {
	b.frames = append(b.frames, zmtp.Frame{Head: head, Body: body})
	b.bytes += len(head) + len(body)
}

func (b *batch) clear() {
	clear(b.frames)
	b.frames, b.bytes, b.heads = b.frames[:0], 0, b.heads[:0]
}
