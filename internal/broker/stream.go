package broker

import (
	"context"
	"fmt"
	"iter"

	"github.com/troupe-go/troupe/mailbox"
)

// window is how many parts of a reply may be under way to a caller.
const window = 64

// Stream sends a request and returns the parts of its reply as they come; a reply in one part is one. The last pair
// has an error if the reply is not whole: one of Call's, and mailbox.ErrPeerLost also if parts had come when the server,
// or the front, was lost. A loop that is slow slows the server down, and one that is left tells it to stop.
func (c *Caller) Stream(ctx context.Context, body []byte, once bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		o := &outstanding{body: body, once: once, window: window, answers: make(chan answer, window+2)}
		if err := c.begin(ctx, o); err != nil {
			yield(nil, err)
			return
		}
		defer c.abandon(o)
		for read := uint32(0); ; {
			a, err := c.next(ctx, o)
			switch {
			case err != nil:
				yield(nil, err)
				return
			case a.part && !yield(a.body, nil), a.last:
				return
			}
			if read++; read == window/2 {
				c.more(o, read)
				read = 0
			}
		}
	}
}

// more asks for more parts.
func (c *Caller) more(o *outstanding, n uint32) {
	c.mu.Lock()
	id := o.id
	waits := c.calls[id] == o
	c.mu.Unlock()
	if waits && !c.out.say(entry{header: header{kind: more, id: id, n: n}}) {
		c.answer(id, answer{last: true, err: ErrFull})
	}
}

// part takes a part of a reply.
func (c *Caller) part(e *entry) {
	c.mu.Lock()
	o := c.calls[e.id]
	if o == nil {
		c.mu.Unlock()
		return
	}
	missing := e.n != o.got
	o.got++
	fits := !missing && len(o.answers) < window && o.window > 0 && o.put(answer{body: e.frames[0], part: true})
	c.mu.Unlock()
	switch {
	case missing:
		c.answer(e.id, answer{last: true, err: fmt.Errorf("%w: parts of the reply are missing", mailbox.ErrPeerLost)})
	case !fits:
		c.answer(e.id, answer{last: true, err: fmt.Errorf("%w: more parts than were asked for", errProtocol)})
	}
}
