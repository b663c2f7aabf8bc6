package gossip

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"github.com/hashicorp/memberlist"
)

const (
	mostAlone = 8  // probes between two tries to join, at most
	apart     = 30 // probes between two tries of a seed that may be in a part of the cluster that was cut off
)

// join tries the seeds, and where nodes were that have gone, until one answers, and one of them now and then later on.
func (g *group) join(ctx context.Context) {
	wait, next, said := g.Probe, 0, false
	for {
		pause := apart * g.Probe
		if seeds := append(g.seeds(ctx), g.haunts()...); g.list.NumMembers() > 1 {
			wait, said = g.Probe, false
			if next++; len(seeds) > 0 {
				g.contact(seeds[next%len(seeds)])
			}
		} else if !slices.ContainsFunc(seeds, g.contact) {
			if !said && len(g.Seeds) > 0 && ctx.Err() == nil {
				g.log.Warn("gossip: alone, no seed answers, trying again", "seeds", g.Seeds)
				said = true
			}
			pause, wait = wait, min(2*wait, mostAlone*g.Probe)
		}
		late := time.NewTimer(pause - rand.N(pause/4+1))
		select {
		case <-late.C:
		case <-g.left: // perhaps alone now
		case <-ctx.Done():
		}
		late.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// seeds returns the addresses of the seeds as they are now, without this node's own.
func (g *group) seeds(ctx context.Context) (list []string) {
	for _, seed := range g.Seeds {
		host, port, err := net.SplitHostPort(seed)
		if err != nil {
			continue
		}
		addresses, err := net.DefaultResolver.LookupHost(ctx, host)
		if err != nil {
			g.log.Debug("gossip: look-up of a seed", "seed", seed, "reason", err)
		}
		for _, a := range addresses {
			if at := net.JoinHostPort(a, port); at != g.own && !slices.Contains(list, at) {
				list = append(list, at)
			}
		}
	}
	return list
}

const (
	lostTime = 24 * time.Hour // in which a node that has gone may have been cut off
	mostLost = 64             // of which the addresses are kept
)

// lost is a node that has gone.
type lost struct {
	at    string
	since time.Time
}

// lose keeps the address of a node that has gone. The caller holds mu.
func (g *group) lose(m *memberlist.Node) {
	g.gone[m.Name] = lost{address(m), time.Now()}
	if len(g.gone) > mostLost {
		oldest := m.Name
		for name, l := range g.gone {
			if l.since.Before(g.gone[oldest].since) {
				oldest = name
			}
		}
		delete(g.gone, oldest)
	}
}

// haunts returns where nodes may be that have gone.
func (g *group) haunts() (list []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, l := range g.gone {
		if time.Since(l.since) > lostTime {
			delete(g.gone, name)
		} else {
			list = append(list, l.at)
		}
	}
	return list
}

// contact exchanges all that is known with the node at an address, and reports whether it answered.
func (g *group) contact(at string) bool {
	_, err := g.list.Join([]string{at})
	if err != nil {
		g.log.Debug("gossip: seed does not answer", "address", at, "reason", err)
	}
	return err == nil
}
