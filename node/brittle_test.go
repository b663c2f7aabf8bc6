package node

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/troupe-go/troupe/internal/memnet"
)

// brittle is a network whose connections break after so many bytes: within the handshake, a HELLO, between two messages or
// in the middle of one.
type brittle struct {
	*memnet.Network

	mu     sync.Mutex
	random *rand.Rand // nil: connections hold from now on
	refuse bool       // nobody can be dialled
}

func (b *brittle) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse {
		return nil, syscall.ECONNREFUSED
	}
	nc, err := b.Network.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if b.random == nil {
		return nc, nil
	}
	most := []int{400, 1000, 3000, 10_000, 1_000_000}[b.random.IntN(5)] // greeting, READY and HELLO are some 400 each way
	c := &breaking{Conn: nc, out: 1 + b.random.IntN(most), in: 1 + b.random.IntN(most)}
	if b.random.IntN(2) == 0 {
		c.hole = time.Duration(b.random.IntN(200)) * time.Millisecond
	}
	return c, nil
}

// calm lets connections hold that are made from now on.
func (b *brittle) calm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.random = nil
}

// outage has nobody connected for a time.
func (b *brittle) outage(d time.Duration, addresses ...string) {
	b.refuses(true)
	for _, a := range addresses {
		b.Cut(a)
	}
	time.Sleep(d)
	b.refuses(false)
}

func (b *brittle) refuses(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = on
}

// breaking is the dialling end of a connection that breaks.
type breaking struct {
	net.Conn
	hole time.Duration // for which what is written after out bytes goes nowhere, unnoticed, before the connection breaks

	mu      sync.Mutex
	out, in int // bytes that are let through
	broken  bool
}

func (c *breaking) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > c.in {
		n, err = c.in, nil
		if n == 0 {
			err = syscall.ECONNRESET
		}
		c.Conn.Close()
	}
	c.in -= n
	return n, err
}

func (c *breaking) Write(p []byte) (int, error) { return c.write(p, c.Conn.Write) }

func (c *breaking) TryWrite(p []byte) (int, error) {
	return c.write(p, c.Conn.(interface{ TryWrite([]byte) (int, error) }).TryWrite)
}

func (c *breaking) write(p []byte, write func([]byte) (int, error)) (int, error) {
	c.mu.Lock()
	passes := min(len(p), c.out)
	c.mu.Unlock()
	n := 0
	if passes > 0 {
		var err error
		n, err = write(p[:passes])
		c.mu.Lock()
		c.out -= n
		c.mu.Unlock()
		if err != nil || n < passes || n == len(p) {
			return n, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.broken {
		c.broken = true
		time.AfterFunc(c.hole, func() { c.Conn.Close() })
	}
	return len(p), nil
}
