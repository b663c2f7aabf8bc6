package gossip

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/troupe-go/troupe/node"
)

const (
	reclaim      = time.Nanosecond // after which a name whose node is dead may be another's
	leaveTime    = time.Second     // that taking leave may take
	updateTime   = time.Second     // that telling of new kinds may take
	conflictTime = time.Minute     // between two log lines about nodes of one name
)

// group is a node's membership while it lasts. It is memberlist's Delegate for what the node says about itself, for
// events and for conflicts; memberlist calls these with its locks held.
type group struct {
	Discovery
	log     *slog.Logger
	name    string
	self    func() node.Info
	list    *memberlist.Memberlist
	changed chan struct{} // has one when the members have changed
	left    chan struct{} // has one when a member has left or died

	own string // where this node gossips

	mu       sync.Mutex
	members  map[string]node.Info // that are alive, without this one: memberlist's own list changes under its readers
	gone     map[string]lost      // that have died, or left: one does not learn which
	meta     []byte
	tooLarge bool      // what the node says now, so that meta is older
	conflict time.Time // when one was logged last
}

func (g *group) start(ctx context.Context, at addresses) (err error) {
	c := g.config(at)
	t, err := newTransport(ctx, c, g.cut)
	if err != nil {
		return err
	}
	c.Transport = t
	c.BindPort = t.GetAutoBindPort()
	if g.list, err = memberlist.Create(c); err != nil {
		t.Shutdown()
		return err
	}
	g.own = address(g.list.LocalNode())
	if g.bound != nil {
		g.bound <- g.own
	}
	return nil
}

// run reports the members until ctx ends, then leaves.
func (g *group) run(ctx context.Context, found func([]node.Info)) error {
	var joining sync.WaitGroup
	joining.Go(func() { g.join(ctx) })
	tick := time.NewTicker(g.Probe)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-g.changed:
			found(g.others())
		case <-tick.C:
			g.refresh()
		case <-ctx.Done():
		}
	}
	joining.Wait()
	if !g.rude {
		if err := g.list.Leave(leaveTime); err != nil {
			g.log.Debug("gossip: leave", "reason", err)
		}
	}
	return g.list.Shutdown()
}

func (g *group) others() []node.Info {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Values(g.members))
}

// refresh tells the others if the node says something new about itself.
func (g *group) refresh() {
	now, err := encode(g.self())
	g.mu.Lock()
	news := err == nil && !bytes.Equal(now, g.meta)
	said := g.tooLarge
	if g.tooLarge = err != nil; news {
		g.meta = now
	}
	g.mu.Unlock()
	if err != nil && !said {
		g.log.Error("gossip: what is new about this node is not told to others", "reason", err)
	}
	if news {
		if err := g.list.UpdateNode(updateTime); err != nil {
			g.log.Debug("gossip: update", "reason", err)
		}
	}
}

// NodeMeta returns what the node says about itself.
func (g *group) NodeMeta(int) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.meta
}

// Messages and state of our own there are none.
func (*group) NotifyMsg([]byte)                {}
func (*group) GetBroadcasts(int, int) [][]byte { return nil }
func (*group) LocalState(bool) []byte          { return nil }
func (*group) MergeRemoteState([]byte, bool)   {}

// NotifyJoin is told who has come.
func (g *group) NotifyJoin(m *memberlist.Node) {
	g.log.Debug("gossip: node is there", "name", m.Name, "address", address(m))
	g.NotifyUpdate(m)
}

// NotifyLeave is told who has left or died.
func (g *group) NotifyLeave(m *memberlist.Node) {
	g.log.Debug("gossip: node is gone", "name", m.Name, "address", address(m))
	g.mu.Lock()
	delete(g.members, m.Name)
	if m.Name != g.name {
		g.lose(m)
	}
	g.mu.Unlock()
	signal(g.changed)
	signal(g.left)
}

// NotifyUpdate is told who says something new about itself.
func (g *group) NotifyUpdate(m *memberlist.Node) {
	if m.Name != g.name {
		g.mu.Lock()
		g.members[m.Name] = decode(m)
		delete(g.gone, m.Name)
		g.mu.Unlock()
	}
	signal(g.changed)
}

// NotifyConflict is told that two nodes have one name.
func (g *group) NotifyConflict(existing, other *memberlist.Node) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.conflict) < conflictTime {
		return
	}
	g.conflict = time.Now()
	g.log.Warn("gossip: two nodes have one name, the second is not heeded while the first lives: node names must be unique",
		"name", existing.Name, "first", address(existing), "second", address(other))
}

// signal leaves a signal, unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
