package topology

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"github.com/troupe-go/troupe/mailbox"
)

// plan is what runs here and where its edges are: the declared graph and Options, checked and worked out. Making one has
// no effects.
type plan struct {
	shares []share          // those of roles that bind come first
	at     map[*edge]string // where the edge is bound; missing: values are handed over
	dial   map[*edge]string // where those who connect to it find it, if any does here
}

// share is how many instances of a role run here, and the number of the first, from 0 on.
type share struct {
	role  *role
	first int
	n     int
}

// plan checks the topology and o, and returns what they come to. Its error joins all that is wrong; each part wraps
// ErrDeclared or ErrOptions. dir is where ipc endpoints of a run as processes go.
func (t *Topology) plan(o Options, dir string) (*plan, error) {
	wrong := slices.Concat(t.wrong, t.checkGraph(), t.checkOptions(o))
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	p := &plan{at: map[*edge]string{}, dial: map[*edge]string{}}
	for _, r := range t.roles {
		if len(o.Run) == 0 || slices.Contains(o.Run, r.name) {
			s := share{r, 0, o.instances(r)}
			if o.instance > 0 {
				s.first, s.n = o.instance-1, 1
			}
			p.shares = append(p.shares, s)
		}
	}
	slices.SortStableFunc(p.shares, func(a, b share) int { return t.rank(a.role) - t.rank(b.role) })
	for i, e := range t.edges {
		if r := t.binder(e); r != nil && p.runs(r) && o.instances(r) > 1 {
			wrong = append(wrong, fmt.Errorf("%w: %w", ErrOptions, severalBinders(r, e, o.instances(r))))
		}
		if err := p.place(t, i, e, o, dir); err != nil {
			wrong = append(wrong, err)
		}
	}
	p.shares = slices.DeleteFunc(p.shares, func(s share) bool { // a front is for sockets
		return s.role.front != nil && !slices.ContainsFunc(s.role.binds, func(e *edge) bool { return p.at[e] != "" })
	})
	return p, errors.Join(wrong...)
}

// count is how many instances of r run here.
func (p *plan) count(r *role) int {
	i := slices.IndexFunc(p.shares, func(s share) bool { return s.role == r })
	return p.shares[i].n
}

// instances is how many instances of r a run has, here or elsewhere.
func (o Options) instances(r *role) int {
	if n, ok := o.Instances[r.name]; ok {
		return n
	}
	return r.instances
}

// rank orders roles: those that bind an edge are opened before those that only connect.
func (t *Topology) rank(r *role) int {
	if slices.ContainsFunc(t.edges, func(e *edge) bool { return t.binder(e) == r }) {
		return 0
	}
	return 1
}

// runs reports whether r runs here.
func (p *plan) runs(r *role) bool {
	return slices.ContainsFunc(p.shares, func(s share) bool { return s.role == r })
}

// place decides where edge number i is.
func (p *plan) place(t *Topology, i int, e *edge, o Options, dir string) error {
	binder := t.binder(e)
	var given, taken, binds, connects bool // here
	for _, s := range p.shares {
		given = given || s.role.on(e, gives)
		taken = taken || s.role.on(e, takes)
		binds = binds || s.role == binder
		connects = connects || s.role.has(e) && s.role != binder
	}
	at := e.endpoint
	if e.via != nil { // they have one endpoint
		i = slices.Index(t.edges, e.via)
	}
	switch moved, ok := o.At[t.edges[i].name]; {
	case ok:
		at = moved
	case len(o.Run) > 0:
	case !given || !taken: // the other side is a foreign program
	case o.Processes:
		at = ipcEndpoint(dir, i)
	default:
		return nil
	}
	places, err := parsePlaces(at)
	if err == nil && len(places) > 1 && (e.kind != service || e.zmq || given || binds) {
		err = fmt.Errorf("%s are several endpoints, which only those that call a service can do with: give the others one, "+
			"and run them apart; an edge with topology.ZMQ can't have several", at)
	}
	if err != nil {
		return fmt.Errorf("%w: edge %s: %w", ErrOptions, e.name, err)
	}
	p.at[e] = at
	var dial []string
	for _, place := range places {
		if o.Processes && place.Network == "inproc" && (given || taken) {
			return fmt.Errorf("%w: edge %s: %s can't be reached from another process; leave -at away or use ipc or tcp",
				ErrOptions, e.name, place)
		}
		if connects {
			to, err := dialable(place, binds)
			if err != nil {
				return fmt.Errorf("%w: edge %s: %w", ErrOptions, e.name, err)
			}
			dial = append(dial, to)
		}
	}
	if connects {
		p.dial[e] = strings.Join(dial, ",")
	}
	return nil
}

// parsePlaces takes apart what an edge may be moved to: an endpoint, or several with commas in between.
func parsePlaces(at string) (places []mailbox.Endpoint, err error) {
	for one := range strings.SplitSeq(at, ",") {
		place, err := mailbox.ParseEndpoint(one)
		if err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, nil
}

// dialable returns the endpoint at which others reach what is bound to bind.
func dialable(bind mailbox.Endpoint, local bool) (string, error) {
	at := bind.String()
	if bind.Network != "tcp" {
		return at, nil
	}
	host, port, err := net.SplitHostPort(bind.Address)
	if err != nil {
		return "", err
	}
	if port == "0" || port == "*" {
		return "", fmt.Errorf("%s has no fixed port, so the roles that connect can't know it", at)
	}
	if host != "" && host != "*" && host != "0.0.0.0" && host != "::" {
		return at, nil
	}
	if !local {
		return "", fmt.Errorf("%s stands for all addresses of a machine; a role that connects needs one of the server's", at)
	}
	return "tcp://" + net.JoinHostPort("127.0.0.1", port), nil
}

const maxInstances = 100_000 // of a role

// checkOptions returns which names in o the topology doesn't have and which numbers make no sense.
func (t *Topology) checkOptions(o Options) (wrong []error) {
	for _, name := range o.Run {
		wrong = append(wrong, t.checkRole(name))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Instances)) {
		wrong = append(wrong, t.checkRole(name))
		switch n := o.Instances[name]; {
		case n < 1:
			wrong = append(wrong, fmt.Errorf("%w: role %s: %d instances; at least 1 is needed", ErrOptions, name, n))
		case n > maxInstances:
			wrong = append(wrong, fmt.Errorf("%w: role %s: %d instances; at most %d are possible", ErrOptions, name, n, maxInstances))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.At)) {
		wrong = append(wrong, t.checkEdge(name))
		if e := t.edge(name); e != nil && e.via != nil {
			wrong = append(wrong, fmt.Errorf("%w: edge %s moves with %s, whose front it shares", ErrOptions, name, e.via.name))
		}
	}
	wrong = append(wrong, o.Security.check(t))
	return slices.DeleteFunc(wrong, func(err error) bool { return err == nil })
}

func (t *Topology) checkRole(name string) error {
	if t.role(name) == nil {
		return fmt.Errorf("%w: there is no role %q; the roles are %s", ErrOptions, name, t.roleNames())
	}
	return nil
}

func (t *Topology) checkEdge(name string) error {
	if t.edge(name) == nil {
		return fmt.Errorf("%w: there is no edge %q; the edges are %s", ErrOptions, name, t.edgeNames())
	}
	return nil
}
