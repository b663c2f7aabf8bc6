package node

import (
	"context"
	"time"
)

// Discovery finds other nodes. There are [Static], [DNS] and package gossip, and anybody may write another, for Consul or
// Kubernetes for instance.
type Discovery interface {
	// Discover looks for nodes until ctx ends. It calls found, from any goroutine, with all the nodes that it knows of
	// whenever these change: each list takes the place of the one before. This node may be among them, nothing comes of
	// that. found never waits for the network, and does nothing once ctx has ended.
	//
	// self returns how this node wants to be found. It may be called at any time, and what it says may change: Kinds
	// grows as the program registers them.
	//
	// Discover must return soon after ctx has ended, since Close waits for it. If it returns before, it is called again
	// after a pause of a second that doubles up to half a minute; meanwhile the nodes found last stay found. The first
	// error of a row is logged.
	//
	// A Discovery that also has a method Check(self Info) error is asked by Start, which fails with that error.
	Discover(ctx context.Context, self func() Info, found func([]Info)) error
}

// Info is what is known about a node.
type Info struct {
	// Name is empty if only the endpoints were found: whoever answers there is asked for its name.
	Name string
	// Endpoints are where other nodes can dial it, "tcp://10.0.0.7:4000" for instance. They are tried in turn. A node
	// that has none can be known all the same: it dials.
	Endpoints []string
	// Kinds names what other nodes may have it spawn.
	Kinds []string
}

const (
	minSearchPause = time.Second
	maxSearchPause = 30 * time.Second
)

// check asks the Discovery whether it can be honoured.
func (s *search) check() error {
	if d, ok := s.node.cfg.Discovery.(interface{ Check(self Info) error }); ok {
		return d.Check(s.node.self())
	}
	return nil
}

// start starts the Discovery, if there is one.
func (s *search) start() {
	if s.node.cfg.Discovery == nil {
		return
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	s.wg.Go(func() { s.run(ctx) })
}

// run calls Discover again and again.
func (s *search) run(ctx context.Context) {
	n, wait, said := s.node, minSearchPause, false
	for {
		began := time.Now()
		err := n.cfg.Discovery.Discover(ctx, n.self, s.report)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= maxSearchPause {
			wait, said = minSearchPause, false
		}
		if !said {
			n.log.Warn("discovery ended, trying again", "reason", err)
			said = true
		}
		if !sleep(ctx, wait) {
			return
		}
		wait = min(2*wait, maxSearchPause)
	}
}

// stop ends the Discovery. Nodes that it found are dialled until the node closes its links.
func (s *search) stop() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
}

// sleep reports whether it slept for all of d before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
