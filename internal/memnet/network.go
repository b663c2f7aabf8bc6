package memnet

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Network is a network in memory. Its zero value is ready; all methods may be called from any goroutine.
//
// Addresses of the networks "tcp" and "unix" behave like a machine's: nobody there means refused. Hosts need not exist;
// "localhost", "127.0.0.1" and "::1" are one, and a listener without a host, or on 0.0.0.0 or ::, is found under any.
// A port of 0 gets a free one. "inproc" names are free, and dialling one waits until it is bound.
type Network struct {
	mu        sync.Mutex
	listeners map[addr]*listener
	waiting   map[addr][]chan struct{} // dials that wait for an inproc name
	conns     map[*pair]addresses
	stalled   map[string]bool
	lastPort  uint16 // last one given out
	delay     func() time.Duration
}

// addresses are those under which Cut and Stall know a connection: as dialled and as bound.
type addresses [2]string

// New returns an empty Network.
func New() *Network { return new(Network) }

// Listen binds an address of network "tcp", "unix" or "inproc". An address that is bound already is refused with an
// error that wraps syscall.EADDRINUSE. Connections live on when the listener is closed, those not yet accepted do not.
func (n *Network) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	key, err := parse(network, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if host, port, ok := splitPort(key); ok && port == "0" {
		key.address = net.JoinHostPort(host, n.freePort())
	}
	if n.listeners[key] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: key, Err: syscall.EADDRINUSE}
	}
	l := newListener(n, key)
	if n.listeners == nil {
		n.listeners = make(map[addr]*listener)
	}
	n.listeners[key] = l
	for _, w := range n.waiting[key] {
		close(w)
	}
	delete(n.waiting, key)
	return l, nil
}

// Dial connects to an address of network "tcp", "unix" or "inproc". Where nobody listens tcp and unix refuse at once
// with an error that wraps syscall.ECONNREFUSED, and inproc waits until the name is bound or ctx ends.
func (n *Network) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	key, err := parse(network, address)
	if err != nil {
		return nil, err
	}
	for {
		if err := context.Cause(ctx); err != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Addr: key, Err: err}
		}
		n.mu.Lock()
		if c := n.connect(key); c != nil {
			n.mu.Unlock()
			return c, nil
		}
		if network != "inproc" {
			n.mu.Unlock()
			return nil, &net.OpError{Op: "dial", Net: network, Addr: key, Err: syscall.ECONNREFUSED}
		}
		bound := n.wait(key)
		n.mu.Unlock()
		select {
		case <-bound:
		case <-ctx.Done():
			n.stopWaiting(key, bound)
		}
	}
}

// connect makes a connection to whoever listens on key: nil if nobody does. The caller holds the lock.
func (n *Network) connect(key addr) net.Conn {
	l := n.listeners[key]
	if _, port, ok := splitPort(key); l == nil && ok {
		l = n.listeners[addr{key.network, net.JoinHostPort("::", port)}]
	}
	if l == nil {
		return nil
	}
	local := addr{key.network, key.address}
	switch key.network {
	case "tcp":
		local.address = net.JoinHostPort("127.0.0.1", n.freePort())
	case "unix":
		local.address = "@" // as an unbound Unix socket's
	}
	p := newPair(local, key, key.network == "inproc")
	names := addresses{key.address, l.key.address}
	p.onGone = func() { n.forget(p) }
	for i := range p.halves {
		p.halves[i].delay = n.delay
		p.halves[i].stalled = n.stalled[names[0]] || n.stalled[names[1]]
	}
	if !l.queue(&p.ends[1]) {
		return nil
	}
	if n.conns == nil {
		n.conns = make(map[*pair]addresses)
	}
	n.conns[p] = names
	return &p.ends[0]
}

func (n *Network) forget(p *pair) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, p)
}

// wait returns a channel that is closed when key is bound. The caller holds the lock.
func (n *Network) wait(key addr) chan struct{} {
	if n.waiting == nil {
		n.waiting = make(map[addr][]chan struct{})
	}
	bound := make(chan struct{})
	n.waiting[key] = append(n.waiting[key], bound)
	return bound
}

func (n *Network) stopWaiting(key addr, bound chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, w := range n.waiting[key] {
		if w == bound {
			n.waiting[key] = append(n.waiting[key][:i], n.waiting[key][i+1:]...)
			break
		}
	}
	if len(n.waiting[key]) == 0 {
		delete(n.waiting, key)
	}
}

// freePort returns a port that nobody on any host listens on. The caller holds the lock.
func (n *Network) freePort() string {
	for {
		n.lastPort = max(n.lastPort+1, 1<<15)
		port := strconv.Itoa(int(n.lastPort))
		taken := false
		for key := range n.listeners {
			_, p, ok := splitPort(key)
			taken = taken || ok && p == port
		}
		if !taken {
			return port
		}
	}
}

// parse checks an address and brings it into its one form.
func parse(network, address string) (addr, error) {
	switch network {
	case "unix", "inproc":
		if address == "" {
			return addr{}, fmt.Errorf("memnet: empty %s address", network)
		}
		return addr{network, address}, nil
	case "tcp":
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return addr{}, err
		}
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return addr{}, fmt.Errorf("memnet: bad port in %q", address)
		}
		return addr{network, net.JoinHostPort(plain(host), port)}, nil
	}
	return addr{}, net.UnknownNetworkError(network)
}

// plain maps the many names of this machine to one, and those of all its interfaces to another.
func plain(host string) string {
	switch host {
	case "localhost", "::1":
		return "127.0.0.1"
	case "", "0.0.0.0":
		return "::"
	}
	return host
}

// splitPort splits a tcp address, which parse has checked.
func splitPort(key addr) (host, port string, ok bool) {
	if key.network != "tcp" {
		return "", "", false
	}
	host, port, err := net.SplitHostPort(key.address)
	return host, port, err == nil
}
