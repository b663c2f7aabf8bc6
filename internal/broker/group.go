package broker

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/troupe-go/troupe/mailbox"
)

// errMoved is the answer of a Group's caller to a call that its front, which is gone, has not answered.
var errMoved = errors.New("another front has to have this call")

// Group calls a service that is at several places, each a front with servers of its own. A call goes to the place that has
// the fewest in hand for this group, of those that are there, and to another if that is lost. All methods may be called from
// any goroutine.
type Group struct {
	callers []*Caller

	mu   sync.Mutex
	next int           // of callers, to be looked at first
	news chan struct{} // closed when a place is there, or refuses
}

// NewGroup returns a group for the service whose fronts are, or will be, at these endpoints.
func NewGroup(cfg mailbox.Config, service string, endpoints ...string) (*Group, error) {
	g := &Group{news: make(chan struct{})}
	for _, at := range endpoints {
		c, err := newCaller(cfg, service, at, g.tell)
		if err != nil {
			g.Close()
			return nil, err
		}
		g.callers = append(g.callers, c)
	}
	return g, nil
}

// Close ends the group as it does a Caller.
func (g *Group) Close() {
	for _, c := range g.callers {
		c.Close()
	}
	g.tell()
}

// tell wakes those that wait for a place.
func (g *Group) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.news)
	g.news = make(chan struct{})
}

// Call is a Caller's, but for the place. It fails with ErrRefused if all places refuse this caller.
func (g *Group) Call(ctx context.Context, body []byte, once bool) ([]byte, error) {
	for {
		c, err := g.choose(ctx)
		if err != nil {
			return nil, err
		}
		if reply, err := c.Call(ctx, body, once); err != errMoved {
			return reply, err
		}
	}
}

// Stream is a Caller's, but for the place.
func (g *Group) Stream(ctx context.Context, body []byte, once bool) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for moved := true; moved; {
			c, err := g.choose(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			moved = false
			for part, err := range c.Stream(ctx, body, once) {
				if moved = err == errMoved; moved || !yield(part, err) {
					break
				}
			}
		}
	}
}

// choose waits until a place is there, and returns the caller of that with the fewest calls in hand.
func (g *Group) choose(ctx context.Context) (*Caller, error) {
	for {
		g.mu.Lock()
		news, first := g.news, g.next
		g.next = (first + 1) % len(g.callers)
		g.mu.Unlock()
		var best *Caller
		var refused error
		fewest, refusals := 0, 0
		for i := range g.callers {
			c := g.callers[(first+i)%len(g.callers)] // in turn, if they have the same
			up, n, err := c.state()
			if up && (best == nil || n < fewest) {
				best, fewest = c, n
			}
			if err != nil {
				refused = err
				refusals++
			}
		}
		switch {
		case best != nil:
			return best, nil
		case refusals == len(g.callers):
			return nil, refused
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
