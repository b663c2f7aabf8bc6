package zmtp

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Config says how connections are made. Its zero value is useful but for Type. It is not changed once it is in use.
type Config struct {
	// Type is our socket type. The peer's must be compatible with it.
	Type zmq4.SocketType
	// Identity is what a ROUTER calls us by, at most 255 bytes; empty leaves the choice to the ROUTER. Only REQ, DEALER
	// and ROUTER sockets tell it.
	Identity []byte
	// MaxMessage is the size in bytes of the largest message that is accepted, all its frames together (default
	// 64 MiB). The connection of a peer that announces more ends before anything of it is read.
	MaxMessage int64
	// MaxFrames is how many frames a message that is accepted may have (default 65,536).
	MaxFrames int
	// Handshake is how long a new connection may take from its first byte to its last READY (default 10 s).
	Handshake time.Duration
	// BackoffMin and BackoffMax bound the pause between two attempts to dial (default 100 ms and 5 s).
	BackoffMin, BackoffMax time.Duration
	// Network makes streams (default Machine{}).
	Network Network
	// Log is told what happened (default slog.Default()).
	Log *slog.Logger
	// Security authenticates and encrypts connections (default: the NULL mechanism, which does neither).
	Security Security
	// Heartbeat is how often the peer gets a PING (default 0: never; at least 1 ms), HeartbeatTimeout how long after one
	// the connection ends if nothing whatever has come (default Heartbeat), and HeartbeatTTL how long the peer is told to
	// wait for something of ours before it ends the connection (default 0: for ever; at least Heartbeat, rounded up to
	// 100 ms, at most 6553.5 s). Peers of ZMTP 3.0, which has no PING, and those in this process get none.
	Heartbeat, HeartbeatTimeout, HeartbeatTTL time.Duration
	// Event, if set, is called with what happens to listeners and connections, from whatever goroutine it happens in. It
	// must not wait.
	Event func(Event)
	// Attach, if set, is called for each connection before its handshake; if both ends are in this process, the other
	// one finds the result with Conn.Attached.
	Attach func() any
}

// Peer is what the other end told about itself in the handshake.
type Peer struct {
	Type     zmq4.SocketType
	Identity []byte // empty if it gave none
	Minor    byte   // the minor version of its ZMTP 3
	Address  string // where it is, for logs
}

const (
	defaultMaxMessage = 64 << 20
	defaultHandshake  = 10 * time.Second
	defaultBackoffMin = 100 * time.Millisecond
	defaultBackoffMax = 5 * time.Second
	maxIdentity       = 255
	minHeartbeat      = time.Millisecond
	maxTTL            = (1<<16 - 1) * time.Second / 10
)

// withDefaults returns a copy of cfg with every default filled in.
func (cfg *Config) withDefaults() *Config {
	c := *cfg
	if c.MaxMessage == 0 {
		c.MaxMessage = defaultMaxMessage
	}
	if c.MaxFrames == 0 {
		c.MaxFrames = maxFrames
	}
	if c.Handshake == 0 {
		c.Handshake = defaultHandshake
	}
	if c.BackoffMin == 0 {
		c.BackoffMin = defaultBackoffMin
	}
	if c.BackoffMax == 0 {
		c.BackoffMax = max(defaultBackoffMax, c.BackoffMin)
	}
	if c.HeartbeatTimeout == 0 {
		c.HeartbeatTimeout = c.Heartbeat
	}
	if c.Network == nil {
		c.Network = Machine{}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &c
}

// check refuses what can't be honoured.
func (cfg *Config) check() error {
	switch {
	case !known(cfg.Type):
		return fmt.Errorf("zmtp: Config.Type: %q is no socket type", string(cfg.Type))
	case len(cfg.Identity) > maxIdentity:
		return fmt.Errorf("zmtp: Config.Identity: %d bytes, at most %d are possible", len(cfg.Identity), maxIdentity)
	case cfg.MaxMessage < 0, cfg.MaxFrames < 0, cfg.Handshake < 0, cfg.BackoffMin < 0, cfg.BackoffMax < 0:
		return fmt.Errorf("zmtp: Config: MaxMessage, MaxFrames, Handshake and Backoff can't be negative")
	case cfg.BackoffMax != 0 && cfg.BackoffMax < cfg.BackoffMin:
		return fmt.Errorf("zmtp: Config.BackoffMax: %v is less than BackoffMin, %v", cfg.BackoffMax, cfg.BackoffMin)
	}
	if cfg.Security != nil {
		if err := cfg.Security.Check(); err != nil {
			return fmt.Errorf("zmtp: Config.Security: %w", err)
		}
	}
	if err := CheckHeartbeat(cfg.Heartbeat, cfg.HeartbeatTimeout, cfg.HeartbeatTTL); err != nil {
		return fmt.Errorf("zmtp: Config: %w", err)
	}
	return nil
}

// CheckHeartbeat refuses what can't be honoured in the heartbeat fields of a Config.
func CheckHeartbeat(interval, timeout, ttl time.Duration) error {
	switch {
	case interval < 0, timeout < 0, ttl < 0:
		return fmt.Errorf("fields Heartbeat, HeartbeatTimeout and HeartbeatTTL can't be negative")
	case interval == 0 && (timeout > 0 || ttl > 0):
		return fmt.Errorf("fields HeartbeatTimeout and HeartbeatTTL need a Heartbeat")
	case interval > 0 && interval < minHeartbeat, timeout > 0 && timeout < minHeartbeat:
		return fmt.Errorf("fields Heartbeat and HeartbeatTimeout of %v and %v: at least %v is possible", interval, timeout, minHeartbeat)
	case ttl > maxTTL:
		return fmt.Errorf("field HeartbeatTTL is %v, at most %v is possible", ttl, maxTTL)
	case ttl > 0 && ttl < interval:
		return fmt.Errorf("field HeartbeatTTL, %v, is less than Heartbeat, %v: peers would leave between two", ttl, interval)
	}
	return nil
}
