package zmtp

// Batch is messages as they go over the wire, one after another; or one message as it was read, if it was too large or
// too special to be treated like that.
type Batch struct {
	buf      []byte   // frames; buf[:at] is done
	at       int      // (an offset costs the collector less than a pointer that moves)
	msg      [][]byte // the one message, instead
	messages int
	payload  int // bytes in the messages' frames
}

// batchCost is memory that a queued batch takes besides its messages: its place in lists, which grow by doubling.
const batchCost = 100

// NewBatch returns an empty batch in the memory of buf, behind what is in it.
func NewBatch(buf []byte) Batch { return Batch{buf: buf[len(buf):]} }

// Single returns a batch of one message, as it is.
func Single(msg [][]byte) Batch { return Batch{msg: msg, messages: 1, payload: Payload(msg)} }

// Len is how many messages are in b.
func (b *Batch) Len() int { return b.messages }

// Payload is how many bytes are in the frames of b's messages.
func (b *Batch) Payload() int { return b.payload }

// Size is about how many bytes of memory b takes while it is queued: none once it is empty.
func (b *Batch) Size() int {
	switch {
	case b.messages == 0:
		return 0
	case b.msg != nil:
		return batchCost + footprint(b.msg)
	}
	return batchCost + len(b.buf) - b.at
}

// Fits says whether size bytes more fit in b's memory.
func (b *Batch) Fits(size int) bool { return len(b.buf)+size <= cap(b.buf) }

// Spare gives away what is not used of b's memory.
func (b *Batch) Spare() []byte {
	spare := b.buf[len(b.buf):]
	b.buf = b.buf[:len(b.buf):len(b.buf)]
	return spare
}

// Add adds a message of the frames of head and then those of frames.
func (b *Batch) Add(head, frames [][]byte) {
	for i, body := range head {
		b.add(i < len(head)-1 || len(frames) > 0, body)
	}
	for i, body := range frames {
		b.add(i < len(frames)-1, body)
	}
	b.messages++
}

func (b *Batch) add(more bool, body []byte) {
	b.buf = appendFrame(b.buf, flags(more, false), body)
	b.payload += len(body)
}

// Frame takes the first message out of b, if that has one frame only: else it returns nil, and Next takes it.
func (b *Batch) Frame() []byte {
	if b.messages == 0 || b.msg != nil {
		return nil
	}
	h, body, rest := splitFrame(b.buf[b.at:])
	if h.more() {
		return nil
	}
	b.messages--
	b.payload -= len(body)
	b.at = len(b.buf) - len(rest)
	return body
}

// Next takes the first message out of b: nil if there is none. Its list of frames comes from lists and has lead elements
// before them, which are nil. The frames are parts of b's memory, one behind the other.
func (b *Batch) Next(lists *Lists, lead int) [][]byte {
	if b.messages == 0 {
		return nil
	}
	b.messages--
	if b.msg != nil {
		msg := b.msg
		b.msg, b.payload = nil, 0
		if lead > 0 {
			return append(make([][]byte, lead), msg...)
		}
		return msg
	}
	h, body, rest := splitFrame(b.buf[b.at:])
	n, size := 1, len(body)
	for next := rest; h.more(); n++ {
		var more []byte
		h, more, next = splitFrame(next)
		size += len(more)
	}
	b.payload -= size
	msg := lists.cut(lead+n, size)
	msg[lead] = body
	for i := lead + 1; i < len(msg); i++ {
		_, msg[i], rest = splitFrame(rest)
	}
	b.at = len(b.buf) - len(rest)
	return msg
}

// drop removes the messages that lie as a whole in the first n bytes.
func (b *Batch) drop(n int) (messages, payload int) {
	if n == len(b.buf) {
		messages, payload = b.messages, b.payload
		b.buf, b.messages, b.payload = b.buf[:0], 0, 0
		return messages, payload
	}
	size, at := 0, 0
	for rest := b.buf; at < n; {
		h, body, next := splitFrame(rest)
		at += len(rest) - len(next)
		size += len(body)
		rest = next
		if !h.more() && at <= n {
			b.buf = rest
			messages++
			payload, size = payload+size, 0
		}
	}
	b.messages -= messages
	b.payload -= payload
	return messages, payload
}

const (
	listSize  = 32  // messages' lists of frames are cut from lists of this length
	ownFrames = 4   // but those of messages of more frames,
	ownBytes  = 256 // or more bytes, are not: or who keeps a message would keep much that comes next to it
)

// Lists cuts messages' lists of frames from longer ones, so that many cost one allocation.
type Lists struct{ free [][]byte }

// cut returns a list of n nil frames, for a message of size bytes.
func (l *Lists) cut(n, size int) (msg [][]byte) {
	if n > ownFrames || size > ownBytes {
		return make([][]byte, n)
	}
	if n > len(l.free) {
		l.free = make([][]byte, listSize)
	}
	msg, l.free = l.free[:n:n], l.free[n:]
	return msg
}

// Payload is how many bytes are in msg's frames.
func Payload(msg [][]byte) (n int) {
	for _, body := range msg {
		n += len(body)
	}
	return n
}
