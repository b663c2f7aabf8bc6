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
	// Handshake is how long a new connection may take from its first byte to its last READY (default 10 s).
	Handshake time.Duration
	// BackoffMin and BackoffMax bound the pause between two attempts to dial (default 100 ms and 5 s).
	BackoffMin, BackoffMax time.Duration
	// Network makes streams (default OS()).
	Network Network
	// Log is told what happened (default slog.Default()).
	Log *slog.Logger
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
)

// withDefaults returns a copy of cfg with every default filled in.
func (cfg *Config) withDefaults() *Config {
	c := *cfg
	if c.MaxMessage == 0 {
		c.MaxMessage = defaultMaxMessage
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
	if c.Network == nil {
		c.Network = OS()
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
	case cfg.MaxMessage < 0, cfg.Handshake < 0, cfg.BackoffMin < 0, cfg.BackoffMax < 0:
		return fmt.Errorf("zmtp: Config: MaxMessage, Handshake and Backoff can't be negative")
	case cfg.BackoffMax != 0 && cfg.BackoffMax < cfg.BackoffMin:
		return fmt.Errorf("zmtp: Config.BackoffMax: %v is less than BackoffMin, %v", cfg.BackoffMax, cfg.BackoffMin)
	}
	return nil
}
