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
	servers []*role // one instance each
	workers []share
	at      map[*edge]string // where the edge binds; missing: values are handed over
	dial    map[*edge]string // where the edge's other side connects
}

// share is how many instances of a role run here.
type share struct {
	role *role
	n    int
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
		if len(o.Run) > 0 && !slices.Contains(o.Run, r.name) {
			continue
		}
		n := r.instances
		if m, ok := o.Instances[r.name]; ok {
			n = m
		}
		if r.serve == nil {
			p.workers = append(p.workers, share{r, n})
			continue
		}
		if n != 1 {
			wrong = append(wrong, severalServers(ErrOptions, r, n))
		}
		p.servers = append(p.servers, r)
	}
	for i, e := range t.edges {
		if err := p.place(i, e, o, dir); err != nil {
			wrong = append(wrong, err)
		}
	}
	return p, errors.Join(wrong...)
}

// place decides where edge number i is.
func (p *plan) place(i int, e *edge, o Options, dir string) error {
	serves := slices.ContainsFunc(p.servers, func(r *role) bool { return r.edge == e })
	calls := slices.ContainsFunc(p.workers, func(s share) bool { return s.role.edge == e })
	at := e.endpoint
	switch moved, ok := o.At[e.name]; {
	case ok:
		at = moved
	case len(o.Run) > 0:
	case !serves || !calls: // the other side is a foreign program
	case o.Processes:
		at = ipcEndpoint(dir, i)
	default:
		return nil
	}
	bind, err := mailbox.ParseEndpoint(at)
	if err != nil {
		return fmt.Errorf("%w: edge %s: %w", ErrOptions, e.name, err)
	}
	if o.Processes && bind.Network == "inproc" && (serves || calls) {
		return fmt.Errorf("%w: edge %s: %s can't be reached from another process; leave -at away or use ipc or tcp",
			ErrOptions, e.name, at)
	}
	p.at[e] = at
	if !calls {
		return nil
	}
	p.dial[e], err = dialable(bind, at, serves)
	if err != nil {
		return fmt.Errorf("%w: edge %s: %w", ErrOptions, e.name, err)
	}
	return nil
}

// dialable returns the endpoint at which others reach what is bound to bind, written as at.
func dialable(bind mailbox.Endpoint, at string, local bool) (string, error) {
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

// checkGraph returns what is wrong with the topology however it is run.
func (t *Topology) checkGraph() (wrong []error) {
	if len(t.roles) == 0 {
		wrong = append(wrong, fmt.Errorf("%w: topology %s has no roles", ErrDeclared, t.name))
	}
	for _, e := range t.edges {
		servers := t.servers(e)
		if len(servers) == 0 {
			wrong = append(wrong, fmt.Errorf("%w: service %s has no server role", ErrDeclared, e.name))
		}
		if len(servers) > 1 {
			var all []string
			for _, r := range servers {
				all = append(all, r.name)
			}
			wrong = append(wrong, fmt.Errorf("%w: service %s: the roles %s would both bind %s; with ZMQ one server binds and "+
				"clients connect", ErrDeclared, e.name, strings.Join(all, " and "), e.endpoint))
		}
	}
	for _, r := range t.roles {
		if r.serve != nil && r.instances > 1 {
			wrong = append(wrong, severalServers(ErrDeclared, r, r.instances))
		}
	}
	return wrong
}

// checkOptions returns which names in o the topology doesn't have and which numbers make no sense.
func (t *Topology) checkOptions(o Options) (wrong []error) {
	for _, name := range o.Run {
		wrong = append(wrong, t.checkRole(name))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Instances)) {
		wrong = append(wrong, t.checkRole(name))
		if n := o.Instances[name]; n < 1 {
			wrong = append(wrong, fmt.Errorf("%w: role %s: %d instances; at least 1 is needed", ErrOptions, name, n))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.At)) {
		wrong = append(wrong, t.checkEdge(name))
	}
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

func severalServers(kind error, r *role, n int) error {
	return fmt.Errorf("%w: role %s: %d instances of the server of a ZMQ service can't all bind its one endpoint; run one",
		kind, r.name, n)
}
