package node

// batch is what is written to a connection in one go.
type batch struct {
	frames [][]byte
	lists  [][][]byte // of one frame each, for frames
	bytes  int
	parts  [][]byte // memory for the frames of parts
	used   int      // of parts
}

func (b *batch) full() bool { return len(b.frames) >= maxBatch || b.bytes >= batchBytes }

func (b *batch) add(frame []byte) {
	b.frames = append(b.frames, frame)
	b.bytes += len(frame)
}

// room returns empty memory for the frame of a part.
func (b *batch) room() []byte {
	if b.used == len(b.parts) {
		b.parts = append(b.parts, make([]byte, 0, maxFrame))
	}
	b.used++
	return b.parts[b.used-1]
}

// messages returns the frames as messages.
func (b *batch) messages() [][][]byte {
	b.lists = b.lists[:0]
	for i := range b.frames {
		b.lists = append(b.lists, b.frames[i:i+1:i+1])
	}
	return b.lists
}

func (b *batch) clear() {
	clear(b.frames)
	if b.frames, b.bytes = b.frames[:0], 0; b.used == 0 {
		b.parts = nil
	}
	b.used = 0
}
