package node

import (
	"sync/atomic"
	"time"
)

const (
	ackAfter = 20 * time.Millisecond // a message is acknowledged by then,
	ackEvery = 1000                  // or when so many have come,
	ackBytes = 1 << 20               // or so much; mostly before that, by what goes the other way
)

// receipts sees to it that what arrives is acknowledged. But for the timer it belongs to the goroutine that reads.
type receipts struct {
	messages, bytes int
	timer           *time.Timer
	set             atomic.Bool
}

// received notes a numbered message.
func (r *receipts) received(size int, out *outbox) {
	r.messages++
	r.bytes += size
	if r.messages >= ackEvery || r.bytes >= ackBytes {
		r.messages, r.bytes = 0, 0
		out.postAck()
	}
	if r.set.Load() {
		return
	}
	r.set.Store(true)
	if r.timer == nil {
		r.timer = time.AfterFunc(ackAfter, func() {
			r.set.Store(false)
			out.postAck()
		})
	} else {
		r.timer.Reset(ackAfter)
	}
}

func (r *receipts) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}
