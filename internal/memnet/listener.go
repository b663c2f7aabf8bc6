package memnet

import (
	"net"
	"sync"
)

// backlog is how many connections may wait to be accepted; beyond it tcp and unix refuse.
const backlog = 4096

// listener is a bound address of a Network.
type listener struct {
	network *Network
	key     addr

	mu     sync.Mutex
	cond   sync.Cond
	conns  []net.Conn // connected, not yet accepted
	closed bool
}

func newListener(n *Network, key addr) *listener {
	l := &listener{network: n, key: key}
	l.cond.L = &l.mu
	return l
}

func (l *listener) Addr() net.Addr { return l.key }

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.conns) == 0 && !l.closed {
		l.cond.Wait()
	}
	if l.closed {
		return nil, &net.OpError{Op: "accept", Net: l.key.network, Addr: l.key, Err: net.ErrClosed}
	}
	c := l.conns[0]
	l.conns = l.conns[1:]
	return c, nil
}

// queue puts a new connection in line for Accept; it reports false if the line is too long or the listener closed.
func (l *listener) queue(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.conns) >= backlog && l.key.network != "inproc" {
		return false
	}
	l.conns = append(l.conns, c)
	l.cond.Signal()
	return true
}

func (l *listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return &net.OpError{Op: "close", Net: l.key.network, Addr: l.key, Err: net.ErrClosed}
	}
	l.closed = true
	rest := l.conns
	l.conns = nil
	l.cond.Broadcast()
	l.mu.Unlock()

	l.network.mu.Lock()
	delete(l.network.listeners, l.key)
	l.network.mu.Unlock()
	for _, c := range rest {
		c.Close()
	}
	return nil
}
