package zmtp

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/memnet"
)

// goodbye is how long CloseWrite waits for the peer to close its end.
const goodbye = time.Second

// Conn is one ZMTP connection after its handshake. One goroutine reads; any may write and close. After the first error
// in either direction the connection is closed.
type Conn struct {
	nc   net.Conn
	peer Peer

	done    chan struct{} // closed with the connection
	end     sync.Once
	cause   error       // why it ended; read after done
	leaving atomic.Bool // CloseWrite was called: what comes in is of no interest
	onUp    func()      // what Up does; of the goroutine that serves

	reader reader
	writer writer
	pings  pings
	beat   heartbeat
}

// Open performs the handshake over nc. accepted tells whether nc was accepted or dialled. It blocks until the handshake
// is done, fails, cfg.Handshake has passed, or ctx ends; ctx has no say in what comes later. With an error nc is closed.
// The error wraps ErrProtocol if the peer is no ZMTP peer or none that we can talk with, and ErrRejected if it was the
// peer that refused.
func Open(ctx context.Context, nc net.Conn, cfg *Config, accepted bool) (*Conn, error) {
	if err := cfg.check(); err != nil {
		nc.Close()
		return nil, err
	}
	cfg = cfg.withDefaults()
	if cfg.Attach != nil {
		memnet.Attach(nc, cfg.Attach())
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	peer, cipher, err := handshake(ctx, nc, cfg, accepted)
	if !stop() && ctx.Err() != nil {
		err = fmt.Errorf("zmtp: handshake: %w", context.Cause(ctx))
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	c := newConn(nc, peer, cfg.MaxMessage)
	c.reader.frames = cfg.MaxFrames
	if cipher != nil {
		c.reader.cipher, c.reader.overhead = cipher, uint64(cipher.Overhead())
		c.writer.cipher, c.writer.overhead = cipher, cipher.Overhead()
	}
	c.startHeartbeat(cfg)
	return c, nil
}

// newConn returns a Conn over nc, whose handshake is done.
func newConn(nc net.Conn, peer Peer, maxMessage int64) *Conn {
	c := &Conn{nc: nc, peer: peer, done: make(chan struct{})}
	c.reader.init(nc, maxMessage)
	c.reader.publish = peer.Type == zmq4.Sub || peer.Type == zmq4.XSub
	c.writer.init(nc)
	return c
}

// Peer is what the other end told about itself.
func (c *Conn) Peer() Peer { return c.peer }

// SetMaxMessage changes Config.MaxMessage for messages that are read from now on. It belongs to the goroutine that reads.
func (c *Conn) SetMaxMessage(size int64) { c.reader.max = uint64(size) }

// Lend lets ReadBatches give out parts of the connection's own memory from now on, instead of copies: messages are the
// caller's until the next call only. It belongs to the goroutine that reads.
func (c *Conn) Lend() { c.reader.lend = true }

// Attached returns what the other end attached with its Config.Attach, if it is in this process and connected in memory;
// otherwise nil.
func (c *Conn) Attached() any { return memnet.Attached(c.nc) }

// Done is closed when the connection has ended, for whatever reason.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil until the connection has ended, then why: io.EOF if the peer closed it between two messages, ErrClosed
// if it was Close or CloseWrite, else the error that Read or Write met first.
func (c *Conn) Err() error {
	select {
	case <-c.done:
		return c.cause
	default:
		return nil
	}
}

// Close ends the connection at once. What the peer has not read yet may be lost. Every call under way returns.
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	return nil
}

// CloseWrite ends the connection such that the peer gets all that was written: it writes what a TryWrite left, tells the
// peer that nothing follows, waits until the peer has closed too, but no longer than a second, and closes. What the peer
// sends meanwhile is thrown away. (A TCP connection that is closed with input unread is reset, which destroys what the
// peer has not read yet.)
func (c *Conn) CloseWrite() {
	c.leaving.Store(true)
	hurry := time.AfterFunc(goodbye, func() { c.Close() })
	defer hurry.Stop()
	defer c.Close()
	if c.writer.shut() != nil {
		return
	}
	for !c.reader.mu.tryLock() { // a Read under way ends with what it was waiting for, or when the peer closes
		select {
		case <-c.reader.left:
		case <-c.done:
			return
		}
	}
	defer c.reader.mu.unlock()
	c.reader.discard()
}

// fail ends the connection because of err and returns why it has ended: the first call decides.
func (c *Conn) fail(err error) error {
	c.end.Do(func() {
		c.cause = err
		close(c.done)
		c.nc.Close()
		c.beat.stop()
	})
	<-c.done
	return c.cause
}
