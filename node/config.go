package node

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/mailbox"
)

// ErrConfig is in the errors of Start about a Config that cannot be honoured.
var ErrConfig = errors.New("node: bad config")

// Config sets up a node. The zero value is one that has a name of its own making, listens nowhere and dials nobody.
type Config struct {
	// Name of the node, unique among the nodes that are connected: 1 to 255 bytes without @ : / and spaces. Default:
	// "node-" and the incarnation.
	Name string
	// Listen has the endpoints at which other nodes may dial this one, "tcp://*:4000" for instance; a port of 0 or *
	// is a free one, see [Node.Endpoints]. Default: none; the node can still dial, and be answered.
	Listen []string
	// Advertise has the endpoints that peers are told, if those of Listen are not what they can dial. A wildcard is
	// refused. Default: those of Listen that have no wildcard as their host.
	Advertise []string
	// Peers has the endpoints of other nodes by their names. They are dialled for as long as the node lives.
	Peers map[string]string
	// Security authenticates and encrypts links. Without it they are plain, and whoever reaches the node can be any node:
	// then Listen and Peers may have inproc, ipc and loopback endpoints only, unless Insecure says otherwise.
	Security *Security
	// Insecure lets plain links leave this machine, for networks that themselves keep strangers out. The log has a
	// warning.
	Insecure bool
	// Discovery finds further nodes, which are dialled for as long as they are found. One that has a name in Peers is
	// that peer. Default: none.
	Discovery Discovery
	// Linger bounds how long Close waits for messages to be sent. Default: 5 s; negative: not at all.
	Linger time.Duration
	// Expire is how long a message waits for its node to be reachable before it is a dead letter: "expired", or
	// "unconfirmed" if it was sent before the link broke. Default: 1 min.
	Expire time.Duration
	// Down is within which time a peer is taken for down that gives no sign of life: a link that is silent, although the
	// peer is asked for one, ends after half of it, and if there is no other then for the other half, [actor.PeerDown] is
	// published and those who watch its actors hear of it. At least 100 ms. Default: 10 s.
	Down time.Duration
	// Outbox is how many messages, for each peer, wait to be sent or to be acknowledged at most. However few they are, no
	// more are taken once they have MaxMessage bytes together. Default: 10,000.
	Outbox int
	// MaxMessage is the size of the largest message that is sent to or accepted from a peer, in bytes, its header of
	// some tens of bytes included. Peers are told. Default: 64 MiB.
	MaxMessage int64
	// HWM, Wait, CopyMessages, Supervision, Middleware and Sending are those of [actor.Config]. Sending sees what goes to
	// other nodes too, and Middleware what comes from there, so that the two can hand on a trace, in a field of the messages.
	HWM          int
	Wait         time.Duration
	CopyMessages bool
	Supervision  actor.Supervision
	Middleware   []actor.Middleware
	Sending      actor.Sending
	// Network is what links, and the sockets of actors, run over. Default: this machine's.
	Network mailbox.Network
	// Log is told what happens to links. Default: slog.Default().
	Log *slog.Logger

	incarnation uuid.UUID
	listen      []mailbox.Endpoint
	advertise   []mailbox.Endpoint
	peers       map[string]mailbox.Endpoint
}

const (
	defaultLinger     = 5 * time.Second
	defaultExpire     = time.Minute
	defaultDown       = 10 * time.Second
	minDown           = 100 * time.Millisecond
	defaultOutbox     = 10_000
	defaultMaxMessage = 64 << 20
	minMaxMessage     = 64 << 10 // a HELLO and any header fit
)

// withDefaults returns cfg complete and checked.
func (cfg Config) withDefaults() (Config, error) {
	cfg.incarnation = uuid.New()
	if cfg.Name == "" {
		cfg.Name = "node-" + cfg.incarnation.String()
	}
	setDefault(&cfg.Linger, defaultLinger)
	setDefault(&cfg.Expire, defaultExpire)
	setDefault(&cfg.Down, defaultDown)
	setDefault(&cfg.Outbox, defaultOutbox)
	setDefault(&cfg.MaxMessage, defaultMaxMessage)
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	cfg.Linger = max(0, cfg.Linger)
	switch {
	case cfg.Expire < 0 || cfg.Outbox < 0:
		return cfg, fmt.Errorf("%w: Expire and Outbox cannot be negative", ErrConfig)
	case cfg.Down < minDown:
		return cfg, fmt.Errorf("%w: Down is %v, it must be at least %v", ErrConfig, cfg.Down, minDown)
	case cfg.MaxMessage < minMaxMessage:
		return cfg, fmt.Errorf("%w: MaxMessage is %d bytes, it must be at least %d", ErrConfig, cfg.MaxMessage, minMaxMessage)
	}
	var err error
	if cfg.listen, err = endpoints("Listen", cfg.Listen); err != nil {
		return cfg, err
	}
	if cfg.advertise, err = endpoints("Advertise", cfg.Advertise); err != nil {
		return cfg, err
	}
	for _, e := range cfg.advertise {
		if wildcard(e) {
			return cfg, fmt.Errorf("%w: Advertise: nobody can dial %s: write a name or an address of this machine, and the port", ErrConfig, e)
		}
	}
	if err := cfg.parsePeers(); err != nil {
		return cfg, err
	}
	return cfg, cfg.checkSecurity()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func endpoints(field string, list []string) (parsed []mailbox.Endpoint, err error) {
	if len(list) > maxList {
		return nil, fmt.Errorf("%w: %s: %d endpoints, at most %d are possible", ErrConfig, field, len(list), maxList)
	}
	for _, s := range list {
		e, err := mailbox.ParseEndpoint(s)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrConfig, field, err)
		}
		parsed = append(parsed, e)
	}
	return parsed, nil
}

func (cfg *Config) parsePeers() error {
	cfg.peers = make(map[string]mailbox.Endpoint, len(cfg.Peers))
	for name, s := range cfg.Peers {
		e, err := mailbox.ParseEndpoint(s)
		if err == nil {
			err = checkNode(name)
		}
		switch {
		case err != nil:
			return fmt.Errorf("%w: Peers: %w", ErrConfig, err)
		case name == cfg.Name:
			return fmt.Errorf("%w: Peers: %q is this node", ErrConfig, name)
		case wildcard(e):
			return fmt.Errorf("%w: Peers: %s of %q cannot be dialled: write the host and the port", ErrConfig, e, name)
		}
		cfg.peers[name] = e
	}
	return nil
}

// advertised returns the endpoints for our HELLO.
func (cfg *Config) advertised(bound []mailbox.Endpoint) (list []string) {
	from := cfg.advertise
	if from == nil {
		from = bound
	}
	for _, e := range from {
		if !wildcard(e) {
			list = append(list, e.String())
		}
	}
	return list
}

// wildcard reports whether e stands for every address, or any port, and so cannot be dialled from elsewhere.
func wildcard(e mailbox.Endpoint) bool {
	host, port := hostPort(e)
	ip, err := netip.ParseAddr(host)
	return e.Network == "tcp" && (port == "0" || err == nil && ip.IsUnspecified())
}

// local reports whether e is on this machine alone.
func local(e mailbox.Endpoint) bool {
	host, _ := hostPort(e)
	ip, err := netip.ParseAddr(host)
	return e.Network != "tcp" || host == "localhost" || err == nil && ip.IsLoopback()
}

func hostPort(e mailbox.Endpoint) (host, port string) {
	host, port, _ = net.SplitHostPort(e.Address)
	return host, port
}
