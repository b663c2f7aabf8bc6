package broker

import (
	"context"
	"math"
	"runtime"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

// outbox sends what many goroutines have to say over a socket's one connection, in the order in which it was said, and
// much of it in one message: writing costs more than anything else.
type outbox struct {
	s    *mailbox.Socket
	over context.Context // ends the wait for room

	pushing sync.WaitGroup

	mu      sync.Mutex
	waiting []entry
	bytes   int
	taken   []entry // waiting's other half
	busy    bool    // somebody sends
	closed  bool
	pack    packer // of who does
}

// say has e sent, and does not wait for that. It reports false if too much waits already, as the front doesn't read.
func (o *outbox) say(e entry) bool {
	o.mu.Lock()
	if len(o.waiting) >= sendHWM || o.bytes >= maxBytes {
		o.mu.Unlock()
		return false
	}
	o.waiting = append(o.waiting, e)
	o.bytes += e.size()
	busy := o.busy
	o.busy = true
	o.mu.Unlock()
	if !busy {
		runtime.Gosched() // whoever is about to say something does now
		o.flush(rounds)
	}
	return true
}

// restart drops what waits and says e instead.
func (o *outbox) restart(e entry) {
	o.mu.Lock()
	clear(o.waiting)
	o.waiting, o.bytes = o.waiting[:0], 0
	o.mu.Unlock()
	o.say(e)
}

// rounds is how often a goroutine that has said something sends what others have said meanwhile.
const rounds = 8

// flush sends all that waits. After so many rounds it leaves the rest to a goroutine that does nothing else.
func (o *outbox) flush(rounds int) {
	for ; ; rounds-- {
		o.mu.Lock()
		if len(o.waiting) == 0 {
			o.busy = false
			o.mu.Unlock()
			return
		}
		if rounds == 0 && !o.closed {
			o.pushing.Go(func() { o.flush(math.MaxInt) })
			o.mu.Unlock()
			return
		}
		all := o.waiting
		o.waiting, o.bytes = o.taken[:0], 0
		o.mu.Unlock()
		for i := 0; i < len(all); {
			o.pack.reset(nil)
			for i < len(all) && o.pack.fits(&all[i]) {
				o.pack.add(&all[i])
				i++
			}
			if o.s.Send(ended, o.pack.frames...) == nil {
				continue
			}
			o.leave(all[i:])
			return
		}
		clear(all)
		o.taken = all
	}
}

// leave leaves what is packed, and rest, to a goroutine that waits for room: ours has something else to do.
func (o *outbox) leave(rest []entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		o.busy = false
		return
	}
	o.pushing.Go(func() { o.push(rest) })
}

// close drops what waits. The socket is closed already.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.pushing.Wait()
}

// push waits for room for what is packed, and sends it, rest, and what waits.
func (o *outbox) push(rest []entry) {
	for o.s.Send(o.over, o.pack.frames...) == nil && len(rest) > 0 {
		o.pack.reset(nil)
		for len(rest) > 0 && o.pack.fits(&rest[0]) {
			o.pack.add(&rest[0])
			rest = rest[1:]
		}
	}
	o.mu.Lock()
	o.taken = nil
	o.mu.Unlock()
	o.flush(math.MaxInt)
}
