package mailbox

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/troupe-go/troupe/internal/zmtp"
)

// Network is what sockets listen and dial on: the machine's own unless Config says otherwise. Its networks are "tcp",
// "unix" (an address is a path, or "@name") and "inproc".
type Network = zmtp.Network

// Security is how the two ends of a connection make sure who the other is, and what nobody between them reads.
type Security = zmtp.Security

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
	// As much, but no less than 64 MiB, is also a mark for memory, besides SendHWM and RecvHWM: a peer has no more room to
	// send to while what is queued for it takes as much; no more is read from a peer while what came from it and waits
	// for Recv takes as much; a REP receives no more from a requester while the replies that one
	// did not read take as much; and of what peers left behind that are gone, no more is kept while all that takes as much.
	//
	// What goes to or comes from a socket of this process is not measured.
	MaxMessage int64
	// Handshake is how long a new connection may take from its first byte to its last READY (default 10 s).
	Handshake time.Duration
	// ReconnectMin and ReconnectMax bound the pause before Connect dials again: it doubles from one to the other, and
	// half of it is left to chance (default 100 ms and 5 s).
	ReconnectMin, ReconnectMax time.Duration
	// Security authenticates and encrypts connections over ipc and tcp: a value of package mailbox/plain or mailbox/curve
	// (default nil: the NULL mechanism, which does neither, as libzmq's default).
	Security Security
	// Heartbeat is how often each peer gets a PING (libzmq's ZMQ_HEARTBEAT_IVL; at least 1 ms). If nothing at all has come
	// from the peer HeartbeatTimeout later, its connection ends (default: Heartbeat; ZMQ_HEARTBEAT_TIMEOUT), and Connect
	// dials again. So a peer is found to be gone, though nothing said so, after at most the sum of both. It counts as
	// there while its PONG may be waiting behind messages that nobody receives; but what is sent goes before the PING, so
	// the timeout should be more than a large message needs on a slow network. HeartbeatTTL asks the peer to end the
	// connection if it hears nothing from us for as long (default 0: not to; ZMQ_HEARTBEAT_TTL; at least Heartbeat, in
	// steps of 100 ms, at most 6553.5 s).
	//
	// The default is 0, no heartbeat, as libzmq's: who is not there costs nothing but memory until something is sent, tcp
	// has KeepAlive, and a process that is busy or stopped for longer than a default could know would lose its peers.
	// A PING by a peer is always answered. Peers that speak ZMTP 3.0 and those of this process are sent none.
	Heartbeat, HeartbeatTimeout, HeartbeatTTL time.Duration
	// KeepAlive is for tcp (libzmq's ZMQ_TCP_KEEPALIVE and its _IDLE, _INTVL and _CNT). The zero value means on: a
	// connection that was idle for 15 s is probed every 15 s, and ends when nine probes in a row got no answer. libzmq
	// leaves it to the system, where it is off: with neither that nor a heartbeat, a receiver never learns that a peer's
	// machine is gone. A negative Idle without Enable turns it off.
	KeepAlive net.KeepAliveConfig
	// Backlog is how many connections may wait to be accepted at an endpoint (ZMQ_BACKLOG; default 0: as many as the
	// system allows, not libzmq's 100, which many clients that reconnect at once overrun).
	Backlog int
	// SendBuffer and RecvBuffer are the sizes in bytes of the system's buffers for each connection (ZMQ_SNDBUF,
	// ZMQ_RCVBUF; default 0: the system's own, which for tcp follow the need). The system may round and bound them.
	SendBuffer, RecvBuffer int
	// FileMode is the permissions of the files of ipc endpoints that are bound, such as 0600 to keep other users out,
	// whatever the umask (default 0: what the umask leaves, as in libzmq, which has no such option). On Linux a file never
	// has more than these, not even for the moment between its making and its mode. Abstract names have none.
	FileMode fs.FileMode
	// Immediate makes only peers that are connected count for Send (default false: a peer counts from when Connect was
	// called, and what it is sent waits for the connection; ZMQ_IMMEDIATE). Without one, Send of a REQ, DEALER, PUSH or
	// PAIR waits, and a ROUTER's identity is unknown. What was queued when a connection ended still waits for the next
	// (libzmq drops it). For REQ, DEALER, ROUTER, PUSH and PAIR.
	Immediate bool
	// Conflate keeps the newest message alone in the queue to each peer, and in that from each connection (default false;
	// ZMQ_CONFLATE). A Send that finds another message waiting takes its place, and never waits for room; so does what is
	// read from a connection. What was replaced counts as Replaced, with the one whose queue it was in: between sockets
	// of one process that is the sender, whichever of them conflates. It is for PUSH, PULL, PUB, SUB and DEALER. The
	// message that is just being written goes out, whole. Messages of several frames are replaced as a whole: libzmq
	// does not support them here, and mixes their frames up.
	Conflate bool
	// Relaxed lets a REQ send while a reply is outstanding, which gives up the request that it is for (default false:
	// Send fails with ErrState; ZMQ_REQ_RELAXED). So a server that is lost does not lock its client. A request that waits
	// for a connection is never sent then, and counts as Skipped. Otherwise a late reply must not be taken for the next
	// one's: Correlated tells them apart; without it the connection ends, to be made anew. (libzmq's manual warns that
	// it may mistake the reply then.)
	Relaxed bool
	// Correlated puts a frame of four bytes, a number that grows from a random one, before a REQ's delimiter, and drops
	// replies that don't bring it back (default false; ZMQ_REQ_CORRELATE). Any REP does so. A server that is a ROUTER or
	// DEALER must return all frames up to and including the first empty one, not just one empty frame.
	Correlated bool
	// Mandatory makes a ROUTER's Send fail with ErrUnroutable if nobody has the identity, and wait if the peer that has
	// it has no room (default false: such messages are dropped and counted; ZMQ_ROUTER_MANDATORY).
	Mandatory bool
	// Handover lets a new connection take the identity of another one's peer from it on a ROUTER: the old connection ends,
	// and what was queued for it is dropped as Lost (default false: the new one is refused; ZMQ_ROUTER_HANDOVER). Only
	// peers that are trusted should be able to do so.
	Handover bool
	// NoDrop lets a PUB's or XPUB's Send wait until all peers that the message is for have room: they all get it, or, if
	// its context ends first, none (libzmq: ZMQ_XPUB_NODROP, which a PUB there has not). The default is as libzmq's: who
	// has no room loses the message, which Stats counts.
	NoDrop bool
	// Verbose lets an XPUB's Recv return each subscription, not only the first for its topic (libzmq: ZMQ_XPUB_VERBOSE;
	// default no, as there).
	Verbose bool
	// Network replaces the machine's, for tests (default: tcp, Unix sockets, and the process's inproc names). KeepAlive,
	// Backlog, SendBuffer, RecvBuffer and FileMode are not for use with it.
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
func (cfg Config) withDefaults(t SocketType) (Config, error) {
	if err := cfg.fits(t); err != nil {
		return cfg, err
	}
	if err := cfg.checkNetwork(); err != nil {
		return cfg, err
	}
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
	if cfg.Security != nil {
		if err := cfg.Security.Check(); err != nil {
			return cfg, fmt.Errorf("mailbox: Config.Security: %w", err)
		}
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
		Network:    cfg.network(),
		Security:   cfg.Security,
		Log:        cfg.Log,
		Attach:     attach,

		Heartbeat:        cfg.Heartbeat,
		HeartbeatTimeout: cfg.HeartbeatTimeout,
		HeartbeatTTL:     cfg.HeartbeatTTL,
	}
}

// fits refuses options that the pattern t has no use for.
func (cfg *Config) fits(t SocketType) error {
	for _, o := range []struct {
		field string
		set   bool
		of    []SocketType
	}{
		{"Identity", len(cfg.Identity) > 0, []SocketType{Req, Dealer, Router}},
		{"Immediate", cfg.Immediate, []SocketType{Req, Dealer, Router, Push, Pair}},
		{"Conflate", cfg.Conflate, []SocketType{Dealer, Push, Pull, Pub, Sub}},
		{"Relaxed", cfg.Relaxed, []SocketType{Req}},
		{"Correlated", cfg.Correlated, []SocketType{Req}},
		{"Mandatory", cfg.Mandatory, []SocketType{Router}},
		{"Handover", cfg.Handover, []SocketType{Router}},
		{"NoDrop", cfg.NoDrop, []SocketType{Pub, XPub}},
		{"Verbose", cfg.Verbose, []SocketType{XPub}},
	} {
		if o.set && !slices.Contains(o.of, t) {
			return fmt.Errorf("%w: Config.%s on a %s: it is for %v", ErrUnsupported, o.field, t, o.of)
		}
	}
	return nil
}
