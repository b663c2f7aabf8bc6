package topology

import (
	"fmt"
	"slices"
)

// checkGraph returns what is wrong with the topology however it is run.
func (t *Topology) checkGraph() (wrong []error) {
	mistake := func(format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%w: "+format, append([]any{ErrDeclared}, args...)...))
	}
	if len(t.roles) == 0 {
		mistake("topology %s has no roles", t.name)
	}
	for _, r := range t.roles {
		if r.streams && r.ends[0].edge.zmq {
			mistake("role %s: plain ZeroMQ has no form for streams; leave ZMQ away from service %s", r.name, r.ends[0].edge.name)
		}
	}
	for _, e := range t.edges {
		given, taken := t.on(e, gives), t.on(e, takes)
		switch {
		case e.kind == service && len(given) == 0:
			mistake("service %s has no server role", e.name)
		case len(given)+len(taken) == 0:
			mistake("%s %s is connected to no role", e.kind, e.name)
		case e.zmq || e.kind == service: // the other side may be a foreign program
		case len(taken) == 0:
			mistake("nothing receives from %s %s; declare a role that does, or give it ZMQ(codec) if a foreign program does",
				e.kind, e.name)
		case len(given) == 0:
			mistake("nothing sends into %s %s; declare a role that does, or give it ZMQ(codec) if a foreign program does",
				e.kind, e.name)
		}
		if len(given)+len(taken) == 0 {
			continue
		}
		binders := t.binders(e)
		switch len(binders) {
		case 0:
			if len(given) == 0 || len(taken) == 0 {
				continue // a foreign program binds it, or it is a mistake already
			}
			mistake("no role binds %s %s; say topology.Binds(%s) at one of %s", e.kind, e.name, e.name,
				listed(slices.Concat(given, taken)))
		case 1:
			if n := binders[0].instances; n > 1 {
				mistake("%w", severalBinders(binders[0], e, n))
			}
		default:
			mistake("%s %s: the roles %s would all bind %s; one binds and the others connect", e.kind, e.name, listed(binders),
				e.endpoint)
		}
	}
	if loop := t.loop(); len(loop) > 0 {
		mistake("the stages %s feed each other in a circle; a full pipe in it would stop them all, and none would ever end",
			listed(loop))
	}
	return wrong
}

// on returns the roles that have the side s of e.
func (t *Topology) on(e *edge, s side) (roles []*role) {
	for _, r := range t.roles {
		if r.on(e, s) {
			roles = append(roles, r)
		}
	}
	return roles
}

// binders returns the roles that bind e by the rules of the package's "Who binds"; in a topology without mistakes that
// is one.
func (t *Topology) binders(e *edge) (binders []*role) {
	for _, r := range t.roles {
		if slices.Contains(r.binds, e) {
			binders = append(binders, r)
		}
	}
	if len(binders) > 0 {
		return binders
	}
	for _, r := range t.on(e, gives) {
		if r.declares(e) && (e.kind != pipe || r.class == source) {
			binders = append(binders, r)
		}
	}
	if len(binders) > 0 || e.kind != pipe {
		return binders
	}
	for _, r := range t.on(e, takes) {
		if r.declares(e) && r.class == finishing {
			binders = append(binders, r)
		}
	}
	return binders
}

// declares reports whether r is declared with e, and does not merely use it.
func (r *role) declares(e *edge) bool { return r.has(e) && !slices.Contains(r.uses, e) }

// binder returns the role that binds e, or nil in a topology with mistakes.
func (t *Topology) binder(e *edge) *role {
	if binders := t.binders(e); len(binders) == 1 {
		return binders[0]
	}
	return nil
}

func severalBinders(r *role, e *edge, n int) error {
	return fmt.Errorf("role %s: %d instances can't all bind the one endpoint of %s %s; run one", r.name, n, e.kind, e.name)
}

// loop returns the roles of a circle of pipes, if there is one.
func (t *Topology) loop() []*role {
	done := map[*role]bool{}
	var path []*role
	var visit func(r *role) []*role
	visit = func(r *role) []*role {
		if i := slices.Index(path, r); i >= 0 {
			return path[i:]
		}
		if done[r] {
			return nil
		}
		path = append(path, r)
		for _, end := range r.ends {
			if end.edge.kind != pipe || end.side != gives {
				continue
			}
			for _, next := range t.on(end.edge, takes) {
				if loop := visit(next); loop != nil {
					return loop
				}
			}
		}
		path = path[:len(path)-1]
		done[r] = true
		return nil
	}
	for _, r := range t.roles {
		if loop := visit(r); loop != nil {
			return loop
		}
	}
	return nil
}

// origins returns the roles at which the stream of a pipe begins: those that send into it without receiving from a pipe
// themselves, or into a pipe before it.
func (t *Topology) origins(e *edge) (roles []*role) {
	for _, r := range t.on(e, gives) {
		before := slices.DeleteFunc(slices.Clone(r.ends), func(end end) bool { return end.edge.kind != pipe || end.side != takes })
		if len(before) == 0 && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
		for _, end := range before {
			for _, origin := range t.origins(end.edge) {
				if !slices.Contains(roles, origin) {
					roles = append(roles, origin)
				}
			}
		}
	}
	return roles
}
