package zmtp

import (
	"container/list"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	maxPending    = 1024        // handshakes under way per listener; one more ends the oldest,
	crowdedAfter  = time.Second // if that is as old
	acceptWaitMin = 10 * time.Millisecond
	acceptWaitMax = time.Second
	acceptQuiet   = 10 * time.Second // between two log lines about failing accepts
)

var errCrowded = errors.New("zmtp: too many handshakes under way, the oldest was ended")

// Listener accepts connections at one address until it is closed.
type Listener struct {
	cfg      *Config
	nl       net.Listener
	serve    func(*Conn)
	refusals *refusals
	events   source
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	pending list.List     // of *newcomer, oldest first
	fewer   chan struct{} // one of pending is through
	conns   map[*Conn]struct{}
}

// newcomer is an accepted stream that is not yet a connection.
type newcomer struct {
	nc      net.Conn
	since   time.Time
	crowded bool // ended to make way
}

// Listen binds address and accepts connections there until Close. ctx bounds the binding only.
//
// Each connection has a goroutine of its own, first for its handshake and then for serve, so a silent or slow peer
// delays no other; it is closed when serve returns. At most 1024 handshakes are under way at once: one more ends the
// oldest, once that has taken a second, which those that come all at once do not. When connections can't be accepted, for want of file descriptors for instance, that is logged and tried again
// after 10 ms to 1 s.
func Listen(ctx context.Context, cfg *Config, network, address string, serve func(*Conn)) (*Listener, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults().over(network)
	nl, err := cfg.Network.Listen(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l := &Listener{
		cfg:      cfg,
		nl:       nl,
		serve:    serve,
		refusals: newRefusals(cfg.Log),
		conns:    make(map[*Conn]struct{}),
		fewer:    make(chan struct{}, 1),
	}
	l.events = source{event: cfg.Event, network: network, address: nl.Addr().String()}
	l.events.tell(Event{Kind: Listening})
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.wg.Go(l.accept)
	return l, nil
}

// Addr returns the address that is bound, with its real port.
func (l *Listener) Addr() net.Addr { return l.nl.Addr() }

// Close stops listening, ends all handshakes and closes all connections, and returns when each serve has returned: it
// must not be called from one. A second Close waits too.
func (l *Listener) Close() error {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	l.mu.Unlock()
	var err error
	if first {
		err = l.nl.Close()
		l.cancel()
		l.closeAll()
	}
	l.wg.Wait()
	l.refusals.close()
	if first {
		l.events.tell(Event{Kind: Closed})
	}
	return err
}

// closeAll closes every stream and connection. None is added once l.closed is set.
func (l *Listener) closeAll() {
	l.mu.Lock()
	var conns []*Conn
	for c := range l.conns {
		conns = append(conns, c)
	}
	for e := l.pending.Front(); e != nil; e = e.Next() {
		e.Value.(*newcomer).nc.Close()
	}
	l.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
}

// accept accepts streams until the listener is closed.
func (l *Listener) accept() {
	var wait time.Duration
	var logged time.Time
	for {
		nc, err := l.nl.Accept()
		if err == nil {
			wait = 0
			l.start(nc)
			continue
		}
		if l.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		wait = min(max(2*wait, acceptWaitMin), acceptWaitMax)
		if logged.IsZero() || time.Since(logged) >= acceptQuiet {
			logged = time.Now()
			l.cfg.Log.Warn("cannot accept connections, trying again", "address", l.nl.Addr().String(), "reason", err)
		}
		if !pause(l.ctx, wait) {
			return
		}
	}
}

// start begins the handshake of an accepted stream in a goroutine of its own.
func (l *Listener) start(nc net.Conn) {
	l.makeWay()
	h := &newcomer{nc: nc, since: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		nc.Close()
		return
	}
	e := l.pending.PushBack(h)
	l.wg.Go(func() { l.run(h, e) })
}

// makeWay waits until fewer handshakes are under way than may be, or until the oldest has had its time, and ends that.
func (l *Listener) makeWay() {
	for {
		l.mu.Lock()
		if l.pending.Len() < maxPending {
			l.mu.Unlock()
			return
		}
		oldest := l.pending.Front()
		h := oldest.Value.(*newcomer)
		left := crowdedAfter - time.Since(h.since)
		if left <= 0 {
			l.pending.Remove(oldest)
			h.crowded = true
			h.nc.Close()
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		t := time.NewTimer(left)
		select {
		case <-l.fewer:
		case <-t.C:
		case <-l.ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// run is the life of a connection.
func (l *Listener) run(h *newcomer, e *list.Element) {
	c, err := Open(l.ctx, h.nc, l.cfg, true)
	l.mu.Lock()
	l.pending.Remove(e) // does nothing if it made way
	select {
	case l.fewer <- struct{}{}:
	default:
	}
	closed := l.closed
	switch {
	case err != nil && h.crowded:
		err = errCrowded
	case err == nil && closed:
		l.mu.Unlock()
		c.Close()
		return
	case err == nil:
		l.conns[c] = struct{}{}
	}
	l.mu.Unlock()
	if err != nil {
		if !closed { // else it's our doing
			l.refusals.refused(remote(h.nc), err)
			l.events.failed(remote(h.nc), err)
		}
		return
	}
	l.events.begin(Accepted, c)
	l.serve(c)
	c.Close()
	l.events.ended(c)
	if err := c.Err(); blames(err) {
		l.refusals.ended(remote(h.nc), err)
	}
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
}

// blames says whether a connection that ended with err did so because of what the peer sent, or did not send to its end.
func blames(err error) bool {
	for _, e := range []error{ErrProtocol, ErrRejected, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// remote names the other end of nc for a log line.
func remote(nc net.Conn) string {
	if a := nc.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// pause waits; it reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
