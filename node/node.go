package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/go-zeromq/zmq4"
	"github.com/google/uuid"

	"github.com/troupe-go/troupe/actor"
	"github.com/troupe-go/troupe/internal/zmtp"
	"github.com/troupe-go/troupe/mailbox"
	"github.com/troupe-go/troupe/mailbox/curve"
)

var errNoContext = fmt.Errorf("node: %w: nil context", actor.ErrUsage)

// Node is an actor system that is reachable from other nodes, and reaches them. It is an [actor.Scope]: spawn actors
// under it, and send from it. All its methods may be called from any goroutine.
type Node struct {
	actor.Scope // the system

	name      string
	cfg       Config
	log       *slog.Logger
	system    *actor.System
	pid       actor.PID
	hello     hello // ours
	endpoints []mailbox.Endpoint

	peers      peers
	newcomers  newcomers
	complaints budget
	strangers  budget
	said       said
	search     search
	enquiries  enquiries
	warned     sync.Once // of plain links
	listeners  []*zmtp.Listener
	dialers    []*zmtp.Dialer

	closing chan struct{} // closed when links are no longer wanted
	closed  chan struct{} // closed when Close is through
	once    sync.Once
	err     error // of Close
}

// Start starts a node: when it returns the node listens at every endpoint of cfg.Listen, and has begun to dial the nodes
// of cfg.Peers, which need not be there yet, and to look for those that cfg.Discovery finds. ctx bounds the starting only; end the node with Close.
//
// It fails when cfg cannot be honoured or an endpoint cannot be bound; nothing is left behind then.
func Start(ctx context.Context, cfg Config) (*Node, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	n := &Node{
		name:    cfg.Name,
		cfg:     cfg,
		log:     cfg.Log.With("node", cfg.Name),
		closing: make(chan struct{}),
		closed:  make(chan struct{}),
	}
	n.complaints.lines, n.strangers.lines = complaintLines, strangerLines
	n.peers.init()
	n.enquiries = enquiries{node: n, sought: make(map[string]*enquiry)}
	n.search = search{node: n, targets: make(map[string]*target)}
	n.system, err = actor.NewSystem(actor.Config{
		Node: cfg.Name, Incarnation: cfg.incarnation, HWM: cfg.HWM, Wait: cfg.Wait, Remote: remote{n},
		CopyMessages: cfg.CopyMessages, Supervision: cfg.Supervision, Middleware: cfg.Middleware, Sending: cfg.Sending,
		Network: cfg.Network, Log: cfg.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	n.Scope, n.pid = n.system, actor.ExactPID(cfg.Name, cfg.incarnation, 0)
	if err := n.open(ctx); err != nil {
		n.Close(ended())
		return nil, err
	}
	return n, nil
}

// open listens, then dials. Nobody is served before the HELLO is complete, with the ports that were bound.
func (n *Node) open(ctx context.Context) error {
	ready := make(chan struct{})
	defer close(ready)
	serve := func(conn *zmtp.Conn) {
		<-ready
		n.accepted(conn)
	}
	for _, e := range n.cfg.listen {
		cfg := n.zmtp(zmq4.Router)
		if s := n.cfg.Security; s != nil {
			cfg.Security = curve.Server{Key: s.Key, Allow: s.allow}
		}
		n.warn(e)
		l, err := zmtp.Listen(ctx, cfg, e.Network, e.Address, serve)
		if err != nil {
			return fmt.Errorf("node: cannot listen at %s: %w", e, err)
		}
		n.listeners = append(n.listeners, l)
		n.endpoints = append(n.endpoints, e.Bound(l.Addr()))
	}
	n.hello = hello{
		lowest: lowestVersion, highest: highestVersion, node: n.name, incarnation: n.Incarnation(),
		features: []string{featureResolve}, library: mailbox.Version(), endpoints: n.cfg.advertised(n.endpoints),
		limits: map[string]uint64{"message": uint64(n.cfg.MaxMessage)},
	}
	if err := n.search.check(); err != nil {
		return err
	}
	for name, e := range n.cfg.peers {
		p := n.newPeer(name, e)
		n.peers.table[name] = p
		n.dialers = append(n.dialers, n.dial(p))
	}
	n.search.start()
	return nil
}

// zmtp is how connections are made. Until its HELLO was read a peer can't send much; see claim.
func (n *Node) zmtp(t zmq4.SocketType) *zmtp.Config {
	beat := n.cfg.Down / 4
	return &zmtp.Config{Type: t, Identity: []byte(n.name), MaxMessage: maxGreeting, MaxFrames: manyFrames, Network: n.cfg.Network,
		Log: n.log, Heartbeat: beat, HeartbeatTimeout: beat}
}

func (n *Node) newPeer(name string, address mailbox.Endpoint) *peer {
	p := &peer{name: name, address: address}
	if name != "" {
		n.expect(p, n.cfg.Down)
	}
	p.out.since, p.out.unheard = ticks(), name != "" && !n.peers.forgetful.Load()
	p.out.limit, p.out.most, p.out.patience = n.cfg.Outbox, n.cfg.MaxMessage, n.cfg.Expire
	p.out.dropped = func(items []item, of uuid.UUID, reason actor.Reason) { n.dropped(p, items, of, reason) }
	return p
}

// unlisted makes the peer of a node that is not in Config.Peers.
func (n *Node) unlisted(name string) *peer { return n.newPeer(name, mailbox.Endpoint{}) }

// Name returns the node's name, unique among the nodes that are connected.
func (n *Node) Name() string { return n.name }

// Incarnation returns the uuid of this run of the node.
func (n *Node) Incarnation() uuid.UUID { return n.system.Incarnation() }

// Endpoints returns where the node listens, in the order of Config.Listen, with the ports that were bound.
func (n *Node) Endpoints() []mailbox.Endpoint { return append([]mailbox.Endpoint(nil), n.endpoints...) }

// DeadLetters returns how many messages this node could not hand over, by reason.
func (n *Node) DeadLetters() map[actor.Reason]uint64 { return n.system.DeadLetters() }

// Close stops the actors, sends what they have left for other nodes, tells those that this node ends, and closes its
// links and listeners. It lingers over messages for peers that are slow or not connected until ctx ends, at most for
// Config.Linger; what is then unsent becomes dead letters, "unreachable", or "unconfirmed" if it was about to be written.
// Parting from peers may take up to a second more. Every goroutine, port and file of the node is gone when it returns.
//
// It returns what could not be stopped or closed in an orderly way. A second Close waits for the first. With a nil context it
// does nothing but fail with [actor.ErrUsage].
func (n *Node) Close(ctx context.Context) error {
	if ctx == nil {
		return errNoContext
	}
	n.once.Do(func() { n.err = n.close(ctx) })
	<-n.closed
	return n.err
}

func (n *Node) close(ctx context.Context) error {
	defer close(n.closed)
	n.search.stop()
	err := n.system.Close(ctx)
	lingering, cancel := context.WithTimeout(ctx, n.cfg.Linger)
	defer cancel()
	var wg sync.WaitGroup
	for _, p := range n.peers.all() {
		wg.Go(func() { p.out.wait(lingering) })
	}
	wg.Wait()
	for _, p := range n.peers.close() {
		wg.Go(func() { p.part(lingering) })
	}
	wg.Wait()
	n.enquiries.close()
	close(n.closing)
	for _, d := range n.dialers {
		wg.Go(func() { d.Close() })
	}
	errs := make([]error, len(n.listeners))
	for i, l := range n.listeners {
		wg.Go(func() { errs[i] = l.Close() })
	}
	wg.Wait()
	n.search.wg.Wait()
	return errors.Join(append(errs, err)...)
}

// ended returns a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
