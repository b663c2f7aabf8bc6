package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// ProxyControl steers a Proxy, and counts what it does. The zero value is ready for use. It serves one Proxy at a time;
// its methods may be called from any goroutine, before, during and after it.
type ProxyControl struct {
	mu         sync.Mutex
	busy       bool               // a proxy uses it
	paused     bool               // Pause was called last
	terminated bool               // Terminate was called
	end        context.CancelFunc // ends the proxy
	change     chan struct{}      // closed at the next Resume, or nil
	taking     context.Context    // messages may be received until it ends
	stop       context.CancelFunc // ends taking
	flows      []*flow

	counts [2]proxyCounts // what was received from the front, and from the back
	missed atomic.Uint64
}

// ProxyStats is what a control's proxies have done, as zmq_proxy_steerable's STATISTICS.
type ProxyStats struct {
	Front, Back ProxySide
	Lost        uint64 // messages that were received and that the other side did not take
	Uncaptured  uint64 // messages that were passed on and that capture had no room for
}

// ProxySide counts the messages, and the bytes in their frames, of one of a proxy's sockets.
type ProxySide struct {
	Received, ReceivedBytes uint64 // from it
	Sent, SentBytes         uint64 // to it
}

// proxyCounts is for one direction, which alone writes it.
type proxyCounts struct {
	received, receivedBytes, sent, sentBytes, lost atomic.Uint64
	_                                              [24]byte // the other direction's are in another cache line
}

var errTerminated = errors.New("mailbox: the proxy was terminated")

// Pause stops the proxy: from when it returns on, nothing is received until Resume. A message that was received is still
// passed on. Paused before it starts, a proxy starts paused.
func (c *ProxyControl) Pause() {
	c.mu.Lock()
	c.paused = true
	if c.stop != nil {
		c.stop()
	}
	flows := c.flows
	c.mu.Unlock()
	for _, f := range flows {
		f.taking.Lock() // until it has left Recv
		//lint:ignore SA2001 the wait is all
		f.taking.Unlock()
	}
}

// Resume ends a Pause.
func (c *ProxyControl) Resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = false
	if c.change != nil {
		close(c.change)
		c.change = nil
	}
}

// Terminate ends the proxy, paused or not, which then returns nil. It does not wait for that. It is for good: another
// Proxy with this control returns at once.
func (c *ProxyControl) Terminate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.terminated = true
	if c.end != nil {
		c.end()
	}
}

// Stats returns the counters, which go on from one proxy to the next. Each is exact, but they are read one by one.
func (c *ProxyControl) Stats() ProxyStats {
	there, back := c.counts[0].read(), c.counts[1].read()
	return ProxyStats{
		Front:      ProxySide{there.Received, there.ReceivedBytes, back.Sent, back.SentBytes},
		Back:       ProxySide{back.Received, back.ReceivedBytes, there.Sent, there.SentBytes},
		Lost:       c.counts[0].lost.Load() + c.counts[1].lost.Load(),
		Uncaptured: c.missed.Load(),
	}
}

func (n *proxyCounts) read() ProxySide {
	return ProxySide{n.received.Load(), n.receivedBytes.Load(), n.sent.Load(), n.sentBytes.Load()}
}

// run is Proxy, with its first errors behind it.
func (c *ProxyControl) run(caller context.Context, front, back *Socket, flows []*flow) error {
	ctx, end := context.WithCancelCause(caller)
	defer end(nil)
	c.mu.Lock()
	switch {
	case c.terminated:
		c.mu.Unlock()
		return nil
	case c.busy:
		c.mu.Unlock()
		return fmt.Errorf("%w: another proxy uses the control", ErrState)
	}
	c.busy, c.flows = true, flows
	c.end = func() { end(errTerminated) }
	c.mu.Unlock()
	for _, s := range []*Socket{front, back} { // one that is only sent to would be missed otherwise
		stop := context.AfterFunc(s.ctx, func() { end(ErrClosed) })
		defer stop()
	}

	var flowing sync.WaitGroup
	for _, f := range flows {
		f.counts, f.missed = &c.counts[0], &c.missed
		if f.from == back {
			f.counts = &c.counts[1]
		}
		flowing.Go(func() {
			end(f.run(ctx, c))
		})
	}
	flowing.Wait()

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		c.stop()
	}
	c.busy, c.flows, c.end, c.taking, c.stop = false, nil, nil, nil, nil
	switch err := context.Cause(ctx); {
	case err == errTerminated:
		return nil
	case caller.Err() != nil && err == context.Cause(caller):
		return caller.Err()
	default:
		return err
	}
}

// permit returns a context that ends when no more may be received. While the proxy is paused it waits. It fails when ctx
// has ended.
func (c *ProxyControl) permit(ctx context.Context) (context.Context, error) {
	for {
		c.mu.Lock()
		if ctx.Err() != nil {
			c.mu.Unlock()
			return nil, ctx.Err()
		}
		if !c.paused {
			if c.taking == nil || c.taking.Err() != nil {
				c.taking, c.stop = context.WithCancel(ctx)
			}
			taking := c.taking
			c.mu.Unlock()
			return taking, nil
		}
		if c.change == nil {
			c.change = make(chan struct{})
		}
		change := c.change
		c.mu.Unlock()
		select {
		case <-change:
		case <-ctx.Done():
		}
	}
}
