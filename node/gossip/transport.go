package gossip

import (
	"context"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

const maxStreams = 64 // that others have open here at one time; memberlist needs few, and briefly

// transport is memberlist's own one, but its streams are bounded in number and end with it.
type transport struct {
	*memberlist.NetTransport
	ctx     context.Context // ends the streams that we open
	cut     func(at string) bool
	streams chan net.Conn
	closing chan struct{} // closed when no streams are passed on any more
	once    sync.Once
	wg      sync.WaitGroup

	mu   sync.Mutex
	open map[*stream]struct{} // that others have opened
}

func newTransport(ctx context.Context, c *memberlist.Config, cut func(at string) bool) (*transport, error) {
	own, err := memberlist.NewNetTransport(&memberlist.NetTransportConfig{
		BindAddrs: []string{c.BindAddr}, BindPort: c.BindPort, Logger: c.Logger,
	})
	if err != nil {
		return nil, err
	}
	t := &transport{NetTransport: own, ctx: ctx, cut: cut, streams: make(chan net.Conn), closing: make(chan struct{}), open: make(map[*stream]struct{})}
	t.wg.Go(t.accept)
	return t, nil
}

// StreamCh returns where the streams that others have opened are received from.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// accept passes streams on.
func (t *transport) accept() {
	for {
		select {
		case conn := <-t.NetTransport.StreamCh():
			s := t.opened(conn)
			if s == nil {
				conn.Close()
				continue
			}
			select {
			case t.streams <- s:
			case <-t.closing:
				s.Close()
			}
		case <-t.closing:
			return
		}
	}
}

// opened returns nil if there are too many.
func (t *transport) opened(conn net.Conn) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.open) == maxStreams {
		return nil
	}
	s := &stream{conn, t}
	t.open[s] = struct{}{}
	return s
}

// WriteToAddress sends a packet.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	if t.cut != nil && t.cut(a.Addr) {
		return time.Now(), nil
	}
	return t.NetTransport.WriteToAddress(b, a)
}

// DialAddressTimeout opens a stream.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	if t.cut != nil && t.cut(a.Addr) {
		return nil, os.ErrDeadlineExceeded
	}
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(t.ctx, "tcp", a.Addr)
	if err != nil {
		return nil, err
	}
	return &dialled{conn, context.AfterFunc(t.ctx, func() { conn.Close() })}, nil
}

// Shutdown ends everything that others have opened.
func (t *transport) Shutdown() error {
	down := make(chan struct{})
	t.once.Do(func() { close(t.closing) })
	t.wg.Go(func() { t.drain(down) })
	err := t.NetTransport.Shutdown()
	close(down)
	t.wg.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.open {
		s.Conn.Close()
	}
	return err
}

// drain takes what memberlist takes no more, so that nobody waits for that.
func (t *transport) drain(down <-chan struct{}) {
	for {
		select {
		case conn := <-t.NetTransport.StreamCh():
			conn.Close()
		case <-t.PacketCh():
		case <-down:
			return
		}
	}
}

// stream is one that was opened by another node.
type stream struct {
	net.Conn
	t *transport
}

func (s *stream) Close() error {
	s.t.mu.Lock()
	delete(s.t.open, s)
	s.t.mu.Unlock()
	return s.Conn.Close()
}

// dialled is a stream that ends with a context.
type dialled struct {
	net.Conn
	stop func() bool
}

func (d *dialled) Close() error {
	d.stop()
	return d.Conn.Close()
}
