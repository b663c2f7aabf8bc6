package mailbox

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Network is what sockets listen and dial on: the machine's own unless Config says otherwise. Its networks are "tcp",
// "unix" (an address is a path, or "@name") and "inproc".
type Network = zmtp.Network

// Config sets up a Socket. The zero value is useful.
type Config struct {
	// Identity is what a ROUTER at the other end calls this socket: at most 255 bytes, the first not zero. Empty, the
	// default, leaves the choice to the ROUTER. A REP has none.
	Identity []byte
	// SendHWM and RecvHWM are the high-water marks: how many messages wait to be sent to each peer, and how many that
	// came from each peer wait for Recv (default 1000 each). Between sockets of one process one queue has room for both.
	SendHWM, RecvHWM int
	// Linger is how long Close goes on sending what is queued (default 5 s; negative: not at all).
	Linger time.Duration
	// MaxMessage is the size in bytes of the largest message that is accepted, all its frames together (default
	// 64 MiB). The connection of a peer that announces more ends before anything of it is read.
	//
	// As much, but no less than 64 MiB, is also a mark for memory, besides RecvHWM: no more is read from a peer while what
	// came from it and waits for Recv takes as much; a REP receives no more from a requester while the replies that one
	// did not read take as much; and of what peers left behind that are gone, no more is kept while all that takes as much.
	//
	// What comes from a socket of this process is not measured.
	MaxMessage int64
	// Handshake is how long a new connection may take from its first byte to its last READY (default 10 s).
	Handshake time.Duration
	// ReconnectMin and ReconnectMax bound the pause before Connect dials again: it doubles from one to the other, and
	// half of it is left to chance (default 100 ms and 5 s).
	ReconnectMin, ReconnectMax time.Duration
	// Network replaces the machine's, for tests (default: tcp, Unix sockets, and the process's inproc names).
	Network Network
	// Log gets a line for each connection made, lost or refused (default slog.Default()).
	Log *slog.Logger

	memory int64 // the mark for memory
}

const (
	defaultHWM          = 1000
	defaultLinger       = 5 * time.Second
	defaultMaxMessage   = 64 << 20
	defaultReconnectMin = 100 * time.Millisecond
	maxIdentity         = 255
)

// withDefaults returns cfg with every default filled in, or what can't be honoured in it.
func (cfg Config) withDefaults() (Config, error) {
	switch {
	case len(cfg.Identity) > maxIdentity:
		return cfg, fmt.Errorf("mailbox: Config.Identity has %d bytes, at most %d are possible", len(cfg.Identity), maxIdentity)
	case len(cfg.Identity) > 0 && cfg.Identity[0] == 0:
		return cfg, fmt.Errorf("mailbox: Config.Identity starts with a zero byte, as only made-up ones do")
	case cfg.SendHWM < 0, cfg.RecvHWM < 0:
		return cfg, fmt.Errorf("mailbox: Config.SendHWM and RecvHWM can't be negative: queues are bounded")
	case cfg.MaxMessage < 0, cfg.Handshake < 0, cfg.ReconnectMin < 0, cfg.ReconnectMax < 0:
		return cfg, fmt.Errorf("mailbox: Config.MaxMessage, Handshake, ReconnectMin and ReconnectMax can't be negative")
	case cfg.ReconnectMax > 0 && cfg.ReconnectMin > cfg.ReconnectMax:
		return cfg, fmt.Errorf("mailbox: Config.ReconnectMin, %v, is more than ReconnectMax, %v", cfg.ReconnectMin, cfg.ReconnectMax)
	}
	cfg.Identity = append([]byte(nil), cfg.Identity...)
	if cfg.SendHWM == 0 {
		cfg.SendHWM = defaultHWM
	}
	if cfg.RecvHWM == 0 {
		cfg.RecvHWM = defaultHWM
	}
	if cfg.Linger == 0 {
		cfg.Linger = defaultLinger
	}
	if cfg.MaxMessage == 0 {
		cfg.MaxMessage = defaultMaxMessage
	}
	if cfg.memory == 0 {
		cfg.memory = max(cfg.MaxMessage, defaultMaxMessage)
	}
	if cfg.ReconnectMin == 0 && cfg.ReconnectMax > 0 {
		cfg.ReconnectMin = min(defaultReconnectMin, cfg.ReconnectMax)
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return cfg, nil
}

// zmtp returns the configuration of a socket's connections.
func (cfg *Config) zmtp(t SocketType, attach func() any) *zmtp.Config {
	return &zmtp.Config{
		Type:       t,
		Identity:   cfg.Identity,
		MaxMessage: cfg.MaxMessage,
		Handshake:  cfg.Handshake,
		BackoffMin: cfg.ReconnectMin,
		BackoffMax: cfg.ReconnectMax,
		Network:    cfg.Network,
		Log:        cfg.Log,
		Attach:     attach,
	}
}
