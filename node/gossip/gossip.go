// Package gossip lets the nodes of a cluster find each other without a server: each gossips with some of the others about
// who is there (SWIM, by hashicorp/memberlist), and needs to reach one node of the cluster, any one, to join all of it.
//
//	n, err := node.Start(ctx, node.Config{
//		Name:      "alpha",
//		Listen:    []string{"tcp://10.0.0.7:4000"},
//		Discovery: gossip.Discovery{Bind: "10.0.0.7:7946", Seeds: []string{"10.0.0.8:7946", "10.0.0.9:7946"}, Key: key},
//	})
//
// Gossip carries the names of the nodes, the endpoints at which they can be dialled, and the kinds that they can spawn.
// So [node.Node.Nodes] says everywhere who can run what, and the actors of every node can be reached by name from every
// other.
//
// A node that is closed leaves: the others know in less than a second. One that dies, or that cannot be reached any more,
// is found dead after some seconds, later in large clusters, and is not listed any more; links have failure detection of
// their own. It is back as soon as it reaches a seed, or is reached, under its old address or another. Parts of a cluster
// that were cut off from each other find together again: every half minute each node tries a seed, or a node that has gone
// in the last day, and all of them one after the other while it is alone, which takes up to ten seconds for each that is silent.
//
// # Safety
//
// With a Key everything is encrypted, and nodes that lack it are kept out. Without one whoever reaches the port can add
// nodes and remove them, and there is a warning when it is open beyond this machine. The key does not encrypt the links
// between nodes.
package gossip

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/troupe-go/troupe/node"
)

// Discovery is a [node.Discovery] by gossip. Its zero value starts a cluster of one, which others can join.
type Discovery struct {
	// Bind is the address and port at which this node gossips, over TCP and UDP both. A port of 0 is a free one.
	// Default: "0.0.0.0:7946".
	Bind string
	// Advertise is the address and port that other nodes are told, if they cannot reach Bind. Default: that of Bind; if
	// that is every address of this machine, its first private one.
	Advertise string
	// Seeds are addresses, or host names that have some, and ports at which other nodes gossip. One that can be reached
	// is enough; they are tried again and again. The node itself may be among them, so that all nodes can have the same.
	Seeds []string
	// Key is 16, 24 or 32 bytes, for AES-128, 192 or 256, the same at every node. Default: none.
	Key []byte
	// Probe is how often this node asks one of the others whether it lives; the answer may take half of that. All else
	// that is done again and again goes at the same pace. A node is found dead after four to thirty times as long, in a
	// large cluster after more; longer is better for slow networks. Default: 1 s.
	Probe time.Duration
	// Log is told who comes and goes. Default: slog.Default().
	Log *slog.Logger

	bound chan<- string        // is told where this node gossips, for tests
	rude  bool                 // does not take leave, for tests
	cut   func(at string) bool // nothing goes to that address, for tests
}

const (
	defaultPort = "7946"
	minProbe    = 10 * time.Millisecond
)

// Check refuses what cannot be honoured: besides bad addresses and keys a node whose endpoints and kinds do not fit into
// the 512 bytes that gossip has for them.
func (d Discovery) Check(self node.Info) error {
	if _, err := d.addresses(); err != nil {
		return fmt.Errorf("%w: Discovery: %w", node.ErrConfig, err)
	}
	for _, seed := range d.Seeds {
		if _, _, err := net.SplitHostPort(seed); err != nil {
			return fmt.Errorf("%w: Discovery: Seeds: write host:port: %w", node.ErrConfig, err)
		}
	}
	switch len(d.Key) {
	case 0, 16, 24, 32:
	default:
		return fmt.Errorf("%w: Discovery: Key has %d bytes, it must have 16, 24 or 32", node.ErrConfig, len(d.Key))
	}
	if d.Probe != 0 && d.Probe < minProbe {
		return fmt.Errorf("%w: Discovery: Probe is %v, it must be at least %v", node.ErrConfig, d.Probe, minProbe)
	}
	if _, err := encode(self); err != nil {
		return fmt.Errorf("%w: Discovery: %w", node.ErrConfig, err)
	}
	return nil
}

// addresses are where a node gossips and what it tells others.
type addresses struct{ bind, advertise netip.AddrPort }

func (d Discovery) addresses() (a addresses, err error) {
	if d.Bind == "" {
		d.Bind = "0.0.0.0:" + defaultPort
	}
	if a.bind, err = netip.ParseAddrPort(d.Bind); err != nil {
		return a, fmt.Errorf("gossip: Bind: write an IP address of this machine, or 0.0.0.0, and a port: %w", err)
	}
	if d.Advertise == "" {
		return a, nil
	}
	a.advertise, err = netip.ParseAddrPort(d.Advertise)
	switch {
	case err != nil:
		return a, fmt.Errorf("gossip: Advertise: write an IP address and a port: %w", err)
	case a.advertise.Addr().IsUnspecified() || a.advertise.Port() == 0:
		return a, fmt.Errorf("gossip: Advertise: nobody can reach %s: write the address and the port", d.Advertise)
	}
	return a, nil
}

// Discover gossips until ctx ends. It fails if it cannot bind its port.
func (d Discovery) Discover(ctx context.Context, self func() node.Info, found func([]node.Info)) error {
	at, err := d.addresses()
	if err != nil {
		return err
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Probe == 0 {
		d.Probe = time.Second
	}
	me := self()
	g := &group{Discovery: d, log: d.Log.With("node", me.Name), name: me.Name, self: self, members: make(map[string]node.Info), gone: make(map[string]lost),
		changed: make(chan struct{}, 1), left: make(chan struct{}, 1)}
	if g.meta, err = encode(me); err != nil {
		return err
	}
	if len(d.Key) == 0 && !at.bind.Addr().IsLoopback() {
		g.log.Warn("gossip goes beyond this machine without a Key: whoever reaches the port can add nodes", "bind", at.bind.String())
	}
	if err := g.start(ctx, at); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	return g.run(ctx, found)
}

// config is memberlist's.
func (g *group) config(at addresses) *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = g.name
	c.BindAddr, c.BindPort = at.bind.Addr().String(), int(at.bind.Port())
	if at.advertise.IsValid() {
		c.AdvertiseAddr, c.AdvertisePort = at.advertise.Addr().String(), int(at.advertise.Port())
	}
	c.ProbeInterval, c.ProbeTimeout, c.GossipInterval, c.PushPullInterval = g.Probe, g.Probe/2, g.Probe/5, 30*g.Probe
	c.GossipToTheDeadTime = apart * g.Probe
	c.SecretKey = g.Key
	c.DeadNodeReclaimTime = reclaim
	c.Delegate, c.Events, c.Conflict = g, g, g
	c.LogOutput, c.Logger = nil, newLogger(g.log)
	return c
}

// address is host:port of a member.
func address(m *memberlist.Node) string {
	return net.JoinHostPort(m.Addr.String(), strconv.Itoa(int(m.Port)))
}
