package actor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/troupe-go/troupe/mailbox"
)

// Config sets up a System. Its zero value is useful.
type Config struct {
	Node         string          // the name in PIDs; "" = "local"
	Incarnation  uuid.UUID       // of this run of the node; zero = a new random one
	HWM          int             // high-water mark of mailboxes, in messages; 0 = 10,000
	Wait         time.Duration   // how long a sender from outside waits for room in a full mailbox; 0 = 1 s
	Remote       Remote          // the way to other nodes; nil = there are none
	Supervision  Supervision     // of actors that are not spawned in a Context, and the default of all others' children
	CopyMessages bool            // take local messages and replies through codec.Msgpack, as if they came from elsewhere
	Network      mailbox.Network // for Bind and Connect; nil = the machine's
	Middleware   []Middleware    // around the handlers of all actors, the first outermost; see Use
	Sending      Sending         // looks at what is sent; nil = nobody does
	Log          *slog.Logger    // nil = slog.Default()
}

// System holds the actors of one process. It is a Scope: what is sent through it comes from outside of any actor. Its
// methods may be called from any goroutine.
type System struct {
	self    PID // the node itself: an exact PID with id 0
	node    string
	remote  Remote
	abandon Abandoner // the same, if it is one
	copying bool
	network mailbox.Network
	log     *slog.Logger
	sending Sending

	defaults options // of Spawn
	table    table
	names    sync.Map // registered name -> *cell
	root     family
	workers  workers
	dead     deadLetters
	events   events
	pending  pending
	far      far
	kinds    kinds
	channels sync.Pool // of chan result, empty
	closing  atomic.Bool
}

// NewSystem returns a running System, which must be closed. It fails with ErrName or ErrUsage if cfg can't be honoured.
func NewSystem(cfg Config) (*System, error) {
	if cfg.Node == "" {
		cfg.Node = "local"
	}
	if err := checkName("node name", cfg.Node); err != nil {
		return nil, err
	}
	if cfg.HWM < 0 || cfg.Wait < 0 {
		return nil, fmt.Errorf("%w: negative HWM or Wait in Config", ErrUsage)
	}
	rules, err := cfg.Supervision.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("%w: Config.Supervision: %v", ErrUsage, err)
	}
	if cfg.HWM == 0 {
		cfg.HWM = 10_000
	}
	if cfg.Wait == 0 {
		cfg.Wait = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Incarnation == uuid.Nil {
		id, err := uuid.NewRandom()
		if err != nil {
			return nil, fmt.Errorf("actor: incarnation: %w", err)
		}
		cfg.Incarnation = id
	}
	if err := register(); err != nil {
		return nil, err
	}
	s := &System{
		self:    ExactPID(cfg.Node, cfg.Incarnation, 0),
		node:    cfg.Node,
		remote:  cfg.Remote,
		copying: cfg.CopyMessages,
		network: cfg.Network,
		log:     cfg.Log,
		sending: cfg.Sending,
	}
	s.abandon, _ = cfg.Remote.(Abandoner)
	s.root.rules = &rules
	s.defaults = options{hwm: cfg.HWM, wait: cfg.Wait, shutdown: defaultShutdown, rules: &rules, around: slices.Clone(cfg.Middleware)}
	s.events.log = cfg.Log
	s.dead = deadLetters{counts: map[Reason]uint64{}, rest: map[Reason]uint64{}, log: cfg.Log, events: &s.events}
	s.table.init()
	s.workers.init()
	s.pending.init()
	s.far.init()
	return s, nil
}

func (s *System) scope() scope { return scope{sys: s} }

// Node returns the node's name.
func (s *System) Node() string { return s.node }

// Incarnation returns which run of the node this is.
func (s *System) Incarnation() uuid.UUID { return s.self.Incarnation() }

// Close stops all actors, the last spawned first, each as Stop does. From its start, Spawn, and Tell and Ask from
// outside, fail with ErrClosed; actors may still talk to those that have not stopped. When ctx ends, all that are left
// finish the message in hand and stop at once. Close then waits up to a second for handlers that are running; an error
// names the first that does not return. A second Close waits for the same.
//
// It must not be called from an actor, whose end it waits for.
func (s *System) Close(ctx context.Context) error {
	if ctx == nil {
		return fmt.Errorf("%w: nil context", ErrUsage)
	}
	s.closing.Store(true)
	s.root.close()
	err := stopAll(ctx, s.root.children())
	s.pending.failAll(fmt.Errorf("%w: node %s has stopped", ErrClosed, s.node))
	spare, gone := s.far.close(), s.workers.close()
	if err == nil {
		err = errors.Join(s.await(ctx, gone, "an actor whose parent went on without it"),
			s.await(ctx, spare, "the constructor of a kind, or an actor that it spawned,"))
	}
	s.dead.close()
	s.events.close()
	return err
}

// await waits for the end of the workers, one of which may still run a handler that does not return, of an actor whose
// parent went on without it, or of what runs beside them.
func (s *System) await(ctx context.Context, gone <-chan struct{}, what string) error {
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	if !within(grace, gone) {
		return fmt.Errorf("actor: %s does not return: %w", what, context.Cause(ctx))
	}
	return nil
}
