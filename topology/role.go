package topology

import (
	"context"
	"slices"
)

// class is what a role's end means for the run, see the package's "When it ends".
type class int

const (
	finishing class = iota // a run is over when all of these have returned
	source                 // finishing where no finishing role runs, else serving
	serving                // goes on until it is told to end
)

// role is a function and the edges it is wired to.
type role struct {
	name      string
	class     class
	does      string // for logs and -help, such as "serving"
	ends      []end  // what it is declared with, then what it uses
	binds     []*edge
	uses      []*edge
	instances int
	drains    bool // goes on for Options.Drain, once the sources are told to end, with what is under way

	streams  bool  // it is a server that replies in parts
	front    *edge // it is that service's front
	restarts bool  // a process of it that crashed is started again

	// open opens what an instance needs of the role's edges, and has it closed by in.atEnd. work then runs the instance until
	// it is done, or told to end by its context.
	open func(in *instance) (work func(ctx context.Context) error, err error)
}

// RoleOption is an option of a role's declaration.
type RoleOption func(*role)

// Instances sets how many instances of a role run, 1 by default; -n overrides it. A role that binds an edge has one.
func Instances(n int) RoleOption {
	return func(r *role) { r.instances = n }
}

// Edge is an edge of any kind, such as a *[ServiceEdge].
type Edge interface{ declared() *edge }

// Binds makes a role the one that binds an edge, to which the roles on the other side connect, and those on its own
// side too. It is needed only where the rules in the package's "Who binds" don't say who does.
func Binds(e Edge) RoleOption {
	return func(r *role) { r.binds = append(r.binds, e.declared()) }
}

// wire wires a role to the edges that it is declared with. It reports whether these are edges of this topology, and the
// role has a function.
func (t *Topology) wire(r *role, declaration string, function bool, ends ...end) bool {
	r.ends = ends
	ok := function
	for _, end := range ends {
		ok = t.knows(r, "topology."+declaration, end.edge) && ok
	}
	if !function {
		t.mistake("role %s: topology.%s got a nil function", r.name, declaration)
	}
	return ok
}

// knows reports whether e, which what of r was given, is an edge of this topology.
func (t *Topology) knows(r *role, what string, e *edge) bool {
	switch {
	case e == nil:
		t.mistake("role %s: %s got a nil edge", r.name, what)
		return false
	case !slices.Contains(t.edges, e):
		t.mistake("role %s: %s got the edge %s, which is declared in another topology", r.name, what, e.name)
		return false
	}
	return true
}

func (t *Topology) addRole(r *role, opts []RoleOption) {
	switch {
	case !names.MatchString(r.name):
		t.mistake("the role name %q "+nameRule, r.name)
	case t.role(r.name) != nil:
		if t.role(r.name).front != nil {
			t.mistake("the role name %s is taken by the front of the service of that name", r.name)
		} else {
			t.mistake("there are two roles named %s; a role is declared once", r.name)
		}
	}
	r.instances = 1
	for _, opt := range opts {
		opt(r)
	}
	if r.instances < 1 {
		t.mistake("role %s: %d instances; at least 1 is needed", r.name, r.instances)
	}
	for _, e := range r.uses {
		t.knows(r, "topology.Uses", e)
	}
	for _, e := range r.binds {
		if t.knows(r, "topology.Binds", e) && !r.has(e) {
			t.mistake("role %s: topology.Binds got the edge %s, which the role doesn't have", r.name, e.name)
		}
	}
	t.roles = append(t.roles, r)
}

// has reports whether e is one of r's edges.
func (r *role) has(e *edge) bool {
	return slices.ContainsFunc(r.ends, func(end end) bool { return end.edge == e })
}

// on reports whether r has the side s of e.
func (r *role) on(e *edge, s side) bool { return slices.Contains(r.ends, end{e, s}) }

// Uses gives a role an edge beside those that it is declared with: its function then sends into that pipe, publishes on
// that topic or calls that service by the edge's own methods, such as [ServiceEdge.Call], with the context that it was
// given or one made of it.
func Uses(e Edge) RoleOption {
	return func(r *role) {
		used := e.declared()
		r.uses = append(r.uses, used)
		if used != nil {
			r.ends = append(r.ends, end{used, used.kind != service})
		}
	}
}
