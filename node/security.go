package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-zeromq/zmq4"

	"github.com/troupe-go/troupe/internal/zmtp"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/curve"
)

// Security has the keys by which nodes know each other. With it every link over tcp and ipc is encrypted with CURVE, and
// both of its ends have proved to have a key of the node that they say they are; whoever can't is turned away in the
// handshake, before any message. Package curve says what that is worth. What goes over inproc stays in the process, and
// as it is. A Security must not be changed once a node has it, and several may have the same.
type Security struct {
	// Key is this node's pair of keys. The other nodes need to know Key.Public().
	Key curve.KeyPair
	// Nodes has the public keys of the other nodes, by their names. One that is about to change its key has two here: the
	// old one, and the one that it will come back with.
	Nodes map[string][]curve.Key
	// Others, if set, returns the public keys of a node that is not in Nodes; none if there is to be no link with it. If
	// it returns the same one for every name, then whoever has its secret key can be any node. It is called from many
	// goroutines at once, before each connection, and must not wait long. A link that is up when it changes its mind
	// stays. A panic counts as none. Of a node that was found without its name, as by DNS, the keys of "" are tried: if it
	// then has a name, that must have the same key.
	Others func(node string) []curve.Key
}

// keys returns the public keys that a node may have.
func (s *Security) keys(node string) (keys []curve.Key, err error) {
	defer func() {
		if r := recover(); r != nil {
			keys, err = nil, fmt.Errorf("node: panic in Security.Others: %v", r)
		}
	}()
	keys, listed := s.Nodes[node]
	if !listed && s.Others != nil {
		keys = s.Others(node)
	}
	switch {
	case len(keys) == 0:
		return nil, fmt.Errorf("node: no key of node %q is known here: it belongs in Config.Security.Nodes", node)
	case slices.Contains(keys, curve.Key{}): // whose secret key everybody has
		return nil, fmt.Errorf("node: a key of node %q in Config.Security is empty", node)
	}
	return keys, nil
}

// allow decides whether a node that dials us is let in. Its identity, which it tells in the handshake, is its name.
func (s *Security) allow(_ context.Context, c curve.Claim) error {
	node := string(c.Identity)
	if checkNode(node) != nil {
		return fmt.Errorf("node: it does not say which node it is: its ZMTP identity is %q", node)
	}
	keys, err := s.keys(node)
	if err == nil && !slices.Contains(keys, c.Key) {
		err = fmt.Errorf("node: that is no key of node %q, which it says it is", node)
	}
	return err
}

// dialling is the security of the connections that one Dialer makes to a node, and is used by nobody else. If the node
// may have several keys it tries one after the other, and keeps to the one that the node turned out to have.
type dialling struct {
	security *Security
	node     string
	turn     int
	worked   bool
	client   curve.Client
}

// dialling is for connections to a node of that name, or to whoever is at an address if it is empty.
func (n *Node) dialling(node string) *dialling {
	return &dialling{security: n.cfg.Security, node: node, turn: -1}
}

// met notes that a connection was made, to a node that calls itself by a name in the handshake. It refuses one that has not
// proved to have a key of that node, of which only Others has said, before the name was known, that it may be anybody's.
func (d *dialling) met(node string) error {
	if d == nil {
		return nil
	}
	d.worked = true
	if d.node != "" || d.client.ServerKey == (curve.Key{}) { // over inproc
		return nil
	}
	if err := checkNode(node); err != nil {
		return err
	}
	keys, err := d.security.keys(node)
	if err == nil && !slices.Contains(keys, d.client.ServerKey) {
		err = fmt.Errorf("node: that is no key of node %q, which it says it is", node)
	}
	return err
}

// Check is called for each connection. It chooses the key.
func (d *dialling) Check() error {
	keys, err := d.security.keys(d.node)
	if err != nil {
		return err
	}
	if !d.worked {
		d.turn++
	}
	d.worked = false
	d.client = curve.Client{Key: d.security.Key, ServerKey: keys[d.turn%len(keys)]}
	return d.client.Check()
}

// Mechanism follows Check.
func (d *dialling) Mechanism() zmtp.Mechanism { return d.client.Mechanism() }

// dial dials a node for as long as this one lives.
func (n *Node) dial(p *peer) *zmtp.Dialer {
	cfg, serve := n.zmtp(zmq4.Dealer), n.dialler(p)
	if n.cfg.Security != nil {
		d := n.dialling(p.name)
		cfg.Security = d
		plain := serve
		serve = func(conn *zmtp.Conn) {
			d.worked = true
			plain(conn)
		}
	}
	n.warn(p.address)
	return zmtp.Dial(cfg, p.address.Network, p.address.Address, serve)
}

// mayDial says what has to change in the Config if there can't be a link with a node at an endpoint.
func (cfg *Config) mayDial(node string, e mailbox.Endpoint) error {
	if cfg.Security == nil || e.Network == "inproc" {
		return cfg.mayBePlain(e)
	}
	_, err := cfg.Security.keys(node)
	return err
}

func (cfg *Config) mayBePlain(e mailbox.Endpoint) error {
	if cfg.Security != nil || cfg.Insecure || local(e) {
		return nil
	}
	return fmt.Errorf("links over %s would leave this machine as they are, with whoever is there: "+
		"set Config.Security, or Config.Insecure if the network itself keeps strangers out", e)
}

// checkSecurity refuses what can't be honoured.
func (cfg *Config) checkSecurity() error {
	for _, e := range cfg.listen {
		if err := cfg.mayBePlain(e); err != nil {
			return fmt.Errorf("%w: Listen: %w", ErrConfig, err)
		}
	}
	if err := cfg.Security.check(cfg.Insecure); err != nil {
		return err
	}
	for name, e := range cfg.peers {
		if err := cfg.mayDial(name, e); err != nil {
			return fmt.Errorf("%w: Peers: %w", ErrConfig, err)
		}
	}
	return nil
}

func (s *Security) check(insecure bool) error {
	switch {
	case s == nil:
		return nil
	case insecure:
		return fmt.Errorf("%w: Security is set, and so is Insecure: no link would be plain", ErrConfig)
	case s.Key.Secret() == "":
		return fmt.Errorf("%w: Security.Key is not set: curve.NewKeyPair makes one, curve.ParseSecretKey reads one", ErrConfig)
	case len(s.Nodes) == 0 && s.Others == nil:
		return fmt.Errorf("%w: Security has neither Nodes nor Others: there could be no link with anybody", ErrConfig)
	}
	for name := range s.Nodes {
		err := checkNode(name)
		if err == nil {
			_, err = s.keys(name)
		}
		if err != nil {
			return fmt.Errorf("%w: Security.Nodes: %w", ErrConfig, err)
		}
	}
	return nil
}

// warn says, once, that links leave this machine as they are.
func (n *Node) warn(e mailbox.Endpoint) {
	if n.cfg.Security == nil && !local(e) {
		n.warned.Do(func() {
			n.log.Warn("links are not encrypted, and this node's go beyond this machine", "endpoint", e.String())
		})
	}
}
