package mailbox

import (
	"context"
	"sync"
)

// pause says when the goroutine that reads a connection waits for Recv: what the peer answers is not read then.
type pause struct {
	mu    sync.Mutex
	on    bool
	begun chan struct{} // closed when on is set; nil: nobody waits for that
}

func (p *pause) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on = true
	if p.begun != nil {
		close(p.begun)
		p.begun = nil
	}
}

func (p *pause) end() {
	p.mu.Lock()
	p.on = false
	p.mu.Unlock()
}

// next returns a channel that is closed when a pause begins, and whether there is one now.
func (p *pause) next() (begun chan struct{}, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun == nil {
		p.begun = make(chan struct{})
	}
	return p.begun, p.on
}

// answered waits until the other end of in has acted upon what was queued for it, and reports false if ctx ended first.
// While reading pauses its answer can't be seen, and is not waited for: perhaps it is for the caller to Recv.
func (in *inlet) answered(ctx context.Context) bool {
	begun, on := in.pause.next()
	if on {
		return true
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-begun:
			cancel()
		case <-asking.Done():
		}
	}()
	return in.peer.wire.Ping(asking, in.conn) == nil || in.conn.Err() != nil || ctx.Err() == nil
}
