package zmtp

import "runtime"

// Sent returns how many messages were written, or taken by a borrower, and the bytes in their frames.
func (o *Outbox) Sent() (messages, bytes uint64) { return o.sent.Load(), o.sentBytes.Load() }

// Replaced returns how many messages a newer one took the place of.
func (o *Outbox) Replaced() uint64 { return o.replaced.Load() }

// Queued returns how many messages are not yet written, nor taken by a borrower.
func (o *Outbox) Queued() int {
	for o.ready.Load() != nil { // or it is a connection that may hold writing, for long
		if o.writing.TryLock() {
			n := o.Len() - o.lent
			o.writing.Unlock()
			return n
		}
		runtime.Gosched()
	}
	return o.Len()
}

// written notes that msgs were sent over a connection.
func (o *Outbox) written(msgs [][][]byte) {
	o.tally(msgs)
	o.lighten(msgs)
}

// tally notes that msgs were sent otherwise.
func (o *Outbox) tally(msgs [][][]byte) {
	if len(msgs) == 0 {
		return
	}
	bytes := 0
	for _, msg := range msgs {
		bytes += Payload(msg)
	}
	o.sent.Add(uint64(len(msgs)))
	o.sentBytes.Add(uint64(bytes))
}

// lighten notes that msgs are no longer queued.
func (o *Outbox) lighten(msgs [][][]byte) {
	if !o.weigh || len(msgs) == 0 {
		return
	}
	n := 0
	for _, msg := range msgs {
		n += Footprint(msg)
	}
	o.bytes.Add(-int64(n))
}

// Payload is how many bytes are in msg's frames.
func Payload(msg [][]byte) (n int) {
	for _, body := range msg {
		n += len(body)
	}
	return n
}
